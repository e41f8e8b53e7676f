// What the threads have in hand, written down beside the process: what it was when the process died is told to the next one.
import { closeSync, existsSync, lstatSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../errors.ts'
import type { Logger } from '../../telemetry.ts'
import type { UnseenPicture } from './messages.ts'
import { openSuspects } from './suspects.ts'

interface Named {
  readonly sha256: string
}

export interface InHand {
  /** What is said of a picture that ended the process again and again; undefined: it is read. */
  refused(sha256: string): UnseenPicture | undefined
  /** A suspect may only while no other one is read: so another death names one of the old ones at most. */
  mayBegin(job: Named): boolean
  begins(thread: number, job: Named): void
  /** `answered`: it was read to its end, which acquits it. */
  ends(thread: number, answered: boolean): void
  /** When the threads are gone. */
  close(): void
}

/** Processes that share a directory; far fewer fit a machine. */
const MOST_PLACES = 256
/** The state, then the 32 bytes of the hash. */
const SLOT = 33
const FREE = 0
const READ = 1
const SUSPECTED = 2
const SQLITE_BUSY = 5

/**
 * One write into the page cache before a thread begins, one when it ends: that outlives the process, and need not outlive
 * the machine.
 *
 * @throws where the directory is not this user's alone, or cannot be written or locked.
 */
export function openInHand(directory: string, threads: number, logger: Logger): InHand {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const found = lstatSync(directory)
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
    throw new Error(`${directory} is not a directory of this user alone`)
  const suspects = openSuspects(directory, logger)
  const locks: DatabaseSync[] = []
  const closeAll = () => {
    for (const lock of locks) lock.close()
    suspects.close()
  }
  let slots: string
  let file: number
  try {
    slots = takePlace(directory, locks, (left) => suspects.accuse(inHandOf(left)))
    file = openSync(slots, 'w', 0o600)
    // Written and not only made longer: then there is room for it when the disk is full.
    writeSync(file, Buffer.alloc(threads * SLOT))
  } catch (error) {
    closeAll()
    throw error
  }
  const inHand = new Map<number, { readonly sha256: string; readonly state: number }>()
  let told = false

  /** Never throws: that something cannot be written down is no reason to read nothing. */
  function quietly<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!told) logger.warn({ err: messageOf(error) }, 'what picture threads have in hand cannot be written down')
      told = true
      return undefined
    }
  }
  const write = (thread: number, record: Uint8Array) =>
    quietly(() => writeSync(file, record, 0, record.length, (thread - 1) * SLOT))

  return {
    refused: (sha256) => quietly(() => suspects.refused(sha256)),
    mayBegin: ({ sha256 }) => !suspects.has(sha256) || [...inHand.values()].every(({ state }) => state !== SUSPECTED),
    begins(thread, { sha256 }) {
      const state = suspects.has(sha256) ? SUSPECTED : READ
      inHand.set(thread, { sha256, state })
      write(thread, Buffer.concat([Uint8Array.of(state), Buffer.from(sha256, 'hex')], SLOT))
    },
    ends(thread, answered) {
      const ended = inHand.get(thread)
      if (ended === undefined) return
      inHand.delete(thread)
      if (answered) quietly(() => suspects.acquit(ended.sha256))
      write(thread, Uint8Array.of(FREE))
    },
    close() {
      closeSync(file)
      rmSync(slots, { force: true })
      closeAll()
    },
  }
}

function inHandOf(slots: Buffer): Map<string, { suspected: boolean }> {
  const pictures = new Map<string, { suspected: boolean }>()
  for (let at = 0; at + SLOT <= slots.length; at += SLOT) {
    const state = slots[at]
    if (state !== READ && state !== SUSPECTED) continue
    const sha256 = slots.toString('hex', at + 1, at + SLOT)
    // Two threads may have had the same one: one reads it, one encodes it to be kept. It is one death.
    pictures.set(sha256, { suspected: state === SUSPECTED || pictures.get(sha256)?.suspected === true })
  }
  return pictures
}

/**
 * The first place that nobody living has; what is left in any such place is told. The operating system gives a lock back
 * however its process ends; numbers of processes would not do, for those of two containers may be the same.
 */
function takePlace(directory: string, locks: DatabaseSync[], tell: (left: Buffer) => void): string {
  let taken: string | undefined
  for (let n = 1; n <= MOST_PLACES; n++) {
    const path = join(directory, `${n}.lock`)
    if (taken !== undefined && !existsSync(path)) return taken
    const lock = lockOf(path)
    if (lock === undefined) continue
    locks.push(lock)
    const slots = join(directory, `${n}.slots`)
    if (existsSync(slots)) {
      tell(readFileSync(slots))
      rmSync(slots)
    }
    if (taken === undefined) taken = slots
    else locks.pop()?.close()
  }
  if (taken === undefined) throw new Error(`${directory} has no place left`)
  return taken
}

/** As the lock of the data directory does: an exclusive transaction of SQLite is a lock on its file. */
function lockOf(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined
    throw error
  }
}
