// The index of hashes: every entry within a distance of a picture's hash, exactly, while entries come and go.
import { BLOCK, SAMPLE_GROUP } from './hash-kernel.ts'
import { createPieces } from './hash-pieces.ts'
import { ALL, CHEAPEST_SCAN, choose, type Plan, type Shares } from './hash-plan.ts'
import { renew, type Renewal, type Shelf } from './hash-renewal.ts'
import { createHashStore, NOBODY } from './hash-store.ts'

const HASH_BYTES = 32

/** Bits; beyond it unrelated pictures begin to match, and no bank asks for more. */
const MOST_DISTANCE = 63

/** Matches are sorted as numbers: the distance, then the entry. */
const KEY = 2 ** 32

/** Of making tables, while somebody waits for matches: 8 are some 20 µs. */
const STEPS_PER_LOOK = 8

/** Groups of hashes that say, before all are compared, which of their words tell them apart; and for how many hashes each. */
const MOST_GROUPS = 32
const HASHES_PER_GROUP = 512

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

  const collect = (search: Search, count: number, seen?: Set<number>) => {
    const found = store.kernel.found()
    for (let at = 0; at < 2 * count; at += 2) {
      const id = store.idAt(found[at] ?? 0)
      if (id === NOBODY || seen?.has(id) === true) continue
      seen?.add(id)
      search.found(found[at + 1] ?? 0, id)
    }
  }
  const planFor = (from: number, to: number, distance: number, shares?: Shares): Plan => {
    const [hashes, units] = [to - from, distance + 1]
    const tables = shares?.cost(ALL, units) ?? Infinity
    const alone = (): Plan => ({ probes: shares?.probes(ALL, units) ?? [], scan: undefined, cost: tables })
    if (tables <= hashes * CHEAPEST_SCAN) return alone()
    const groups = Math.min(MOST_GROUPS, Math.ceil(hashes / HASHES_PER_GROUP))
    const step = Math.floor(hashes / groups / SAMPLE_GROUP) * SAMPLE_GROUP
    const plan = choose(hashes, distance, store.kernel.sample(from, step, groups), groups, shares)
    return plan.cost < tables ? plan : alone()
  }
  const find = (search: Search, from: number, to: number, { probes, scan }: Plan) => {
    const { kernel } = store
    const seen = probes.length > 0 ? new Set<number>() : undefined
    // What tables do not list differs in so many bits outside the words of the scan.
    const elsewhere = scan === undefined || scan === 'compare' ? 0 : search.most - scan.bits
    if (seen !== undefined) {
      pieces.list(search.hash, probes, kernel.list(), (listed) =>
        collect(search, kernel.verify(listed, search.most), seen),
      )
    }
    if (scan === undefined) return
    for (let block = from / BLOCK; block * BLOCK < to && search.most >= elsewhere; block++) {
      const count = Math.min(BLOCK, to - block * BLOCK)
      const found =
        scan === 'compare'
          ? kernel.compare(block, count, search.most)
          : kernel.scan(block, count, scan.way, search.most - elsewhere, search.most)
      if (found > 0) collect(search, found, seen)
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
      const search = createSearch(hash, distance, limit)
      const shares = pieces.shares(hash, distance)
      const [{ covered }, { used }] = [pieces, store]
      if (covered > 0) find(search, 0, covered, planFor(0, covered, distance, shares))
      if (covered < used) find(search, covered, used, planFor(covered, used, search.most))
      return search.nearest()
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

interface Search {
  readonly hash: Uint8Array
  /** Who is further away is not looked for any more: as many as are wanted are within it. */
  readonly most: number
  found(distance: number, id: number): void
  nearest(): Near[]
}

function createSearch(hash: Uint8Array, distance: number, limit: number): Search {
  const keys: number[] = []
  const counts = new Uint32Array(distance + 1)
  let most = distance
  let within = 0
  return {
    hash,
    get most() {
      return most
    },
    found(distance, id) {
      if (distance > most) return
      keys.push(distance * KEY + id)
      counts[distance] = (counts[distance] ?? 0) + 1
      within++
      // Those that are just as far stay: of them the first by id count.
      while (most > 0 && within - (counts[most] ?? 0) >= limit) within -= counts[most--] ?? 0
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
