// How many may be at something at once: the others wait in the order of their coming.

export interface Slots {
  /** Waits until one is free; it must be released. */
  take(): Promise<void>
  release(): void
}

export function createSlots(all: number): Slots {
  let free = all
  // A head instead of `shift`: a queue of thousands would be moved by every step.
  let waiting: (() => void)[] = []
  let head = 0
  return {
    take() {
      if (free === 0) return new Promise((go) => waiting.push(go))
      free -= 1
      return Promise.resolve()
    },
    release() {
      const next = waiting[head]
      if (next === undefined) free += 1
      else {
        head += 1
        next()
      }
      if (head === waiting.length) {
        waiting = []
        head = 0
      }
    },
  }
}
