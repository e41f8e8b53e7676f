// Hashes drawn for tests of the index, the same in every run, and the plain comparison that the index is held against.
import type { Near } from '../../../src/imaging/hash-index.ts'

/** Numbers that look drawn at random and are the same in every run. */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

export const drawn = (next: () => number) => Uint8Array.from({ length: 32 }, () => next() & 255)

export function changed(hash: Uint8Array, bits: number, next: () => number): Uint8Array {
  const other = Uint8Array.from(hash)
  const done = new Set<number>()
  while (done.size < bits) {
    const bit = next() % 256
    if (done.has(bit)) continue
    done.add(bit)
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  }
  return other
}

const BITS = Uint8Array.from({ length: 0x1_0000 }, (_, n) => n.toString(2).replaceAll('0', '').length)

/** Bit by bit would take minutes for tens of thousands. */
export function apart(a: Uint8Array, b: Uint8Array): number {
  let bits = 0
  for (let at = 0; at < 32; at += 2) {
    bits += BITS[(((a[at] ?? 0) ^ (b[at] ?? 0)) << 8) | ((a[at + 1] ?? 0) ^ (b[at + 1] ?? 0))] ?? 0
  }
  return bits
}

export function byComparing(entries: ReadonlyMap<number, Uint8Array>, hash: Uint8Array, most: number): Near[] {
  const found: Near[] = []
  for (const [id, own] of entries) {
    const distance = apart(own, hash)
    if (distance <= most) found.push({ id, distance })
  }
  return found.toSorted((a, b) => a.distance - b.distance || a.id - b.id)
}
