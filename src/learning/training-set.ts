// Labels become rows to learn from: each listing once, no seller louder than the others, in one order whatever they came in.
import { createHash } from 'node:crypto'
import { normalise } from '../text/normalise.ts'
import type { LabelledListing } from './ports.ts'

export interface TrainingRow extends LabelledListing {
  /** What it counts in fitting: 1, and less where its seller has many. How it was sampled is `weight`. */
  readonly fitWeight: number
}

/** Of one seller's rows together: a seller with a thousand listings shall not be what is learnt. */
const MOST_OF_A_SELLER = 10

/**
 * - a revision that was judged for several brands is one row: confirmed if any brand said so;
 * - of several revisions of a listing the last one that was judged counts;
 * - the same words by the same seller are one row, the last one;
 * - rows of a seller share at most `MOST_OF_A_SELLER`.
 *
 * Rows come in order of time, then of listing; nothing depends on the order of `labels`.
 */
export function trainingSet(labels: readonly LabelledListing[]): TrainingRow[] {
  const ordered = labels.toSorted(
    (a, b) =>
      compare(a.at, b.at) ||
      compare(a.listing.listingId, b.listing.listingId) ||
      a.listing.revision - b.listing.revision ||
      compare(a.brandId ?? '', b.brandId ?? ''),
  )
  const revisions = lastOf(
    ordered,
    ({ listing }) => JSON.stringify([listing.listingId, listing.revision]),
    confirmedWins,
  )
  const listings = lastOf(revisions, ({ listing }) => listing.listingId, newerRevision)
  const rows = lastOf(
    listings,
    (row) => JSON.stringify([row.sellerId, row.label, wordsOf(row)]),
    (_, now) => now,
  )
  const ofSeller = new Map<string, number>()
  for (const { sellerId } of rows) ofSeller.set(sellerId, (ofSeller.get(sellerId) ?? 0) + 1)
  return rows.map((row) => ({
    ...row,
    fitWeight: Math.min(1, MOST_OF_A_SELLER / (ofSeller.get(row.sellerId) ?? 1)),
  }))
}

/** By code units: no locale decides. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What a reader would call the same text. */
export function wordsOf({ listing }: Pick<LabelledListing, 'listing'>): string {
  const text = [listing.title, listing.description ?? ''].map((part) => part.toLowerCase().replace(/\s+/g, ' ').trim())
  return createHash('sha256').update(JSON.stringify(text)).digest('hex')
}

/**
 * The same for texts that differ in numbers, signs, order or disguise alone: what sellers who copy each other change. Words
 * with a digit are left out (lots, sizes, prices, references); a text of nothing else stands for itself.
 */
export function patternOf({ listing }: Pick<LabelledListing, 'listing'>): string {
  const words = [listing.title, listing.description ?? ''].map((part) => {
    const all = normalise(part).text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
    const telling = new Set(all.filter((word) => !/\p{N}/u.test(word)))
    return [...(telling.size === 0 ? all : telling)].toSorted(compare)
  })
  return createHash('sha256').update(JSON.stringify(words)).digest('hex')
}

type Choice = (before: LabelledListing, now: LabelledListing) => LabelledListing

const confirmedWins: Choice = (before, now) =>
  before.label === 'confirmed' && now.label !== 'confirmed' ? before : now
const newerRevision: Choice = (before, now) => (before.listing.revision > now.listing.revision ? before : now)

/** One for each key, where the chosen one stands in the order. */
function lastOf(
  rows: readonly LabelledListing[],
  key: (row: LabelledListing) => string,
  choose: Choice,
): LabelledListing[] {
  const chosen = new Map<string, LabelledListing>()
  for (const row of rows) {
    const before = chosen.get(key(row))
    chosen.set(key(row), before === undefined ? row : choose(before, row))
  }
  const kept = new Set(chosen.values())
  return rows.filter((row) => kept.has(row))
}
