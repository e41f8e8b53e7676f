// Long work of many requests takes turns: between two of them the event loop looks at everything else.

export interface Turns {
  /** Resolves when it is the caller's turn: one caller for each pass of the event loop, first come first served. */
  next(): Promise<void>
}

/**
 * A `setImmediate` for each request would not do: all that are due run in one pass of the loop, so that sixty requests
 * would hold everyone else up sixty times as long as one.
 */
export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve()
  return {
    next() {
      last = last.then(() => new Promise((resolve) => setImmediate(resolve)))
      return last
    },
  }
}
