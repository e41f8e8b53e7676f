// Which price band a listing is compared with, and whether kind and condition are known to be those of the band.
import type { GoodsKind, PriceBand } from '../../domain/brand.ts'
import type { Condition } from '../../domain/listing.ts'

/** A band with its prices in US dollars. */
export interface ChosenBand {
  readonly band: PriceBand
  readonly low: number
  readonly typical: number
  readonly kindKnown: boolean
  readonly conditionKnown: boolean
}

/**
 * Bands to compare with, best first. Goods that may be used are never compared with what new ones cost; new ones may
 * well be compared with used ones, which is the lower bar. Refurbished goods are sold like used ones.
 */
const CONDITIONS_TO_TRY: Readonly<Record<Condition, readonly Condition[]>> = {
  new: ['new', 'used', 'unknown'],
  refurbished: ['refurbished', 'used', 'unknown'],
  used: ['used', 'unknown'],
  unknown: ['used', 'unknown'],
}

/** What the makers of these sell besides costs anything from a cable up, so without a kind there is nothing to compare. */
const DEVICES: ReadonlySet<GoodsKind> = new Set([
  'headphones',
  'phone',
  'computer',
  'camera',
  'console',
  'toy',
  'appliance',
])

/**
 * The band to compare with, or undefined where none is known. A kind that the brand has no band for is never compared
 * with another kind; where the kind is unknown the brand's cheapest goods count, so that doubt speaks for the seller.
 */
export function chooseBand(
  bands: readonly PriceBand[],
  kind: GoodsKind | undefined,
  condition: Condition | undefined,
  usdPer: (currency: string) => number | undefined,
): ChosenBand | undefined {
  if (kind === 'other') return undefined
  if (kind === undefined && bands.some((band) => DEVICES.has(band.kind))) return undefined
  const ofKind = kind === undefined ? bands : bands.filter((band) => band.kind === kind)
  for (const wanted of CONDITIONS_TO_TRY[condition ?? 'unknown']) {
    let best: ChosenBand | undefined
    for (const band of ofKind) {
      const rate = band.condition === wanted ? usdPer(band.currency) : undefined
      if (rate === undefined || (best !== undefined && best.low <= band.low * rate)) continue
      best = {
        band,
        low: band.low * rate,
        typical: Math.max(band.typical, band.low) * rate,
        kindKnown: kind !== undefined,
        conditionKnown: condition !== undefined && condition !== 'unknown',
      }
    }
    if (best !== undefined) return best
  }
  return undefined
}
