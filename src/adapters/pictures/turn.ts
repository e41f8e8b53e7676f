// Heavy pictures are decoded one at a time, however many threads there are: a few bombs at once must not add up.

/** Up to here pictures are decoded side by side: twelve megapixels of AVIF, thirty of PNG. */
const HEAVY_BYTES = 256 << 20

/**
 * Waits, blocking this thread, until no other decodes a heavy picture; undefined when that took longer than `timeMs`.
 * The main thread gives back the turn of a thread that died (`releaseTurn`).
 */
export function takeTurn(
  heavy: Int32Array,
  thread: number,
  memory: number,
  timeMs: number,
): { release(): void } | undefined {
  if (memory <= HEAVY_BYTES) return { release: () => undefined }
  const until = performance.now() + timeMs
  for (;;) {
    const holder = Atomics.compareExchange(heavy, 0, 0, thread)
    if (holder === 0) return { release: () => releaseTurn(heavy, thread) }
    const left = until - performance.now()
    if (left <= 0 || Atomics.wait(heavy, 0, holder, left) === 'timed-out') return undefined
  }
}

/** Does nothing where that thread does not have the turn. */
export function releaseTurn(heavy: Int32Array, thread: number): void {
  if (Atomics.compareExchange(heavy, 0, thread, 0) === thread) Atomics.notify(heavy, 0)
}
