// Hears that reference data changed: a hint that makes running workers look at once instead of at their next poll.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
const LAST_WORD_MS = 1_000

/**
 * Holds one connection that listens on `channel` and connects again whenever it breaks; calls `listener` for every
 * notification and after every reconnection, because something may have been missed. Resolves when it listens for the
 * first time, or when the first attempt failed and is being repeated. Returns the way to stop.
 */
export async function listen(
  connect: () => Client,
  channel: string,
  listener: () => void,
): Promise<() => Promise<void>> {
  const stop = new AbortController()
  let attempts = 0
  const once = async (listening: () => void): Promise<void> => {
    const client = connect()
    const over = Promise.withResolvers<void>()
    const end = (): void => over.resolve()
    client.once('end', end).on('error', end)
    stop.signal.addEventListener('abort', end)
    try {
      client.on('notification', () => listener())
      await client.connect()
      await client.query(`listen ${client.escapeIdentifier(channel)}`)
      if (attempts > 0) listener()
      attempts = 0
      listening()
      await over.promise
    } catch {
      // Not connected: the pause below, then once more. Polling covers the time in between.
    }
    stop.signal.removeEventListener('abort', end)
    // A server that is gone without a word never confirms the end.
    await Promise.race([client.end().catch(() => undefined), sleep(LAST_WORD_MS, undefined, { ref: false })])
  }
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const running = (async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await once(resolve)
      resolve()
      attempts += 1
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts, 6))
      await sleep(pause, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  })()
  await ready
  return async () => {
    stop.abort()
    await running
  }
}
