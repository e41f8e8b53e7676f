// Tells readers that something is new before they would look by themselves; every hint may be lost without harm.
import { randomUUID } from 'node:crypto'
import type { PoolClient } from 'pg'
import { createPauses, isTransient, rest, type Pools } from './connection.ts'

/** `records`: the topic has new records; `members`: somebody joined, left or gave a partition back. */
export type Hint = 'records' | 'members'

export interface Hints {
  /** To subscriptions of this process at once, to other processes soon. Call it after the commit. */
  send(hint: Hint, topicId: number): void
  /** Returns the way to stop. */
  on(hint: Hint, topicId: number, listener: () => void): () => void
  end(): Promise<void>
}

const CHANNEL = 'touchstone_log'
// NOTIFY takes a lock that all of the database's committers share: at most one message in so many milliseconds.
const SEND_EVERY_MS = 20

export function createHints(pools: Pools, onError: (error: Error) => void): Hints {
  const me = randomUUID().slice(0, 8)
  const listeners = new Map<string, Set<() => void>>()
  const unsent = new Set<string>()
  const ended = new AbortController()
  const end = new Promise<void>((resolve) => ended.signal.addEventListener('abort', () => resolve(), { once: true }))
  let sending: Promise<void> | undefined
  let listening: Promise<void> | undefined

  const wake = (name: string): void => {
    for (const listener of listeners.get(name) ?? []) listener()
  }

  async function sendAll(): Promise<void> {
    while (unsent.size > 0) {
      const payload = `${me} ${[...unsent].join(' ')}`
      unsent.clear()
      try {
        await pools.hint.query('select pg_notify($1, $2)', [CHANNEL, payload])
      } catch (error) {
        // Polling finds it anyway.
        if (!isTransient(error)) onError(error instanceof Error ? error : new Error(String(error)))
      }
      await rest(SEND_EVERY_MS, ended.signal)
    }
    sending = undefined
  }

  async function listen(): Promise<void> {
    const pauses = createPauses()
    while (!ended.signal.aborted) {
      let client: PoolClient | undefined
      try {
        client = await pools.hint.connect()
        const broken = new Promise<void>((resolve) => {
          client?.once('error', () => resolve())
          client?.once('end', () => resolve())
        })
        client.on('notification', ({ payload = '' }) => {
          const [from, ...names] = payload.split(' ')
          if (from !== me) names.forEach(wake)
        })
        await client.query(`listen ${CHANNEL}`)
        pauses.reset()
        // What was sent while nobody listened is gone: let everyone look.
        for (const name of listeners.keys()) wake(name)
        await Promise.race([broken, end])
      } catch (error) {
        if (!isTransient(error)) onError(error instanceof Error ? error : new Error(String(error)))
      }
      client?.removeAllListeners('notification')
      client?.release(true)
      await pauses.wait(ended.signal)
    }
  }

  return {
    send(hint, topicId) {
      const name = `${hint}:${topicId}`
      wake(name)
      if (ended.signal.aborted) return
      unsent.add(name)
      sending ??= sendAll()
    },
    on(hint, topicId, listener) {
      const name = `${hint}:${topicId}`
      const set = listeners.get(name) ?? new Set()
      listeners.set(name, set.add(listener))
      listening ??= listen()
      return () => {
        set.delete(listener)
        if (set.size === 0) listeners.delete(name)
      }
    },
    async end() {
      ended.abort()
      await Promise.all([sending, listening])
    },
  }
}
