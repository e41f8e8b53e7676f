// The banks in memory, live: loaded once, from a snapshot where there is one, then told of every change within a second.
import { inSteps, inTurns } from '../imaging/in-turns.ts'
import type { BankStore } from '../rights/bank-ports.ts'
import type { BankIndex } from '../signals/image-hash/ports.ts'
import type { Telemetry } from '../telemetry.ts'
import { messageOf } from '../errors.ts'
import { accusingIn } from './banks/accusing.ts'
import { createBankEntries, type BankEntries } from './banks/entries.ts'
import { readSnapshot, writeSnapshot, type SnapshotFile } from './banks/snapshot.ts'
import { createLoop, type Loop } from './loop.ts'

export interface LiveBanks {
  /** One index for the whole life of the process: every look-up is of one moment. */
  current(): BankIndex
  readonly loop: Loop
  stop(): Promise<void>
}

export interface FollowOptions {
  /** Without one every start reads all from the store. */
  readonly snapshot?: SnapshotFile
  /** Changed pictures after which a new snapshot is worth its cost. */
  readonly snapshotAfter?: number
  readonly pollMs?: number
}

/** Missed hints are caught up within this long. */
const POLL_MS = 400
/** The rows of a page are read within some 10 ms, in which nothing else goes on. */
const PAGE = 2_000
/** Reading so many from the store takes a tenth of a second: below, a file would save nothing. */
const SNAPSHOT_AFTER = 10_000

interface Held {
  readonly entries: BankEntries
  /** Everything up to here is in the entries. */
  change: bigint
  /** Removals up to here were heard of. */
  heard: bigint
}

/**
 * Resolves when all banks are loaded. Afterwards what changed is put in picture by picture, and whoever looks meanwhile sees
 * some of it. Where the store has forgotten removals that were not heard of, all is read anew beside what is there.
 */
export async function followBanks(store: BankStore, telemetry: Telemetry, options: FollowOptions): Promise<LiveBanks> {
  const { snapshot, snapshotAfter = SNAPSHOT_AFTER, pollMs = POLL_MS } = options
  const { log, metrics } = telemetry
  const identity = await store.identity()
  let stopped = false
  let writing: Promise<void> | undefined
  /** Pictures that changed since the last snapshot. */
  let unsaved = 0

  /** Puts all that is new in; false when removals were missed, and what is held cannot be mended. */
  async function catchUp(held: Held): Promise<boolean> {
    while (!stopped) {
      const next = await store.changesSince(held.change, PAGE)
      if (held.change === 0n) held.heard = next.head
      // Another history: the store was replaced by an older copy of itself.
      if (next.head < held.change || next.floor > held.heard) return false
      for (const bank of next.banks) await inTurns(held.entries.putBankInSteps(bank))
      // One change may be ten thousand pictures.
      const putIn = (image: (typeof next.images)[number]) => {
        if ('removed' in image) held.entries.drop(image.imageId)
        else if (!held.entries.put(image))
          log.error({ imageId: image.imageId }, 'a picture of a bank has no hash that can be read')
      }
      await inTurns(inSteps(next.images, putIn))
      unsaved += next.images.length
      held.change = next.change
      if (held.heard < held.change) held.heard = held.change
      if (held.change >= next.head) break
    }
    return true
  }

  async function loadAnew(): Promise<Held> {
    for (;;) {
      const held: Held = { entries: createBankEntries({ filling: true }), change: 0n, heard: 0n }
      if (!(await catchUp(held))) continue
      await inTurns(held.entries.readyInSteps())
      return held
    }
  }

  /** What the snapshot and the changes since then come to, if the store says that it is the same. */
  async function fromSnapshot(file: SnapshotFile): Promise<Held | undefined> {
    const bytes = await file.read()
    if (bytes === undefined) return undefined
    const read = await inTurns(readSnapshot(bytes))
    if (read.identity !== identity) throw new Error('it is of another store')
    const held: Held = { entries: createBankEntries({ filling: true }), change: read.change, heard: read.change }
    for (const bank of read.banks) held.entries.putBank(bank)
    await inTurns(inSteps(read.images, (image) => held.entries.hold(image)))
    // Somebody may write between the two questions; who writes all the time is asked again.
    for (let tries = 0; tries < 10; tries++) {
      if (!(await catchUp(held))) throw new Error('the store has gone another way since then')
      const census = await store.census()
      if (census.change !== held.change) continue
      const { size, sum } = held.entries
      if (census.images !== size || census.sum !== sum) throw new Error('the store has other pictures')
      await inTurns(held.entries.readyInSteps())
      return held
    }
    throw new Error('the store changed too often to compare it')
  }

  async function load(): Promise<Held> {
    try {
      const held = snapshot === undefined ? undefined : await fromSnapshot(snapshot)
      if (held !== undefined) {
        unsaved = 0
        log.info({ images: held.entries.size, change: String(held.change) }, 'the banks were read from their snapshot')
        return held
      }
    } catch (error) {
      log.warn({ err: messageOf(error) }, 'the snapshot of the banks is not used: they are read from the store')
    }
    return await loadAnew()
  }

  function save(least: number): void {
    if (snapshot === undefined || unsaved < least || writing !== undefined) return
    unsaved = 0
    writing = inTurns(writeSnapshot(identity, held.change, held.entries))
      .then((bytes) => snapshot.write(bytes))
      .catch((error: unknown) => log.warn({ err: messageOf(error) }, 'the snapshot of the banks could not be written'))
      .finally(() => (writing = undefined))
  }

  function tell(): void {
    metrics.touchstone_index_change.set(Number(held.change))
    metrics.touchstone_quarantined_images.set(held.entries.quarantined + held.entries.quarantinedForSome)
    for (const [kind, size] of Object.entries(held.entries.sizes()))
      metrics.touchstone_index_entries.set({ kind }, size)
  }

  let held = await load()
  tell()
  save(snapshotAfter)
  const loop = createLoop('banks', log, async () => {
    const before = held.change
    if (!(await catchUp(held))) {
      log.warn('the store no longer has the changes since the banks were read: they are read anew')
      held = await loadAnew()
    }
    if (held.change !== before) {
      tell()
      save(snapshotAfter)
    }
    return pollMs
  })
  const unlisten = await store.onChange(() => loop.nudge())

  const index: BankIndex = {
    get size() {
      return held.entries.size
    },
    get against() {
      return accusingIn(held.entries)
    },
    get change() {
      return held.change
    },
    match: (picture, marketplace) => held.entries.match(picture, marketplace),
  }
  return {
    current: () => index,
    loop,
    async stop() {
      stopped = true
      await unlisten()
      await loop.stop()
      await writing
      save(snapshotAfter / 10)
      await writing
    },
  }
}
