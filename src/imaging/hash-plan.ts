// How a question is answered at the least cost: which pieces are looked up in tables, or which words of all hashes are looked at.
import { SAMPLE_ROW, WAYS } from './hash-kernel.ts'

export const PIECES = 16

/** One value of one piece, and how many of its bits may differ. */
export interface Probe {
  readonly piece: number
  readonly radius: number
}

/**
 * Nanoseconds, as measured for a million hashes; only their proportions matter. Of looking at one hash in so many of its words,
 * and of comparing it in all four.
 */
const LOOK = [0, 0.5, 0.7, 0.9, 1.25] as const
const COMPARE = 1.7
/** Of sixteen of which one gets past, because the processor expected none; of each that gets past, which is compared. */
const SIXTEEN = 16
const HIT = 25
const PAST = 40
/** Of a place in a table, of a slot read there: its hash lies anywhere in memory, but many are waited for together. */
const PLACE = 60
const SLOT = 22

/** What no scan of so many is below: tables that cost less need not be compared with it. */
export const leastScan = (hashes: number): number => hashes * LOOK[2]

/** What looking up costs. */
export const lookUp = (places: number, slots: number): number => PLACE * places + SLOT * slots

export interface Shares {
  readonly cost: number
  /** How far to look in each piece for that. */
  probes(): readonly Probe[]
}

/**
 * How far to look in each piece. A piece in which at most r bits differ takes r + 1 units; if all pieces differ in more than
 * was looked for, the hashes differ in at least as many bits as units were taken. So `units` = distance + 1 of them, however
 * they are shared out, miss nothing; and where a value of a piece is shared by very many, another piece takes its part.
 * `costs[u - 1][piece]`: of one to three units.
 * @source the pigeonhole principle in its general form: Qin et al., GPH, ICDE 2018
 */
export function shareOut(costs: readonly Float64Array[], units: number): Shares {
  const width = units + 1
  /** The cost of so many units in the pieces up to here. What is read lies below what is written. */
  const row = new Float64Array(width).fill(Infinity)
  row[0] = 0
  /** How many units each piece takes of so many. */
  const taken = new Uint8Array(PIECES * width)
  for (let piece = 0; piece < PIECES; piece++) {
    const one = costs[0]?.[piece] ?? Infinity
    const two = costs[1]?.[piece] ?? Infinity
    const three = costs[2]?.[piece] ?? Infinity
    for (let need = units; need > 0; need--) {
      const none = row[need] ?? Infinity
      const first = (row[need - 1] ?? Infinity) + one
      const second = (row[need < 2 ? 0 : need - 2] ?? Infinity) + two
      const third = (row[need < 3 ? 0 : need - 3] ?? Infinity) + three
      const least = Math.min(none, first, second, third)
      row[need] = least
      taken[piece * width + need] = least === none ? 0 : least === first ? 1 : least === second ? 2 : 3
    }
  }
  return {
    cost: row[units] ?? Infinity,
    probes() {
      const probes: Probe[] = []
      let need = units
      for (let piece = PIECES - 1; piece >= 0; piece--) {
        const take = taken[piece * width + need] ?? 0
        if (take > 0) probes.push({ piece, radius: take - 1 })
        need = Math.max(0, need - take)
      }
      return probes
    },
  }
}

export interface Scan {
  /** Of `WAYS`; undefined: all four words are compared. */
  readonly way: number | undefined
  readonly cost: number
}

/** In which words to look at so many hashes, of which `sampled` were sampled. */
export function cheapestScan(hashes: number, distance: number, sample: Uint32Array, sampled: number): Scan {
  let best: Scan = { way: undefined, cost: hashes * COMPARE }
  for (const [way, words] of WAYS.entries()) {
    const look = LOOK[words.length] ?? COMPARE
    // Those of fewer words come first: most of the others end here.
    if (hashes * look >= best.cost) continue
    let past = 0
    for (let bits = 0; bits <= distance; bits++) past += sample[way * SAMPLE_ROW + bits] ?? 0
    const share = past / sampled
    const cost = hashes * (look + Math.min(share, 1 / SIXTEEN) * HIT + share * PAST)
    if (cost < best.cost) best = { way, cost }
  }
  return best
}
