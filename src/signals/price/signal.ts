// How far below what its brand's goods cost a listing is offered: what silent counterfeits have in common.
import type { Listing } from '../../domain/listing.ts'
import type { Finding, Signal, SignalContext } from '../signal.ts'
import { chooseBand, type ChosenBand } from './band.ts'
import { examples } from './examples.ts'

/** Scores at the usual price and at the lowest that is plausible for genuine goods. Below `low` the score climbs to 1. */
const AT_TYPICAL = 0.1
const AT_LOW = 0.3

/** A fifth of the lowest plausible price is as bad as it gets: below it lie placeholder prices as well as fakes. */
const DEEPEST = 5

/** What a doubt leaves of the climb: an unknown condition or kind, or a second brand that there is no band for. */
const DOUBT = 0.8

/** Reasons begin where the price alone would make an analyst look twice; half way from `low` to the deepest. */
const WORTH_A_REASON = 0.45

/** Falls as the price rises, everywhere; 0 to 1. */
export function priceScore(price: number, low: number, typical: number, doubts: number): number {
  if (price >= typical) return (AT_TYPICAL * typical) / price
  if (price >= low) return AT_TYPICAL + ((AT_LOW - AT_TYPICAL) * Math.log(typical / price)) / Math.log(typical / low)
  const depth = Math.min(1, Math.log(low / price) / Math.log(DEEPEST))
  return AT_LOW + (1 - AT_LOW) * depth * DOUBT ** doubts
}

interface Compared {
  readonly brandId: string
  readonly score: number
  readonly chosen: ChosenBand
}

function evaluate(listing: Listing, context: SignalContext): Finding {
  if (listing.price === undefined) return { state: 'abstained', evidence: { why: 'no-price' } }
  const { amount, currency } = listing.price
  // A price of nothing is a placeholder ("make an offer"), not an offer.
  if (amount === 0) return { state: 'abstained', evidence: { why: 'price-is-zero' } }
  const { brandIds } = context.reading
  if (brandIds.length === 0) return { state: 'abstained', evidence: { why: 'no-brand' } }
  const rate = context.usdPer(currency)
  if (rate === undefined) return { state: 'failed', evidence: { why: 'no-rate', currency } }

  const pieces = listing.lotSize ?? 1
  const price = (amount * rate) / pieces
  const withBand: { brandId: string; chosen: ChosenBand }[] = []
  for (const brandId of brandIds) {
    const bands = context.brand(brandId)?.priceBands ?? []
    const chosen = chooseBand(bands, context.kind, listing.condition, context.usdPer)
    if (chosen !== undefined) withBand.push({ brandId, chosen })
  }
  // Two makers named, one without a band: the goods may be the other one's.
  const stranger = withBand.length < brandIds.length ? 1 : 0
  let best: Compared | undefined
  for (const { brandId, chosen } of withBand) {
    const doubts = (chosen.kindKnown ? 0 : 1) + (chosen.conditionKnown ? 0 : 1) + stranger
    const score = priceScore(price, chosen.low, chosen.typical, doubts)
    // Of several brands the kindest comparison counts.
    if (best === undefined || score < best.score) best = { brandId, score, chosen }
  }
  if (best === undefined) return { state: 'abstained', evidence: { why: 'no-band', kind: context.kind ?? null } }

  const { band, low, typical, kindKnown, conditionKnown } = best.chosen
  return {
    state: 'scored',
    score: best.score,
    reasons:
      best.score >= WORTH_A_REASON
        ? [{ code: 'price-far-below-brand', text: 'The price is far below what goods of this brand usually sell for.' }]
        : [],
    evidence: {
      brandId: best.brandId,
      pricePerPieceUsd: round(price),
      pieces,
      shareOfLow: round(price / low),
      shareOfTypical: round(price / typical),
      kindKnown,
      conditionKnown,
      band: { ...band },
    },
  }
}

const round = (n: number): number => Number(n.toPrecision(4))

export const price: Signal = {
  name: 'price',
  version: '1',
  label: 'Price',
  description:
    'Compares the price of one piece with what the brand’s goods of that kind and condition cost. Far below speaks against the listing; the usual price speaks a little for it, never much: good counterfeits cost full price. Silent without a price, a certain brand or a band.',
  sources: [
    'Price bands by brand, kind and condition, each with its source: set by hand from general knowledge of list prices (src/rights/data/price-bands.json), or the brand owner’s own',
    'Exchange rates (src/rights/data/currencies.json or the operator’s own)',
  ],
  mode: 'enforce',
  examples,
  evaluate,
}
