// Multi-index hashing: for each sixteen bits of a hash a table of who has them, so that near ones are found without comparing all.
import { BLOCK } from './hash-kernel.ts'
import { leastScan, lookUp, PIECES, shareOut, type Probe, type Shares } from './hash-plan.ts'
import type { HashStore } from './hash-store.ts'

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

export interface Pieces {
  /** Slots before this one, the first of a block, are in the tables; the rest must be compared. */
  readonly covered: number
  readonly bytes: number
  /** A bounded piece of work (some microseconds) on tables that are behind; false when there is none to do. */
  step(): boolean
  /** How to look up all before `covered`; undefined without tables. */
  shares(hash: Uint8Array, distance: number): Shares | undefined
  /**
   * Writes the slots before `covered` that the probes find to `list`, some of them more than once, and calls `full` with how many
   * whenever there is no more room, and at the end.
   */
  list(hash: Uint8Array, probes: readonly Probe[], list: Uint32Array, full: (listed: number) => void): void
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
    return lookUp(ways, sum)
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
    shares(hash, distance) {
      compared += store.used - known
      if (known === 0) return undefined
      const values = valuesOf(hash)
      const costs = (units: number) => {
        const all = new Float64Array(PIECES)
        for (let piece = 0; piece < PIECES; piece++) {
          const table = tables[piece]
          if (table !== undefined) all[piece] = count(table, values[piece] ?? 0, units)
        }
        return all
      }
      const one = costs(1)
      const two = costs(2)
      const shares = shareOut([one, two], distance + 1)
      // Two changes of sixteen bits are 137 places to look: only where fewer do not suffice, and these can.
      const most = Math.min(shares.cost, leastScan(known))
      const more = lookUp((WITHIN[2] ?? 0) - (WITHIN[1] ?? 0), 0)
      const least = two.map((cost) => cost + more)
      if (shareOut([one, two, least], distance + 1).cost >= most) return shares
      return shareOut([one, two, costs(3)], distance + 1)
    },
    list(hash, probes, list, full) {
      const values = valuesOf(hash)
      let listed = 0
      for (const { piece, radius } of probes) {
        const table = tables[piece]
        if (table === undefined) continue
        const { starts, slots } = table
        const value = values[piece] ?? 0
        const ways = WITHIN[radius] ?? 0
        // All places are touched before one is read: the processor waits for them together, not for each.
        let touched = 0
        for (let way = 0; way < ways; way++) touched ^= slots[starts[value ^ (CHANGES[way] ?? 0)] ?? 0] ?? 0
        list[listed] = touched
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
    },
  }
}

const valuesOf = (hash: Uint8Array): number[] =>
  Array.from({ length: PIECES }, (_, p) => ((hash[2 * p] ?? 0) << 8) | (hash[2 * p + 1] ?? 0))

function changes(): Uint16Array {
  const one = Array.from({ length: 16 }, (_, bit) => 1 << bit)
  const two = one.flatMap((a, i) => one.slice(i + 1).map((b) => a | b))
  return Uint16Array.from([0, ...one, ...two])
}
