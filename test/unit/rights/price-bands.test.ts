// The bands and rates that ship hold together. Real: the files, their parsers, the brands that ship, the price choice.
import { describe, expect, it } from 'vitest'
import { brandSchema } from '../../../src/domain/brand.ts'
import { shippedBrands } from '../../../src/rights/brands.ts'
import { parseCurrencyTable, shippedCurrencies } from '../../../src/rights/currencies.ts'
import { shippedPriceBands, withShippedPriceBands } from '../../../src/rights/price-bands.ts'

describe('price bands', () => {
  const bands = shippedPriceBands()

  it('belong to brands that ship', () => {
    const known = new Set(shippedBrands().map((b) => b.brandId))
    expect([...bands.keys()].filter((id) => !known.has(id))).toEqual([])
  })

  it('cover the most copied brands, new and used, once for each kind', () => {
    expect(bands.size).toBeGreaterThanOrEqual(120)
    for (const [brandId, list] of bands) {
      const places = list.map((b) => `${b.kind} ${b.condition}`)
      expect(new Set(places).size, brandId).toBe(places.length)
      for (const fresh of list.filter((b) => b.condition === 'new')) {
        const worn = list.find((b) => b.kind === fresh.kind && b.condition === 'used')
        // Used goods are the lower bar, so doubt about the condition speaks for the seller.
        expect(worn?.low, `${brandId} ${fresh.kind}`).toBeLessThanOrEqual(fresh.low)
      }
    }
  })

  it('never replace bands that a brand has of its own', () => {
    const own = {
      kind: 'watch',
      condition: 'new',
      currency: 'CHF',
      low: 1,
      typical: 2,
      high: 3,
      source: 'its owner',
      asOf: '2026',
    }
    const rolex = brandSchema.parse({ brandId: 'rolex', name: 'Rolex', priceBands: [own] })
    expect(withShippedPriceBands([rolex])[0]?.priceBands).toEqual([own])
    expect(withShippedPriceBands([{ ...rolex, priceBands: [] }])[0]?.priceBands.length).toBeGreaterThan(1)
  })
})

describe('currencies', () => {
  it('value every currency that a listing may name, but for units of account that nobody pays in', () => {
    const { usdPer } = shippedCurrencies()
    const missing = Intl.supportedValuesOf('currency').filter((code) => usdPer[code] === undefined)
    expect(missing.filter((code) => !code.startsWith('X'))).toEqual([])
    expect(usdPer['USD']).toBe(1)
    expect(usdPer['EUR']).toBeGreaterThan(usdPer['JPY'] ?? Infinity)
  })

  it('refuse an operator’s table that would misprice everything', () => {
    const table = (usdPer: unknown) => JSON.stringify({ asOf: '2026-01-01', source: 'mine', usdPer })
    expect(parseCurrencyTable(table({ USD: 1, EUR: 1.1 })).usdPer['EUR']).toBe(1.1)
    expect(() => parseCurrencyTable(table({ USD: 2 }))).toThrow(/must be 1/)
    expect(() => parseCurrencyTable(table({ EUR: 1.1 }))).toThrow(/must be 1/)
    expect(() => parseCurrencyTable(table({ USD: 1, EUR: 0 }))).toThrow(/EUR/)
    expect(() => parseCurrencyTable(table({ USD: 1, euro: 1 }))).toThrow(/ISO 4217/)
    expect(() => parseCurrencyTable('{')).toThrow(SyntaxError)
  })
})
