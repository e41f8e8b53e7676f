// How many may be at something at once: the others wait in the order of their coming.

export interface Slots {
  /** Waits until so many are free together; each must be released. No more than there are. */
  take(count?: number): Promise<void>
  release(): void
}

export function createSlots(all: number): Slots {
  let free = all
  // A head instead of `shift`: a queue of thousands would be moved by every step.
  let waiting: { readonly count: number; readonly go: () => void }[] = []
  let head = 0
  return {
    take(count = 1) {
      if (head === waiting.length && free >= count) {
        free -= count
        return Promise.resolve()
      }
      return new Promise((go) => waiting.push({ count, go }))
    },
    release() {
      free += 1
      for (let next = waiting[head]; next !== undefined && free >= next.count; next = waiting[head]) {
        free -= next.count
        head += 1
        next.go()
      }
      if (head === waiting.length) {
        waiting = []
        head = 0
      }
    },
  }
}
