// An exact index of hashes that looks at every one, until the faster one is there.
import { distance } from '../imaging/pdq.ts'
import type { HashIndex } from '../pipeline/banks/entries.ts'

export function createHashIndex(): HashIndex {
  const hashes = new Map<number, Uint8Array>()
  return {
    get size() {
      return hashes.size
    },
    add: (id, hash) => void hashes.set(id, hash),
    remove: (id) => hashes.delete(id),
    within: (hash, within, limit = Infinity) =>
      [...hashes]
        .map(([id, other]) => ({ id, distance: distance(hash, other) }))
        .filter((one) => one.distance <= within)
        .sort((a, b) => a.distance - b.distance)
        .slice(0, limit),
  }
}
