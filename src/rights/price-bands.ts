// The price bands that ship, by brand: what one piece usually costs, so that a price far below it can be seen.
import { priceBandSchema, type Brand, type PriceBand } from '../domain/brand.ts'
import shipped from './data/price-bands.json' with { type: 'json' }

const sources: Readonly<Record<string, string>> = shipped.sources

/** Bands by brandId; throws where the file names a source that it does not hold, or a band is out of order. */
export function shippedPriceBands(): ReadonlyMap<string, readonly PriceBand[]> {
  const byBrand = new Map<string, PriceBand[]>()
  for (const { brandId, ...row } of shipped.bands) {
    const band = priceBandSchema.parse({
      ...row,
      source: sources[row.source],
      currency: shipped.currency,
      asOf: shipped.asOf,
    })
    if (band.low > band.typical || band.typical > band.high)
      throw new Error(`price band of ${brandId}, ${band.kind}: not low ≤ typical ≤ high`)
    const bands = byBrand.get(brandId)
    if (bands === undefined) byBrand.set(brandId, [band])
    else bands.push(band)
  }
  return byBrand
}

/** The same brands, with the shipped bands wherever a brand has none of its own. */
export function withShippedPriceBands(brands: readonly Brand[]): Brand[] {
  const bands = shippedPriceBands()
  return brands.map((brand) =>
    brand.priceBands.length > 0 ? brand : { ...brand, priceBands: [...(bands.get(brand.brandId) ?? [])] },
  )
}
