// Bytes of pictures that were seen lately, by their hash: what is kept is what was judged, and its host is not asked again.

export interface Lately {
  put(sha256: string, bytes: Uint8Array): void
  get(sha256: string): Uint8Array | undefined
}

/** At most so many bytes; what was put longest ago goes first. One that is larger than all of it is not held. */
export function createLately(most: number): Lately {
  const held = new Map<string, Uint8Array>()
  let bytes = 0
  const drop = (sha256: string): void => {
    bytes -= held.get(sha256)?.length ?? 0
    held.delete(sha256)
  }
  return {
    put(sha256, one) {
      drop(sha256)
      if (one.length > most) return
      held.set(sha256, one)
      bytes += one.length
      for (const [oldest] of held) {
        if (bytes <= most) break
        drop(oldest)
      }
    },
    get: (sha256) => held.get(sha256),
  }
}
