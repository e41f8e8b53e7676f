// The memory of pictures that are still on their way: bounded over all of them, at the cost of the largest.
export interface HeldBytes {
  /** Of one picture; `end` is called when it must give way to the others. */
  open(end: () => void): Holding
  readonly total: number
}

export interface Holding {
  add(bytes: number): void
  close(): void
}

/**
 * The largest gives way, not the latest: who sends large pictures slowly over many connections would otherwise shut out
 * everybody's small ones.
 */
export function createHeldBytes(limit: number): HeldBytes {
  const holdings = new Map<object, { bytes: number; end: () => void }>()
  let total = 0
  return {
    get total() {
      return total
    },
    open(end) {
      const key = {}
      const held = { bytes: 0, end }
      holdings.set(key, held)
      const close = (which: object) => {
        total -= holdings.get(which)?.bytes ?? 0
        holdings.delete(which)
      }
      return {
        add(bytes) {
          if (!holdings.has(key)) return
          held.bytes += bytes
          total += bytes
          while (total > limit) {
            const [largest, { end }] = [...holdings].reduce((a, b) => (b[1].bytes > a[1].bytes ? b : a))
            close(largest)
            end()
          }
        },
        close: () => close(key),
      }
    },
  }
}
