// Rows to learn from and rows to be measured on: listings that came later, of sellers that nothing was learnt from.
import { createHash } from 'node:crypto'
import { TouchstoneError } from '../errors.ts'
import type { LabelledListing, Spoken } from './ports.ts'
import { compare, trainingSet, wordsOf, type TrainingRow } from './training-set.ts'

export interface Split {
  readonly learn: readonly TrainingRow[]
  readonly heldOut: readonly TrainingRow[]
  readonly boundary: Boundary
  /** Rows on neither side, by why. */
  readonly leftOut: {
    /** Their seller has rows before and after the boundary, and was drawn for the other side. */
    readonly sellers: number
    /** The same words, by whomever, are held out. */
    readonly words: number
  }
}

/** Between what is learnt from and what is held out. */
export interface Boundary {
  /** Everything held out was decided at this time or later, everything learnt from until then; RFC 3339. */
  readonly from: string
  /** A batch is decided at one instant: of the rows of `from` those are held out whose seller draws at least this. */
  readonly draw: string
}

/** The later part of the rows by time: enough to measure, and most is left to learn from. */
const LEARN_SHARE = 0.7

/**
 * What learning needs at least. Fewer than ten of a kind move the card less than what it starts from holds it; of five
 * held out, one more or less is all that can be seen; a single seller would be learnt by heart.
 */
export const LEAST = { learn: 10, heldOut: 5, sellers: 2 } as const

/**
 * Splits by the time of the gate's first decision, then by seller: one with rows on both sides goes to the side that the
 * seed draws, and its rows on the other side are left out. Words that stand on both sides (sellers copy each other) are
 * left out of what is learnt from.
 *
 * @throws TouchstoneError `labels-missing` saying how many of which are missing.
 */
export function split(rows: readonly TrainingRow[], seed: number): Split {
  const placed = rows
    .map(({ at, sellerId }) => ({ from: at, draw: tieOf(seed, sellerId) }))
    .toSorted((a, b) => compare(a.from, b.from) || compare(a.draw, b.draw))
  const boundary = placed[Math.floor(rows.length * LEARN_SHARE)] ?? { from: '', draw: '' }
  const [early, late] = [
    rows.filter((row) => !isLate(row, seed, boundary)),
    rows.filter((row) => isLate(row, seed, boundary)),
  ]
  const sellers = { early: sellersOf(early), late: sellersOf(late) }
  const heldOut = late.filter(({ sellerId }) => !sellers.early.has(sellerId) || isHeldOut(seed, sellerId))
  const words = new Set(heldOut.map(wordsOf))
  const own = early.filter(({ sellerId }) => !sellers.late.has(sellerId) || !isHeldOut(seed, sellerId))
  const learn = own.filter((row) => !words.has(wordsOf(row)))
  const leftOut = { sellers: rows.length - heldOut.length - own.length, words: own.length - learn.length }
  assertEnough(rows, learn, heldOut, leftOut)
  return { learn, heldOut, boundary, leftOut }
}

const sellersOf = (rows: readonly Spoken[]): Set<string> => new Set(rows.map((row) => row.sellerId))

const isLate = ({ at, sellerId }: Spoken, seed: number, { from, draw }: Boundary): boolean =>
  at > from || (at === from && tieOf(seed, sellerId) >= draw)

const drawn = (...words: readonly (string | number)[]): string =>
  createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 16)

/** By seller, so that ids which follow what the goods are do not decide, and a seller's rows of one batch stay together. */
const tieOf = (seed: number, sellerId: string): string => drawn(seed, sellerId, 'at one instant')

/** To which side the seed draws a seller that has rows on both. */
const isHeldOut = (seed: number, sellerId: string): boolean => drawn(seed, sellerId) < '8'

/** What a card keeps of the training that made its version. */
export interface Learnt {
  readonly seed: number
  readonly boundary: Boundary
  /** When the last verdict that it could learn from came into the store. */
  readonly seen: string
}

/**
 * Rows that a version did not learn from: those behind its boundary, which no later verdict moves, of sellers that were
 * held out then or came since. Whoever was spoken of before the boundary, even if that was taken back since, may have been
 * learnt from, unless a label behind it that was there by then had the seller drawn for the other side.
 */
export function unlearnt(
  { labels, spoken }: { readonly labels: readonly LabelledListing[]; readonly spoken: readonly Spoken[] },
  { seed, boundary, seen }: Learnt,
): TrainingRow[] {
  const early = sellersOf(spoken.filter((one) => !isLate(one, seed, boundary)))
  const returned = sellersOf(labels.filter((label) => isLate(label, seed, boundary) && label.recordedAt <= seen))
  return trainingSet(labels).filter(
    (row) =>
      isLate(row, seed, boundary) &&
      (!early.has(row.sellerId) || (returned.has(row.sellerId) && isHeldOut(seed, row.sellerId))),
  )
}

function assertEnough(
  rows: readonly TrainingRow[],
  learn: readonly TrainingRow[],
  heldOut: readonly TrainingRow[],
  leftOut: Split['leftOut'],
): void {
  const missing: string[] = []
  const need = (found: number, least: number, what: string) => {
    if (found < least) missing.push(`${least - found} more ${what} (${found} of ${least})`)
  }
  for (const label of ['confirmed', 'rejected'] as const) {
    const own = learn.filter((row) => row.label === label)
    need(own.length, LEAST.learn, `${label} listings to learn from`)
    need(new Set(own.map((row) => row.sellerId)).size, LEAST.sellers, `sellers of ${label} listings to learn from`)
    need(heldOut.filter((row) => row.label === label).length, LEAST.heldOut, `${label} listings to be measured on`)
  }
  if (missing.length > 0)
    throw new TouchstoneError(
      'labels-missing',
      `${rows.length} listings have a verdict that counts; after keeping sellers and times apart (${leftOut.sellers} left out for a seller on both sides, ${leftOut.words} for words on both) there are missing: ${missing.join('; ')}`,
    )
}
