// How many of all listings infringe before anything is known of one: learnt for each marketplace from what was drawn there.
import type { Scorecard } from '../domain/scorecard.ts'
import { compare } from './training-set.ts'

export interface SampledRow {
  readonly positive: boolean
  readonly marketplace: string | null
  /** It went on sale unseen and was drawn from there. */
  readonly drawn: boolean
  /** How many listings it stands for. */
  readonly weight: number
}

/** The shipped share counts as much as so many listings. */
const SHIPPED_COUNT = 100
/** Without so many drawn listings nothing is known of what goes on sale unseen, and the shipped share stays. */
const LEAST_DRAWN = 20

type Prior = Scorecard['prior']

/**
 * The shipped share everywhere, and one of its own for each marketplace where at least `LEAST_DRAWN` listings were drawn
 * from what went on sale: what is sold in one place says little of the next one, which may have no fakes at all, and a share
 * moves every listing there. Marketplaces in one order, figures rounded to six digits.
 */
export function baseRates(shipped: Prior, rows: readonly SampledRow[]): Prior {
  const { probability } = shipped
  const places = [...Map.groupBy(rows, (row) => row.marketplace)]
    .filter(([, own]) => own.filter((row) => row.drawn).length >= LEAST_DRAWN)
    .toSorted(([a], [b]) => compare(JSON.stringify(a), JSON.stringify(b)))
    .map(([marketplace, own]) => ({ marketplace, ...shareOf(own, probability) }))
  const elsewhere = places.length > 0 ? 'where fewer were drawn than' : 'no marketplace has'
  const source = `As shipped, ${elsewhere} the ${LEAST_DRAWN} listings drawn from what went on sale that are the least to say how many infringe. ${shipped.source}`
  return { probability, source, ...(places.length === 0 ? {} : { marketplaces: places }) }
}

function shareOf(rows: readonly SampledRow[], shipped: number): { probability: number; source: string } {
  const total = rows.reduce((sum, { weight }) => sum + weight, 0)
  const share = rows.reduce((sum, { weight, positive }) => sum + (positive ? weight : 0), 0) / total
  // Kish: rows that stand for many tell less than as many rows would.
  const count = total ** 2 / rows.reduce((sum, { weight }) => sum + weight ** 2, 0)
  const drawn = rows.filter((row) => row.drawn)
  const confirmed = drawn.filter((row) => row.positive).length
  return {
    probability: round((SHIPPED_COUNT * shipped + count * share) / (SHIPPED_COUNT + count)),
    source: `${drawn.length} listings drawn there (${confirmed} confirmed) among ${rows.length} with a verdict, weighted by how they were sampled (worth ${round(count)} listings, share ${round(share)}), and ${SHIPPED_COUNT} listings of the shipped share`,
  }
}

/** Six digits, as for the ratios: the last bits of a machine decide nothing. */
const round = (value: number): number => Number(value.toPrecision(6))
