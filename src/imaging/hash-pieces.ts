// Multi-index hashing: for each sixteen bits of a hash a table of who has them, so that near ones are found without comparing all.
import { BLOCK } from './hash-kernel.ts'
import type { HashStore } from './hash-store.ts'

const PIECES = 16
const VALUES = 0x1_0000

/** All ways to change none, one or two of sixteen bits, fewer first; how many there are with at most so many. */
const CHANGES = changes()
const WITHIN = [1, 17, 137] as const

interface Table {
  /** Where each value's slots begin, and the end. */
  readonly starts: Uint32Array
  readonly slots: Uint32Array
  readonly upTo: number
}

/** One value of one piece, and how many of its bits may differ. */
interface Probe {
  readonly piece: number
  readonly radius: number
}

export interface Pieces {
  /** Slots before this one, the first of a block, are in the tables; the rest must be compared. */
  readonly covered: number
  readonly bytes: number
  /** A bounded piece of work (some microseconds) on tables that are behind; false when there is none to do. */
  step(): boolean
  /**
   * Writes every slot before `covered` that can be within the distance to `list`, some of them more than once, and calls
   * `full` with how many whenever there is no more room, and at the end. False, and nothing, where so many would have to
   * be looked at that comparing all is cheaper.
   */
  candidates(hash: Uint8Array, distance: number, list: Uint32Array, full: (listed: number) => void): boolean
}

/** Below this comparing all takes 30 µs, less than looking into tables. */
const LEAST = 32_768

/** Tables are made anew when this share of the slots is not in them: comparing those costs a sixteenth of comparing all. */
const BEHIND = 1 / 16

/** Slots in a step of making tables: with a step for each entry added, they are ready when they are due again. */
const STEP = 512

/**
 * They are also made anew when look-ups have compared slots that are not in them so often, for each slot that there is, as
 * making them costs: whoever is asked often is asked in vain no more than that.
 */
const PATIENCE = 100

/** A slot from a table is read from anywhere in memory, at the cost of comparing about so many in their order. */
const DEARER = 48

export function createPieces(store: HashStore): Pieces {
  const tables: Table[] = []
  let making: Generator<void> | undefined
  const covered = () => (tables.length < PIECES ? 0 : Math.min(...tables.map((table) => table.upTo)))
  let known = 0
  let compared = 0

  /** One table after the other, each ready before the next, so that at most one exists twice. */
  function* make(upTo: number): Generator<void> {
    for (let piece = 0; piece < PIECES; piece++) {
      const starts = new Uint32Array(VALUES + 1)
      for (let from = 0; from < upTo; from += STEP) {
        store.eachPiece(piece, from, Math.min(upTo, from + STEP), (value) => {
          starts[value + 1] = (starts[value + 1] ?? 0) + 1
        })
        yield
      }
      for (let value = 1; value <= VALUES; value++) starts[value] = (starts[value] ?? 0) + (starts[value - 1] ?? 0)
      const next = starts.slice(0, VALUES)
      const slots = new Uint32Array(upTo)
      for (let from = 0; from < upTo; from += STEP) {
        store.eachPiece(piece, from, Math.min(upTo, from + STEP), (value, slot) => {
          const at = next[value] ?? 0
          slots[at] = slot
          next[value] = at + 1
        })
        yield
      }
      tables[piece] = { starts, slots, upTo }
      known = covered()
    }
  }

  const count = ({ starts }: Table, value: number, units: number): number => {
    let sum = 0
    const ways = WITHIN[units - 1] ?? 0
    for (let way = 0; way < ways; way++) {
      const at = value ^ (CHANGES[way] ?? 0)
      sum += (starts[at + 1] ?? 0) - (starts[at] ?? 0)
    }
    return sum
  }

  return {
    get covered() {
      return known
    },
    get bytes() {
      return tables.reduce((sum, { starts, slots }) => sum + starts.byteLength + slots.byteLength, 0)
    },
    step() {
      const behind = store.used - known
      const due = behind >= store.used * BEHIND || compared > store.used * PATIENCE
      if (making === undefined && behind >= BLOCK && store.used >= LEAST && due) {
        compared = 0
        making = make(store.used - (store.used % BLOCK))
      }
      if (making === undefined) return false
      if (making.next().done === true) making = undefined
      return true
    },
    candidates(hash, distance, list, full) {
      compared += store.used - known
      const most = known / DEARER
      if (most === 0) return false
      const values = Array.from({ length: PIECES }, (_, p) => ((hash[2 * p] ?? 0) << 8) | (hash[2 * p + 1] ?? 0))
      const costs = (units: number) => tables.map((table, piece) => count(table, values[piece] ?? 0, units))
      const one = costs(1)
      const two = costs(2)
      let probes = cheapest([one, two], distance + 1, most)
      // Two changes of sixteen bits are 137 places to look: only where fewer do not suffice, and these can.
      if (probes === undefined && cheapest([one, two, two], distance + 1, most) !== undefined)
        probes = cheapest([one, two, costs(3)], distance + 1, most)
      if (probes === undefined) return false
      let listed = 0
      for (const { piece, radius } of probes) {
        const table = tables[piece]
        if (table === undefined) continue
        const { starts, slots } = table
        const value = values[piece] ?? 0
        const ways = WITHIN[radius] ?? 0
        for (let way = 0; way < ways; way++) {
          const at = value ^ (CHANGES[way] ?? 0)
          const end = starts[at + 1] ?? 0
          for (let i = starts[at] ?? 0; i < end; i++) {
            const slot = slots[i] ?? 0
            if (slot >= known) continue
            list[listed++] = slot
            if (listed < list.length) continue
            full(listed)
            listed = 0
          }
        }
      }
      full(listed)
      return true
    },
  }
}

/**
 * How far to look in each piece. A piece in which at most r bits differ takes r + 1 units; if all pieces differ in more than
 * was looked for, the hashes differ in at least as many bits as units were taken. So `units` = distance + 1 of them, however
 * they are shared out, miss nothing; and where a value of a piece is shared by very many, another piece takes its part.
 * `costs[u - 1][piece]`: candidates for u units. Undefined where the cheapest way is more than `most`.
 * @source the pigeonhole principle in its general form: Qin et al., GPH, ICDE 2018
 */
function cheapest(costs: readonly (readonly number[])[], units: number, most: number): Probe[] | undefined {
  const best = [Float64Array.from({ length: units + 1 }, (_, left) => (left === 0 ? 0 : Infinity))]
  const taken: Uint8Array[] = []
  for (let piece = 0; piece < PIECES; piece++) {
    const before = best[piece]
    const after = Float64Array.from(before ?? [])
    const here = new Uint8Array(units + 1)
    for (let need = 1; need <= units; need++) {
      for (let take = 1; take <= costs.length; take++) {
        const cost = (before?.[Math.max(0, need - take)] ?? Infinity) + (costs[take - 1]?.[piece] ?? Infinity)
        if (cost < (after[need] ?? Infinity)) {
          after[need] = cost
          here[need] = take
        }
      }
    }
    best.push(after)
    taken.push(here)
  }
  if (!((best[PIECES]?.[units] ?? Infinity) <= most)) return undefined
  const probes: Probe[] = []
  let need = units
  for (let piece = PIECES - 1; piece >= 0; piece--) {
    const take = taken[piece]?.[need] ?? 0
    if (take > 0) probes.push({ piece, radius: take - 1 })
    need = Math.max(0, need - take)
  }
  return probes
}

function changes(): Uint16Array {
  const one = Array.from({ length: 16 }, (_, bit) => 1 << bit)
  const two = one.flatMap((a, i) => one.slice(i + 1).map((b) => a | b))
  return Uint16Array.from([0, ...one, ...two])
}
