// Rows to learn from and rows to be measured on: listings that came later, of sellers and in words that nothing was learnt from.
import { createHash } from 'node:crypto'
import { TouchstoneError } from '../errors.ts'
import type { LabelledListing, Spoken } from './ports.ts'
import { compare, patternOf, trainingSet, type TrainingRow } from './training-set.ts'

export interface Split {
  readonly learn: readonly TrainingRow[]
  readonly heldOut: readonly TrainingRow[]
  readonly boundary: Boundary
  /** Rows on neither side, by why. */
  readonly leftOut: {
    /** Their seller has rows before and after the boundary, and was drawn for the other side. */
    readonly sellers: number
    /** Their words, by whomever, stand before and after the boundary, and were drawn for the other side. */
    readonly words: number
  }
}

// Types, not interfaces: a card keeps them as JSON.

type Line = {
  /** Everything held out was decided at this time or later, everything learnt from until then; RFC 3339. */
  readonly from: string
  /** A batch is decided at one instant: of the rows of `from` those are held out whose seller draws at least this. */
  readonly draw: string
}

/** Between what is learnt from and what is held out. */
export type Boundary = Line & {
  /** Marketplaces (null: none) with a line of their own, where there are several; on cards made before they had one none. */
  readonly places?: (Line & { readonly marketplace: string | null })[]
}

/** The later part of the rows by time: enough to measure, and most is left to learn from. */
const LEARN_SHARE = 0.7
/** So many rows of a marketplace leave six to measure on: one more than is needed of each kind at least. */
const LEAST_OF_A_PLACE = 20

/**
 * What learning needs at least. Fewer than ten of a kind move the card less than what it starts from holds it; of five
 * held out, one more or less is all that can be seen; a single seller would be learnt by heart.
 */
export const LEAST = { learn: 10, heldOut: 5, sellers: 2 } as const

/**
 * Splits by the time of the gate's first decision, each marketplace by itself (one that was judged first would only be learnt
 * from, and what the version does there would be seen by nobody), then by seller, then by words (`patternOf`: sellers copy each other).
 * What stands on both sides goes to the one that the seed draws, and its rows on the other side are left out.
 *
 * @throws TouchstoneError `labels-missing` saying how many of which are missing.
 */
export function split(rows: readonly TrainingRow[], seed: number): Split {
  const boundary = boundaryOf(rows, seed)
  const all = rows.map((row) => ({ ...row, row, pattern: patternOf(row) }))
  const early = all.filter((one) => !isLate(one, seed, boundary))
  const late = all.filter((one) => isLate(one, seed, boundary))
  const known = { early: keysOf(early), late: keysOf(late) }
  const ofSeller = {
    learn: early.filter(({ sellerId }) => !known.late.sellers.has(sellerId) || !isHeldOut(seed, sellerId)),
    heldOut: late.filter(({ sellerId }) => !known.early.sellers.has(sellerId) || isHeldOut(seed, sellerId)),
  }
  const learn = ofSeller.learn
    .filter(({ pattern }) => !known.late.patterns.has(pattern) || !areHeldOut(seed, pattern))
    .map(({ row }) => row)
  const heldOut = ofSeller.heldOut
    .filter(({ pattern }) => !known.early.patterns.has(pattern) || areHeldOut(seed, pattern))
    .map(({ row }) => row)
  const kept = ofSeller.learn.length + ofSeller.heldOut.length
  const leftOut = { sellers: rows.length - kept, words: kept - learn.length - heldOut.length }
  assertEnough(rows, learn, heldOut, leftOut)
  return { learn, heldOut, boundary, leftOut }
}

function boundaryOf(rows: readonly TrainingRow[], seed: number): Boundary {
  const lineOf = (some: readonly TrainingRow[]): Line =>
    some
      .map(({ at, sellerId }) => ({ from: at, draw: tieOf(seed, sellerId) }))
      .toSorted((a, b) => compare(a.from, b.from) || compare(a.draw, b.draw))[
      Math.floor(some.length * LEARN_SHARE)
    ] ?? {
      from: '',
      draw: '',
    }
  const places = Map.groupBy(rows, (row) => row.marketplace)
  if (places.size < 2) return lineOf(rows)
  const own = [...places]
    .filter(([, some]) => some.length >= LEAST_OF_A_PLACE)
    .toSorted(([a], [b]) => compare(JSON.stringify(a), JSON.stringify(b)))
  return { ...lineOf(rows), places: own.map(([marketplace, some]) => ({ marketplace, ...lineOf(some) })) }
}

const keysOf = (
  rows: readonly Pick<Spoken, 'sellerId' | 'pattern'>[],
): { sellers: Set<string>; patterns: Set<string> } => ({
  sellers: new Set(rows.map((row) => row.sellerId)),
  patterns: new Set(rows.map((row) => row.pattern)),
})

function isLate(row: Omit<Spoken, 'pattern'>, seed: number, boundary: Boundary): boolean {
  const { at, sellerId, marketplace } = row
  const { from, draw } = boundary.places?.find((one) => one.marketplace === marketplace) ?? boundary
  return at > from || (at === from && tieOf(seed, sellerId) >= draw)
}

const drawn = (...words: readonly (string | number)[]): string =>
  createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 16)

/** By seller, so that ids which follow what the goods are do not decide, and a seller's rows of one batch stay together. */
const tieOf = (seed: number, sellerId: string): string => drawn(seed, sellerId, 'at one instant')

/** To which side the seed draws a seller that has rows on both. */
const isHeldOut = (seed: number, sellerId: string): boolean => drawn(seed, sellerId) < '8'

/** To which side it draws words that stand on both. */
const areHeldOut = (seed: number, pattern: string): boolean => drawn(seed, pattern, 'words') < '8'

/** What a card keeps of the training that made its version. */
export interface Learnt {
  readonly seed: number
  readonly boundary: Boundary
  /** When the last verdict that it could learn from came into the store. */
  readonly seen: string
  /** Words on both sides were drawn for one of them; of a version that was made before they were nothing is known. */
  readonly wordsDrawn: boolean
}

export interface Unlearnt {
  readonly rows: readonly TrainingRow[]
  readonly leftOut: {
    /** They lie before the boundary: learnt from, or of the time that was learnt from. */
    readonly earlier: number
    /** Their seller may have been learnt from. */
    readonly sellers: number
    /** Their words may have been learnt from, whoever wrote them. */
    readonly words: number
  }
}

/**
 * Rows that a version did not learn from: those behind its boundary, which no later verdict moves, of sellers and in words
 * that were held out then or came since. Whoever and whatever was spoken of before the boundary, even if that was taken
 * back since, may have been learnt from, unless a row behind it that was there by then had it drawn for the other side.
 */
export function unlearnt(
  { labels, spoken }: { readonly labels: readonly LabelledListing[]; readonly spoken: readonly Spoken[] },
  { seed, boundary, seen, wordsDrawn }: Learnt,
): Unlearnt {
  const known = keysOf(spoken.filter((one) => !isLate(one, seed, boundary)))
  // Without the repeats, as the training had them: a label that another one stood for drew nobody.
  const then = trainingSet(labels.filter(({ recordedAt }) => recordedAt <= seen))
  const returned = keysOf(
    then
      .filter((row) => isLate(row, seed, boundary))
      .map((row) => ({ ...row, pattern: wordsDrawn ? patternOf(row) : '' })),
  )
  const rows = trainingSet(labels)
  const late = rows.filter((row) => isLate(row, seed, boundary))
  const ofSeller = late.filter(
    ({ sellerId }) => !known.sellers.has(sellerId) || (returned.sellers.has(sellerId) && isHeldOut(seed, sellerId)),
  )
  const unseen = ofSeller.filter((row) => {
    const pattern = patternOf(row)
    return !known.patterns.has(pattern) || (returned.patterns.has(pattern) && areHeldOut(seed, pattern))
  })
  return {
    rows: unseen,
    leftOut: {
      earlier: rows.length - late.length,
      sellers: late.length - ofSeller.length,
      words: ofSeller.length - unseen.length,
    },
  }
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
      `${rows.length} listings have a verdict that counts; after keeping sellers, words and times apart (${leftOut.sellers} left out for a seller on both sides, ${leftOut.words} for words on both) there are missing: ${missing.join('; ')}`,
    )
}
