// The index of hashes: every entry within a distance of a picture's hash, exactly, while entries come and go.
import { BLOCK } from './hash-kernel.ts'
import { createPieces } from './hash-pieces.ts'
import { renew, type Renewal, type Shelf } from './hash-renewal.ts'
import { createHashStore, NOBODY } from './hash-store.ts'

const HASH_BYTES = 32

/** Bits; beyond it unrelated pictures begin to match, and no bank asks for more. */
const MOST_DISTANCE = 63

/** Matches are sorted as numbers: the distance, then the entry. */
const KEY = 2 ** 32

/** Of making tables, while somebody waits for matches: 8 are some 20 µs. */
const STEPS_PER_LOOK = 8

/** Hashes that say, before all are compared, which two of their four words tell them apart best. */
const SAMPLE = 512

/** Of the sample, as measured: up to here few get past two words; from there on comparing all four at once is quicker. */
const FEW = SAMPLE / 64
const MOST = SAMPLE / 2

export interface Near {
  readonly id: number
  /** Bits of 256. */
  readonly distance: number
}

export interface HashIndex {
  readonly size: number
  /** In memory. */
  readonly bytes: number
  /**
   * `hash`: 32 bytes. `id`: 0 to 4,294,967,294, best numbered one after the other (each 4,096 in use take 16 kB); one that
   * is there gets the new hash. Throws RangeError for others. Takes microseconds: tables are made little by little.
   */
  add(id: number, hash: Uint8Array): void
  /** False when there is no such entry. Takes microseconds too: places of removed ones are left behind little by little. */
  remove(id: number): boolean
  /**
   * Every entry within 0 to 63 bits, nearest first, then by id; at most `limit`. Exact: what it leaves out is beyond the
   * distance, or behind `limit` others. Throws RangeError for other distances.
   */
  within(hash: Uint8Array, distance: number, limit?: number): readonly Near[]
}

/** @param expected entries for which room is made at once */
export function createHashIndex(expected = 0): HashIndex {
  const store = createHashStore(expected)
  return indexOn({ store, pieces: createPieces(store) })
}

export interface HashFilling {
  /** Each id once. Throws RangeError as `add` does. */
  put(id: number, hash: Uint8Array): void
  /** The index when its last step is done; a step takes some microseconds. Nothing is put any more from the first on. */
  ready(): Generator<void, HashIndex>
}

/** For many at once: a tenth of what adding them one by one takes, because tables are made when all are there. */
export function fillHashIndex(): HashFilling {
  const store = createHashStore()
  return {
    put(id, hash) {
      checkEntry(id, hash)
      store.put(id, hash)
    },
    *ready() {
      const pieces = createPieces(store)
      while (pieces.step()) yield
      return indexOn({ store, pieces })
    },
  }
}

function indexOn(first: Shelf): HashIndex {
  let { store, pieces } = first
  let renewal: Renewal | undefined
  /** A bounded piece of work on what is behind; false when there is none. */
  const step = (): boolean => {
    if (renewal === undefined) return pieces.step()
    const renewed = renewal.step()
    if (renewed === undefined) return true
    ;({ store, pieces } = renewed)
    renewal = undefined
    return false
  }

  const collect = (keys: number[], count: number, seen?: Set<number>) => {
    const found = store.kernel.found()
    for (let at = 0; at < 2 * count; at += 2) {
      const id = store.idAt(found[at] ?? 0)
      if (id === NOBODY || seen?.has(id) === true) continue
      seen?.add(id)
      keys.push((found[at + 1] ?? 0) * KEY + id)
    }
  }
  const fromTables = (keys: number[], hash: Uint8Array, distance: number): boolean => {
    const { kernel } = store
    const seen = new Set<number>()
    return pieces.candidates(hash, distance, kernel.list(), (listed) =>
      collect(keys, kernel.verify(listed, distance), seen),
    )
  }
  const byComparing = (keys: number[], from: number, distance: number) => {
    const { kernel, used } = store
    if (from >= used) return
    const step = Math.max(1, Math.floor((used - from) / SAMPLE))
    const sampled = Math.min(SAMPLE, used - from)
    const passed = kernel.sample(from, step, sampled, distance)
    // Halves lie together: another pair of words reads twice the memory, so it must be much better.
    const together = Math.min(passed[0] ?? 0, passed[1] ?? 0)
    const least = Math.min(...passed)
    const pass = (least + FEW < together ? least : together) * (SAMPLE / sampled)
    const pair = passed.indexOf(least + FEW < together ? least : together)
    for (let block = from / BLOCK; block * BLOCK < used; block++) {
      const count = Math.min(BLOCK, used - block * BLOCK)
      const found =
        pass > MOST ? kernel.compare(block, count, distance) : kernel.scan(block, count, pair, pass > FEW, distance)
      if (found > 0) collect(keys, found)
    }
  }

  return {
    get size() {
      return store.live
    },
    get bytes() {
      return store.bytes + pieces.bytes + (renewal?.bytes ?? 0)
    },
    add(id, hash) {
      checkEntry(id, hash)
      if (store.drop(id)) renewal?.dropped(id)
      store.put(id, hash)
      step()
    },
    remove(id) {
      if (!store.drop(id)) return false
      renewal?.dropped(id)
      const dead = store.used - store.live
      // Half of it empty: moving costs a removal some microseconds, and memory stays in proportion.
      if (dead > BLOCK && dead > store.live) renewal ??= renew(store)
      step()
      return true
    },
    within(hash, distance, limit = Infinity) {
      checkHash(hash)
      if (!Number.isInteger(distance) || distance < 0 || distance > MOST_DISTANCE)
        throw new RangeError(`A distance is 0 to ${MOST_DISTANCE} bits, not ${distance}`)
      for (let n = 0; n < STEPS_PER_LOOK && step(); n++);
      store.kernel.setQuery(hash)
      const keys: number[] = []
      byComparing(keys, fromTables(keys, hash, distance) ? pieces.covered : 0, distance)
      return nearest(keys, limit)
    },
  }
}

function checkEntry(id: number, hash: Uint8Array): void {
  if (!Number.isInteger(id) || id < 0 || id >= NOBODY) throw new RangeError(`Not the number of an entry: ${id}`)
  checkHash(hash)
}

function checkHash(hash: Uint8Array): void {
  if (hash.length !== HASH_BYTES) throw new RangeError(`A hash has ${HASH_BYTES} bytes, not ${hash.length}`)
}

function nearest(keys: readonly number[], limit: number): Near[] {
  let kept = keys
  if (keys.length > limit) {
    const counts = new Uint32Array(MOST_DISTANCE + 1)
    for (const key of keys) counts[Math.floor(key / KEY)] = (counts[Math.floor(key / KEY)] ?? 0) + 1
    let last = 0
    for (let sum = counts[0] ?? 0; sum < limit; sum += counts[last] ?? 0) last++
    // Sorting all of a hundred thousand for the nearest ten would take longer than finding them.
    kept = keys.filter((key) => key < (last + 1) * KEY)
  }
  const sorted = Float64Array.from(kept).sort()
  return Array.from(sorted.subarray(0, Math.min(limit, sorted.length)), (key) => ({
    id: key % KEY,
    distance: Math.floor(key / KEY),
  }))
}
