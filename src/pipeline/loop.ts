// A background duty: does one round, naps as long as the round says or until nudged, and outlives a dead database.
import { messageOf, TouchstoneError } from '../errors.ts'
import type { Logger } from '../telemetry.ts'

export interface Loop {
  /** Milliseconds since the last round that ended well. */
  idleMs(): number
  /** What the last round failed with, where it is in the catalogue of errors: it has a cure. */
  trouble(): TouchstoneError | undefined
  /** There may be work: do not sleep on. */
  nudge(): void
  /** Ends after the round in hand. */
  stop(): Promise<void>
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

/**
 * `round` resolves with the milliseconds to nap. When it rejects the loop waits with growing, jittered pauses and tries
 * again: every round is one transaction of the store, so a round that failed has done nothing.
 */
export function createLoop(name: string, log: Logger, round: () => Promise<number>): Loop {
  let stopped = false
  let wake: (() => void) | undefined
  let nudged = false
  let last = performance.now()
  let trouble: TouchstoneError | undefined

  const nap = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      if (nudged || stopped || milliseconds <= 0) {
        nudged = false
        // Even without a nap, the event loop gets its turn.
        setImmediate(resolve)
        return
      }
      const timer = setTimeout(finish, milliseconds)
      function finish() {
        clearTimeout(timer)
        wake = undefined
        nudged = false
        resolve()
      }
      wake = finish
    })

  const run = async () => {
    let failures = 0
    let told: string | undefined
    while (!stopped) {
      let pause: number
      try {
        pause = await round()
        if (failures > 0) log.info({ loop: name }, 'recovered')
        failures = 0
        told = undefined
        trouble = undefined
        last = performance.now()
      } catch (error) {
        failures += 1
        trouble = error instanceof TouchstoneError ? error : undefined
        const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10))
        pause = ceiling / 2 + Math.random() * (ceiling / 2)
        const err = messageOf(error)
        // Whoever is nudged often fails often: one line for each doubling, and for each new reason.
        const isNews = err !== told || Number.isInteger(Math.log2(failures))
        told = err
        log[isNews ? 'warn' : 'debug']({ loop: name, err, failures }, 'round failed, trying again')
      }
      await nap(pause)
    }
  }
  const finished = run()
  return {
    idleMs: () => performance.now() - last,
    trouble: () => trouble,
    nudge() {
      nudged = true
      wake?.()
    },
    async stop() {
      stopped = true
      wake?.()
      await finished
    },
  }
}
