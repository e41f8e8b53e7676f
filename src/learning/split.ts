// Rows to learn from and rows to be measured on: later ones, of sellers that nothing was learnt from.
import { createHash } from 'node:crypto'
import { TouchstoneError } from '../errors.ts'
import { wordsOf, type TrainingRow } from './training-set.ts'

export interface Split {
  readonly learn: readonly TrainingRow[]
  readonly heldOut: readonly TrainingRow[]
  /** Everything held out was said at this time or later, everything learnt from before; RFC 3339. */
  readonly from: string
}

/** The later part of the rows by time: enough to measure, and most is left to learn from. */
const LEARN_SHARE = 0.7

/**
 * What learning needs at least. Fewer than ten of a kind move the card less than what it starts from holds it; of five
 * held out, one more or less is all that can be seen; a single seller would be learnt by heart.
 */
export const LEAST = { learn: 10, heldOut: 5, sellers: 2 } as const

/**
 * Splits by time, then by seller: one with rows on both sides goes to the side that the seed draws, and its rows on the
 * other side are left out. Words that stand on both sides (sellers copy each other) are left out of what is learnt from.
 *
 * @throws TouchstoneError `labels-missing` saying how many of which are missing.
 */
export function split(rows: readonly TrainingRow[], seed: number): Split {
  const from = rows[Math.floor(rows.length * LEARN_SHARE)]?.at ?? ''
  const [early, late] = [rows.filter((row) => row.at < from), rows.filter((row) => row.at >= from)]
  const sellers = { early: new Set(early.map((r) => r.sellerId)), late: new Set(late.map((r) => r.sellerId)) }
  const heldOut = late.filter(({ sellerId }) => !sellers.early.has(sellerId) || isHeldOut(seed, sellerId))
  const words = new Set(heldOut.map(wordsOf))
  const learn = early.filter(
    (row) => (!sellers.late.has(row.sellerId) || !isHeldOut(seed, row.sellerId)) && !words.has(wordsOf(row)),
  )
  assertEnough(rows, learn, heldOut)
  return { learn, heldOut, from }
}

/** To which side the seed draws a seller that has rows on both. */
const isHeldOut = (seed: number, sellerId: string): boolean =>
  (createHash('sha256')
    .update(JSON.stringify([seed, sellerId]))
    .digest()[0] ?? 0) < 128

/**
 * Rows that a version did not learn from: those of `from` or later, of sellers that were held out then or came since.
 * `last` is the latest row that was held out: who had one by then was drawn for that side, and nothing was learnt of them.
 */
export function unlearnt<R extends Pick<TrainingRow, 'at' | 'sellerId'>>(
  rows: readonly R[],
  { seed, from, last }: { readonly seed: number; readonly from: string; readonly last: string },
): R[] {
  const early = new Set(rows.filter((row) => row.at < from).map((row) => row.sellerId))
  const returned = new Set(rows.filter((row) => row.at >= from && row.at <= last).map((row) => row.sellerId))
  return rows.filter(
    ({ at, sellerId }) => at >= from && (!early.has(sellerId) || (returned.has(sellerId) && isHeldOut(seed, sellerId))),
  )
}

function assertEnough(
  rows: readonly TrainingRow[],
  learn: readonly TrainingRow[],
  heldOut: readonly TrainingRow[],
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
      `${rows.length} listings have a verdict that counts; after keeping sellers and times apart there are missing: ${missing.join('; ')}`,
    )
}
