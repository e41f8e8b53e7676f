// Long work in small steps: between them leases are renewed, requests answered, and whatever else the event loop has to do.
import { setImmediate } from 'node:timers/promises'

/** Well below what a request notices; the pieces that a step is made of may add some milliseconds. */
const TURN_MS = 8

/** Runs until it is done; it is begun at once. Each step should take less than a millisecond. Rejects with what a step throws. */
export async function inTurns<T>(steps: Iterator<void, T>): Promise<T> {
  for (;;) {
    const until = performance.now() + TURN_MS
    do {
      const step = steps.next()
      if (step.done === true) return step.value
    } while (performance.now() < until)
    await setImmediate()
  }
}

/** Hands out one after the other, in steps of so many. */
export function* inSteps<T>(all: Iterable<T>, each: (one: T) => void, size = STEP): Generator<void, void> {
  let left = size
  for (const one of all) {
    each(one)
    if (--left > 0) continue
    left = size
    yield
  }
}

/** Of some microseconds each: asking for the time costs nothing beside them. */
const STEP = 64
