// The index of hashes: every entry within a distance of a picture's hash, exactly, while entries come and go.
import { BLOCK, SAMPLE_GROUP } from './hash-kernel.ts'
import { createPieces } from './hash-pieces.ts'
import { cheapestScan, leastScan, type Scan, type Shares } from './hash-plan.ts'
import { renew, type Renewal, type Shelf } from './hash-renewal.ts'
import { createSearch, type Near, type Search } from './hash-search.ts'
import { createHashStore, NOBODY } from './hash-store.ts'

const HASH_BYTES = 32

/** Bits; beyond it unrelated pictures begin to match, and no bank asks for more. */
const MOST_DISTANCE = 63

/** Of making tables, while somebody waits for matches: 8 are some 20 µs. */
const STEPS_PER_LOOK = 8

/** Groups of hashes that say, before all are compared, which of their words tell them apart; and for how many hashes each. */
const MOST_GROUPS = 32
const HASHES_PER_GROUP = 512

export type { Near }

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
      search.found(id, found[at + 1] ?? 0)
    }
  }
  const lookUp = (search: Search, hash: Uint8Array, shares: Shares) => {
    const { kernel } = store
    const seen = new Set<number>()
    pieces.list(hash, shares.probes(), kernel.list(), (listed) =>
      collect(search, kernel.verify(listed, search.most), seen),
    )
  }
  /** The cheapest scan of these slots for a distance, as a sample of them says. */
  const sampled = (from: number, to: number): ((distance: number) => Scan) => {
    const groups = Math.min(MOST_GROUPS, Math.ceil((to - from) / HASHES_PER_GROUP))
    const step = Math.floor((to - from) / groups / SAMPLE_GROUP) * SAMPLE_GROUP
    const sample = store.kernel.sample(from, step, groups)
    return (distance) => cheapestScan(to - from, distance, sample, groups * SAMPLE_GROUP)
  }
  const compareAll = (search: Search, from: number, to: number, scanFor: (distance: number) => Scan) => {
    let { most } = search
    let { way } = scanFor(most)
    for (let block = from / BLOCK; block * BLOCK < to; block++) {
      // Where enough were found, only nearer ones are looked for: of these fewer get past.
      if (search.most < most) ({ way } = scanFor((most = search.most)))
      const count = Math.min(BLOCK, to - block * BLOCK)
      const { kernel } = store
      const found = way === undefined ? kernel.compare(block, count, most) : kernel.scan(block, count, way, most)
      if (found > 0) collect(search, found)
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
      const search = createSearch(distance, limit)
      const { covered } = pieces
      const shares = pieces.shares(hash, distance)
      if (shares !== undefined) {
        const scanFor = shares.cost < leastScan(covered) ? undefined : sampled(0, covered)
        if (scanFor === undefined || scanFor(distance).cost > shares.cost) lookUp(search, hash, shares)
        else compareAll(search, 0, covered, scanFor)
      }
      if (covered < store.used) compareAll(search, covered, store.used, sampled(covered, store.used))
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
