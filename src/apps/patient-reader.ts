// A reader for commands, which come back to no picture later: one that others kept from being read is read again, alone.
import { setTimeout as sleep } from 'node:timers/promises'
import { isPassing, type Picture } from '../imaging/picture.ts'
import type { PictureReader } from '../pipeline/pictures/ports.ts'

/** Threads that were ended for a slow picture start anew meanwhile, on a busy machine after some seconds. */
const PATIENCE_MS = 60_000
const AGAIN_MS = 100

/**
 * Reads as `reader` does. What is passing (`busy`, `timed-out`) is asked again while nothing else is read: then it is seen,
 * or at fault for good. What `until` says holds for all of it.
 */
export function patient<Reader extends PictureReader & { close(): Promise<void> }>(reader: Reader): Reader {
  let running = 0
  let closed = false
  /** The last of those that are read alone, one after the other. */
  let alone: Promise<unknown> | undefined
  const told: (() => void)[] = []

  async function beside<T>(work: () => Promise<T>): Promise<T> {
    while (alone !== undefined) await alone
    running += 1
    try {
      return await work()
    } finally {
      running -= 1
      if (running === 0) for (const tell of told.splice(0)) tell()
    }
  }

  function byItself<T>(work: () => Promise<T>): Promise<T> {
    const before = alone
    const mine: Promise<T> = (async () => {
      await before
      if (running > 0) await new Promise<void>((resolve) => told.push(resolve))
      return await work()
    })()
    alone = mine
    const over = () => {
      if (alone === mine) alone = undefined
    }
    return mine.finally(over)
  }

  async function readAgain(first: Picture, bytes: Uint8Array, sha256: string, limit: AbortSignal): Promise<Picture> {
    const until = AbortSignal.any([limit, AbortSignal.timeout(PATIENCE_MS)])
    let picture = first
    while (isPassing(picture) && !until.aborted && !closed) {
      picture = await reader.read(bytes, sha256, until)
      if (isPassing(picture)) await sleep(AGAIN_MS)
    }
    return picture
  }

  return {
    ...reader,
    async read(bytes, sha256, until) {
      const picture = await beside(() => reader.read(bytes, sha256, until))
      const isAskedAgain = isPassing(picture) && !closed && !until.aborted
      return isAskedAgain ? await byItself(() => readAgain(picture, bytes, sha256, until)) : picture
    },
    async keep(bytes, sha256, size) {
      const kept = await beside(() => reader.keep(bytes, sha256, size))
      return kept ?? (closed ? undefined : await byItself(() => reader.keep(bytes, sha256, size)))
    },
    async close() {
      closed = true
      await reader.close()
    },
  }
}
