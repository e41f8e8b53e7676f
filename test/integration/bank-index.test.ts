// The banks in the memory of several processes that follow one real PostgreSQL; only the pictures are invented.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { followBanks, type FollowOptions, type LiveBanks } from '../../src/pipeline/bank-index.ts'
import type { SnapshotFile } from '../../src/pipeline/banks/snapshot.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { seen } from '../unit/pipeline/banks/samples.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

/** A file in memory, and what became of it. */
const inMemory = (): SnapshotFile & { bytes: Uint8Array | undefined } => ({
  bytes: undefined,
  async read() {
    return this.bytes
  },
  async write(bytes) {
    this.bytes = bytes
  },
})

describe('the live index of the banks', () => {
  let node: PostgresNode
  let store: BankStore
  let lines: string[]
  const following: LiveBanks[] = []
  const telemetry = () =>
    createTelemetry({ level: 'info', destination: { write: (line: string) => void lines.push(line) } })
  beforeEach(async () => {
    lines = []
    node = await freshNode()
    store = node.banks
    await store.upsertBank(bank('b'), 'ann', 'all')
  })
  afterEach(async () => {
    for (const one of following.splice(0)) await one.stop()
  })

  async function follow(options: Partial<FollowOptions> = {}, from = store, told = telemetry()): Promise<LiveBanks> {
    const live = await followBanks(from, told, options)
    following.push(live)
    return live
  }
  const add = async (name: string) => {
    const { added } = await store.addImages('b', [{ picture: picture(name), source: { kind: 'api' } }], 'ann', 'all')
    return added[0]?.imageId ?? ''
  }
  const matches = (live: LiveBanks, name: string) =>
    live.current().match(seen(Buffer.from(picture(name).hash, 'hex'))).length
  async function within(milliseconds: number, what: () => boolean): Promise<number> {
    const start = performance.now()
    while (!what()) {
      if (performance.now() - start > milliseconds) throw new Error(`not within ${milliseconds} ms`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return performance.now() - start
  }

  test('what is added, quarantined, let out and removed is live in every process in well under 2 s', async () => {
    const live = [await follow(), await follow()]
    const all = (name: string, count: number) => within(1_500, () => live.every((one) => matches(one, name) === count))
    const imageId = await add('x')
    await all('x', 1)
    await store.quarantine('b', imageId, 'ann', true, 'all')
    await all('x', 0)
    await store.quarantine('b', imageId, 'ann', false, 'all')
    await all('x', 1)
    await store.removeImage('b', imageId, 'ann', 'all')
    await all('x', 0)
    await store.upsertBank(bank('b', { kind: 'allowed' }), 'ann', 'all')
    await add('y')
    await within(
      1_500,
      () => live[0]?.current().match(seen(Buffer.from(picture('y').hash, 'hex')))[0]?.kind === 'allowed',
    )
  })

  test('without any notification polling finds it in time', async () => {
    const live = await follow({}, { ...store, onChange: () => Promise.resolve(() => Promise.resolve()) })
    await add('x')
    await within(1_500, () => matches(live, 'x') === 1)
  })

  test('metrics say how much is looked up, by kind, and up to which change', async () => {
    const told = telemetry()
    await store.upsertBank(bank('a', { kind: 'allowed' }), 'ann', 'all')
    await add('x')
    const imageId = await add('y')
    const live = await follow({}, store, told)
    await store.quarantine('b', imageId, 'ann', true, 'all')
    await within(1_500, () => live.current().size === 1)
    matches(live, 'x')
    const text = await told.registry.metrics()
    expect(text).toContain('touchstone_index_entries{kind="counterfeit"} 1\n')
    expect(text).toContain('touchstone_index_entries{kind="allowed"} 0\n')
    expect(text).toContain('touchstone_quarantined_images 1\n')
    expect(text).toContain(`touchstone_index_change ${live.current().change}\n`)
    // A look-up may be a dry run: who tries a real listing counts.
    expect(text).not.toContain('touchstone_bank_matches_total{')
    expect(live.current().change).toBe(await node.reference.change())
  })

  test('removals that were forgotten before they were heard of lead to reading all anew, beside what is there', async () => {
    const gone = await add('x')
    await add('y')
    let deaf = false
    const live = await follow(
      {},
      {
        ...store,
        changesSince: (...args) =>
          deaf ? Promise.reject(new Error('the network is away')) : store.changesSince(...args),
      },
    )
    deaf = true
    await store.removeImage('b', gone, 'ann', 'all')
    await store.purge(0, 100)
    await add('z')
    expect([matches(live, 'x'), matches(live, 'y')]).toEqual([1, 1])
    deaf = false
    await within(6_000, () => matches(live, 'x') === 0 && matches(live, 'y') === 1 && matches(live, 'z') === 1)
    expect(lines.join('')).toContain('read anew')
  })

  test('a snapshot saves the reading, and what changed since then is caught up', async () => {
    const snapshot = inMemory()
    for (const name of ['w', 'x', 'y']) await add(name)
    const first = await follow({ snapshot, snapshotAfter: 3 })
    await first.stop()
    expect(snapshot.bytes).toBeDefined()
    await store.removeImage(
      'b',
      (await store.images('b', { limit: 9 })).find((i) => i.sha256 === picture('x').sha256)?.imageId ?? '',
      'ann',
      'all',
    )
    await add('z')
    const asked: bigint[] = []
    const second = await follow(
      { snapshot, snapshotAfter: 3 },
      {
        ...store,
        changesSince(change, limit) {
          asked.push(change)
          return store.changesSince(change, limit)
        },
      },
    )
    expect(['w', 'x', 'y', 'z'].map((name) => matches(second, name))).toEqual([1, 0, 1, 1])
    expect(asked).not.toContain(0n)
    expect(lines.join('')).toContain('read from their snapshot')
  })

  test.each([
    ['damaged', (bytes: Uint8Array) => bytes.fill(7, 60, 70)],
    ['cut off', (bytes: Uint8Array) => bytes.subarray(0, 100)],
    ['empty', () => new Uint8Array()],
  ])('a snapshot that is %s is not used, and replaced by one that is', async (_what, harm) => {
    const snapshot = inMemory()
    for (const name of ['w', 'x', 'y']) await add(name)
    await (await follow({ snapshot, snapshotAfter: 3 })).stop()
    snapshot.bytes = harm(Uint8Array.from(snapshot.bytes ?? []))
    const live = await follow({ snapshot, snapshotAfter: 3 })
    expect(['w', 'x', 'y'].map((name) => matches(live, name))).toEqual([1, 1, 1])
    expect(lines.join('')).toContain('snapshot of the banks is not used')
    await live.stop()
    lines = []
    await follow({ snapshot, snapshotAfter: 3 })
    expect(lines.join('')).toContain('read from their snapshot')
  })

  test('a snapshot of another store, of a later history or of other pictures is not used', async () => {
    const snapshot = inMemory()
    const keep = await Promise.all(['w', 'x', 'y'].map(add))
    await (await follow({ snapshot, snapshotAfter: 3 })).stop()
    const sound = Uint8Array.from(snapshot.bytes ?? [])
    const query = (text: string) => node.database.reading.query(text)

    await query(`update store_identity set id = gen_random_uuid()`)
    await follow({ snapshot: { ...inMemory(), read: () => Promise.resolve(sound) } })
    expect(lines.join('')).toContain('another store')
    await (await follow({ snapshot, snapshotAfter: 1 })).stop()

    lines = []
    // As after a backup was restored: the same number, other pictures.
    await query(`delete from bank_image where image_id = '${keep[0] ?? ''}'`)
    const other = await follow({ snapshot })
    expect(lines.join('')).toContain('other pictures')
    expect(['w', 'x', 'y'].map((name) => matches(other, name))).toEqual([0, 1, 1])

    lines = []
    await query(`update reference_head set change = 1`)
    await query(`update bank_image set change = 1`)
    await follow({ snapshot })
    expect(lines.join('')).toContain('gone another way')
  })

  test('a file that cannot be written is told, and stops nothing', async () => {
    const live = await follow({
      snapshot: { ...inMemory(), write: () => Promise.reject(new Error('no space left')) },
      snapshotAfter: 1,
    })
    await add('x')
    await within(1_500, () => matches(live, 'x') === 1)
    await live.stop()
    expect(lines.join('')).toContain('no space left')
  })
})
