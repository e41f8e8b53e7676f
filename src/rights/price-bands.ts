// The price bands that ship, by brand: what one piece usually costs, so that a price far below it can be seen.
import { z } from 'zod'
import { priceBandSchema, type Brand, type PriceBand } from '../domain/brand.ts'
import shipped from './data/price-bands.json' with { type: 'json' }

/** In the order of the file's `columns`. */
const row = z.tuple([z.string(), z.string(), z.string(), z.number(), z.number(), z.number(), z.string()])

const sources: Readonly<Record<string, string>> = shipped.sources

let byBrand: ReadonlyMap<string, readonly PriceBand[]> | undefined

/** Bands by brandId, parsed at the first call; throws where the file names a source that it lacks or a band is out of order. */
export function shippedPriceBands(): ReadonlyMap<string, readonly PriceBand[]> {
  byBrand ??= parse()
  return byBrand
}

function parse(): ReadonlyMap<string, readonly PriceBand[]> {
  const { currency, asOf } = shipped
  const found = new Map<string, PriceBand[]>()
  for (const cells of shipped.bands) {
    const [brandId, kind, condition, low, typical, high, source] = row.parse(cells)
    const band = priceBandSchema.parse({ kind, condition, currency, low, typical, high, source: sources[source], asOf })
    if (low > typical || typical > high) throw new Error(`price band of ${brandId}, ${kind}: not low ≤ typical ≤ high`)
    found.set(brandId, [...(found.get(brandId) ?? []), band])
  }
  return found
}

/** The same brands, with the shipped bands wherever a brand has none of its own. */
export function withShippedPriceBands(brands: readonly Brand[]): Brand[] {
  return brands.map((brand) => {
    if (brand.priceBands.length > 0) return brand
    return { ...brand, priceBands: [...(shippedPriceBands().get(brand.brandId) ?? [])] }
  })
}
