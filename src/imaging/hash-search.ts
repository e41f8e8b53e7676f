// What one question of the index has found so far: of all within a distance the nearest, as many as are wanted.

export interface Near {
  readonly id: number
  /** Bits of 256. */
  readonly distance: number
}

export interface Search {
  /** Who is further away need not be found any more: as many as are wanted are within it. */
  readonly most: number
  /** Each entry once. */
  found(id: number, distance: number): void
  /** Nearest first, then by id. */
  nearest(): Near[]
}

/** Matches are sorted as numbers: the distance, then the entry. */
const KEY = 2 ** 32

export function createSearch(distance: number, limit: number): Search {
  const keys: number[] = []
  /** Of those that count, by distance. */
  const counts = new Uint32Array(distance + 1)
  let most = distance
  let counted = 0
  return {
    get most() {
      return most
    },
    found(id, bits) {
      if (bits > most) return
      keys.push(bits * KEY + id)
      counts[bits] = (counts[bits] ?? 0) + 1
      counted++
      // Those just as far as the last one that is wanted stay: of them the first by id are.
      while (most > 0 && counted - (counts[most] ?? 0) >= limit) counted -= counts[most--] ?? 0
    },
    nearest() {
      // Sorting all of a hundred thousand for the nearest ten would take longer than finding them.
      const sorted = Float64Array.from(keys.filter((key) => key < (most + 1) * KEY)).sort()
      return Array.from(sorted.subarray(0, Math.min(limit, sorted.length)), (key) => ({
        id: key % KEY,
        distance: Math.floor(key / KEY),
      }))
    },
  }
}
