// Divides texts into folds so that no seller is learnt from in one and tested in another: a seller's texts resemble each other.
import { createHash } from 'node:crypto'

export interface Folds {
  /** What was kept together. */
  readonly by: 'seller' | 'listing'
  readonly count: number
  /** The fold of each row, in their order. */
  readonly of: readonly number[]
}

/** Five leave four fifths to learn from. */
const MOST_FOLDS = 5

/**
 * Sellers are dealt out in an order that the seed draws, those with a confirmed listing first, so that every fold gets
 * some of both. Where only one seller has confirmed (or rejected) listings there is nothing to keep apart: then single
 * listings are dealt, and the figures are optimistic.
 */
export function foldsOf(
  rows: readonly { readonly listingId: string; readonly sellerId: string; readonly positive: boolean }[],
  seed: number,
): Folds {
  const sellers = { true: new Set<string>(), false: new Set<string>() }
  for (const { sellerId, positive } of rows) sellers[`${positive}`].add(sellerId)
  const by = Math.min(sellers.true.size, sellers.false.size) >= 2 ? 'seller' : 'listing'
  const groups = new Map<string, { positive: boolean; draw: string }>()
  const groupOf = (row: { listingId: string; sellerId: string }) => (by === 'seller' ? row.sellerId : row.listingId)
  for (const row of rows) {
    const group = groupOf(row)
    const known = groups.get(group)
    if (known === undefined) groups.set(group, { positive: row.positive, draw: draw(seed, group) })
    else known.positive ||= row.positive
  }
  const both = [true, false].map((positive) =>
    [...groups].filter(([, g]) => g.positive === positive).toSorted(([, a], [, b]) => (a.draw < b.draw ? -1 : 1)),
  )
  const count = Math.max(2, Math.min(MOST_FOLDS, ...both.map((dealt) => dealt.length)))
  const fold = new Map<string, number>()
  for (const dealt of both) dealt.forEach(([group], i) => fold.set(group, i % count))
  return { by, count, of: rows.map((row) => fold.get(groupOf(row)) ?? 0) }
}

const draw = (seed: number, group: string): string =>
  createHash('sha256')
    .update(JSON.stringify([seed, group]))
    .digest('hex')
