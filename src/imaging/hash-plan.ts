// How one question is answered at the least cost: which pieces are looked up, in which words all hashes are compared, or both together.
import { SAMPLE_GROUP, SAMPLE_ROW, WAYS, WORDS } from './hash-kernel.ts'

export const PIECES = 16
const PIECES_OF_WORD = PIECES / WORDS

/** One value of one piece, and how many of its bits may differ. */
export interface Probe {
  readonly piece: number
  readonly radius: number
}

/** What all hashes are compared in: one of the `WAYS`, with the most bits that may differ there; or all four words. */
export interface Scan {
  readonly way: number
  readonly bits: number
}

/** `probes` find all that `scan` leaves out; without `scan` they find all. */
export interface Plan {
  readonly probes: readonly Probe[]
  readonly scan: Scan | 'compare' | undefined
  readonly cost: number
}

/**
 * Nanoseconds, as measured for a million hashes; only their proportions matter. Of looking at one hash in so many of its words,
 * of comparing it in all four; of sixteen of which one gets past, of that one. Of a place in a table, of a slot read there,
 * whose hash lies anywhere in memory.
 */
const LOOK = [0, 0.5, 0.65, 0.85, 1.15] as const
const COMPARE = 1.7
const SIXTEEN = 16
const HIT = 25
const PAST = 10
const PLACE = 15
const SLOT = 20

/** Looking at one word of each hash: what tables alone must not exceed for nothing else to be thought of. */
export const CHEAPEST_SCAN = LOOK[1]

/** Of looking up as many places of a piece as that finding so many slots. */
export const costOf = (places: number, slots: number): number => PLACE * places + SLOT * slots

export interface Shares {
  /** What it costs to look up, in the pieces of these words alone (a bit for each), as many as `units` take. */
  cost(words: number, units: number): number
  /** How far to look in each piece for that. */
  probes(words: number, units: number): readonly Probe[]
}

/** Bits for all four words. */
export const ALL = (1 << WORDS) - 1

/**
 * How far to look in each piece. A piece in which at most r bits differ takes r + 1 units; if all pieces differ in more than
 * was looked for, the hashes differ in at least as many bits as units were taken. So units = distance + 1 of them, however
 * they are shared out, miss nothing; and where a value of a piece is shared by very many, another piece takes its part.
 * `costs[u - 1][piece]`: of u units.
 * @source the pigeonhole principle in its general form: Qin et al., GPH, ICDE 2018
 */
export function shareOut(costs: readonly Float64Array[], most: number): Shares {
  const width = most + 1
  /** A row for each set of words: the cost of so many units. */
  const rows = new Float64Array((ALL + 1) * width).fill(Infinity)
  let made = 1
  rows[0] = 0
  /** One more piece, of which one to three units can be taken. In place: what is read lies below what is written. */
  const add = (row: number, piece: number, taken?: Uint8Array) => {
    const one = costs[0]?.[piece] ?? Infinity
    const two = costs[1]?.[piece] ?? Infinity
    const three = costs[2]?.[piece] ?? Infinity
    for (let need = most; need > 0; need--) {
      const at = row + need
      const left = rows[at] ?? Infinity
      const first = (rows[at - 1] ?? Infinity) + one
      const second = (rows[need < 2 ? row : at - 2] ?? Infinity) + two
      const third = (rows[need < 3 ? row : at - 3] ?? Infinity) + three
      const least = Math.min(left, first, second, third)
      rows[at] = least
      if (taken !== undefined) taken[need] = least === left ? 0 : least === first ? 1 : least === second ? 2 : 3
    }
  }
  const rowOf = (words: number): number => {
    const row = words * width
    if ((made & (1 << words)) !== 0) return row
    const word = 31 - Math.clz32(words)
    const before = rowOf(words & ~(1 << word))
    rows.copyWithin(row, before, before + width)
    for (let n = 0; n < PIECES_OF_WORD; n++) add(row, word * PIECES_OF_WORD + n)
    made |= 1 << words
    return row
  }
  return {
    cost: (words, units) => rows[rowOf(words) + units] ?? Infinity,
    probes(words, units) {
      const row = words * width
      rows.copyWithin(row, 0, width)
      const steps: { piece: number; taken: Uint8Array }[] = []
      for (let piece = 0; piece < PIECES; piece++) {
        if ((words & (1 << Math.floor(piece / PIECES_OF_WORD))) === 0) continue
        const taken = new Uint8Array(width)
        add(row, piece, taken)
        steps.push({ piece, taken })
      }
      made |= 1 << words
      const probes: Probe[] = []
      let need = units
      for (const { piece, taken } of steps.toReversed()) {
        const take = taken[need] ?? 0
        if (take > 0) probes.push({ piece, radius: take - 1 })
        need = Math.max(0, need - take)
      }
      return probes
    },
  }
}

const WORDS_OF = WAYS.map((words) => words.reduce((bits, word) => bits | (1 << word), 0))

/**
 * Of the ways to find all within `distance` among `hashes`, of which `groups` groups were sampled. What tables list for `units`
 * units in some words differs there in fewer bits; the rest differs in at least `units`, so that in the other words it may
 * differ in `distance - units`: a scan of these finds it. Zero units: a scan alone.
 */
export function choose(
  hashes: number,
  distance: number,
  sample: Uint32Array,
  groups: number,
  shares: Shares | undefined,
): Plan {
  let cost = hashes * COMPARE
  let best: { words: number; units: number; scan: Scan } | undefined
  for (const [way, words] of WORDS_OF.entries()) {
    const others = ALL & ~words
    const look = hashes * (LOOK[WAYS[way]?.length ?? WORDS] ?? COMPARE)
    // Most ways end here: the cheap ones come first.
    if (look >= cost) continue
    let past = 0
    for (let bits = 0; bits <= distance; bits++) {
      past += sample[way * SAMPLE_ROW + bits] ?? 0
      const units = distance - bits
      const tables = units === 0 ? 0 : (shares?.cost(others, units) ?? Infinity)
      if (tables >= cost) continue
      const share = past / (groups * SAMPLE_GROUP)
      const whole = tables + look + hashes * (Math.min(share, 1 / SIXTEEN) * HIT + share * PAST)
      if (whole >= cost) continue
      cost = whole
      best = { words: others, units, scan: { way, bits } }
    }
  }
  if (best === undefined) return { probes: [], scan: 'compare', cost }
  const { words, units, scan } = best
  return { probes: units === 0 ? [] : (shares?.probes(words, units) ?? []), scan, cost }
}
