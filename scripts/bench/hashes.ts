// Hashes that the measurements fill an index with: even bits, the same ones in every run.

/** xorshift128+ would do as well: only that the bits are even and the same in every run. */
let state = 0x9e37_79b9
/** A whole number from 0 to 2^32 - 1. */
export function random(): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return state >>> 0
}

/** Fills 32 bytes and returns them. */
export function fillRandom(hash: Uint8Array): Uint8Array {
  for (let at = 0; at < 32; at += 4) {
    const bits = random()
    hash[at] = bits
    hash[at + 1] = bits >>> 8
    hash[at + 2] = bits >>> 16
    hash[at + 3] = bits >>> 24
  }
  return hash
}

/** Changes so many bits, or fewer where one is met twice, and returns it. */
export function flip(hash: Uint8Array, bits: number): Uint8Array {
  for (let n = 0; n < bits; n++) {
    const bit = random() & 255
    hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  }
  return hash
}
