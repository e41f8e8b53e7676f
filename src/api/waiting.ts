// Requests that wait for a decision or the next entry of the feed: all of them share one poll loop.

/** The longest between two looks; NOTIFY and the like are hints, this is the truth. */
const POLL_MS = 100
/** Looks at once: a thousand waiting requests must not take every connection of the store. */
const LOOKS = 8

interface Waiter {
  readonly deadline: number
  /** Looks once and settles the waiter when there is something; true when it is settled. */
  readonly look: () => Promise<boolean>
  readonly end: () => void
}

export interface WaitingRoom {
  /**
   * What `look` finds, looking at once and then at every hint and every 100 ms; undefined when the time is over, the
   * caller is gone or the room closes. Rejects with what `look` throws.
   */
  until<T>(look: () => Promise<T | undefined>, milliseconds: number, gone: AbortSignal): Promise<T | undefined>
  /** Rises with every round of looks. */
  round(): number
  /** Something may have happened: look now. */
  nudge(): void
  /** Ends every wait at once, and those to come after one look. */
  close(): void
}

export function createWaitingRoom(): WaitingRoom {
  const waiters = new Set<Waiter>()
  let running = false
  let closed = false
  let nudged = false
  let rounds = 0
  let wake: (() => void) | undefined

  async function pass(): Promise<void> {
    const queue = [...waiters]
    const worker = async () => {
      for (let waiter = queue.pop(); waiter !== undefined; waiter = queue.pop()) {
        if (!waiters.has(waiter)) continue
        if (!(await waiter.look()) && Date.now() >= waiter.deadline) waiter.end()
      }
    }
    await Promise.all(Array.from({ length: Math.min(LOOKS, queue.length) }, worker))
  }

  async function run(): Promise<void> {
    while (waiters.size > 0) {
      nudged = false
      rounds += 1
      await pass()
      if (nudged || waiters.size === 0) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      wake = undefined
    }
    running = false
  }

  async function until<T>(
    look: () => Promise<T | undefined>,
    milliseconds: number,
    gone: AbortSignal,
  ): Promise<T | undefined> {
    const first = await look()
    if (first !== undefined || milliseconds <= 0 || closed || gone.aborted) return first
    return new Promise<T | undefined>((resolve, reject) => {
      const settle = (then: () => void) => {
        waiters.delete(waiter)
        gone.removeEventListener('abort', end)
        then()
      }
      const end = () => settle(() => resolve(undefined))
      const waiter: Waiter = {
        deadline: Date.now() + milliseconds,
        end,
        look: async () => {
          try {
            const found = await look()
            if (found !== undefined) settle(() => resolve(found))
            return found !== undefined
          } catch (thrown) {
            settle(() => reject(thrown instanceof Error ? thrown : new Error(String(thrown))))
            return true
          }
        },
      }
      gone.addEventListener('abort', end, { once: true })
      waiters.add(waiter)
      if (running) return
      running = true
      // `run` cannot reject: every look settles its own waiter.
      void run()
    })
  }

  return {
    until,
    round: () => rounds,
    nudge: () => {
      nudged = true
      wake?.()
    },
    close: () => {
      closed = true
      for (const waiter of waiters) waiter.end()
      wake?.()
    },
  }
}
