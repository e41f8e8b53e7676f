// How the price score behaves between its knots, and which band it picks. Real: the signal's own functions; bands made up.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Brand, PriceBand } from '../../../../src/domain/brand.ts'
import { chooseBand } from '../../../../src/signals/price/band.ts'
import { price, priceScore } from '../../../../src/signals/price/signal.ts'
import type { SignalContext } from '../../../../src/signals/signal.ts'
import { normalise } from '../../../../src/text/normalise.ts'

const amount = fc.double({ min: 0.01, max: 1e9, noNaN: true })

describe('priceScore', () => {
  it('falls as the price rises, and stays between 0 and 1', () => {
    fc.assert(
      fc.property(amount, amount, amount, amount, fc.nat(3), (a, b, low, above, doubts) => {
        const typical = low + above
        const cheap = priceScore(Math.min(a, b), low, typical, doubts)
        const dear = priceScore(Math.max(a, b), low, typical, doubts)
        expect(cheap).toBeGreaterThanOrEqual(dear - 1e-12)
        expect(cheap).toBeLessThanOrEqual(1)
        expect(dear).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it('speaks against a listing only below the lowest plausible price, and less so in doubt', () => {
    expect(priceScore(100, 100, 1000, 0)).toBeCloseTo(0.3, 12)
    expect(priceScore(1000, 100, 1000, 0)).toBeCloseTo(0.1, 12)
    expect(priceScore(5000, 100, 1000, 0)).toBeLessThan(0.03)
    expect(priceScore(20, 100, 1000, 0)).toBe(1)
    expect(priceScore(20, 100, 1000, 1)).toBeLessThan(0.9)
    expect(priceScore(20, 100, 1000, 2)).toBeLessThan(priceScore(20, 100, 1000, 1))
  })

  it('bears a band whose lowest price is the usual one', () => {
    expect(priceScore(50, 100, 100, 0)).toBeGreaterThan(0.5)
    expect(priceScore(100, 100, 100, 0)).toBeCloseTo(0.1, 12)
  })
})

describe('chooseBand', () => {
  const band = (
    kind: PriceBand['kind'],
    condition: PriceBand['condition'],
    low: number,
    currency = 'USD',
  ): PriceBand => ({
    kind,
    condition,
    currency,
    low,
    typical: low * 4,
    high: low * 10,
    source: 'made up',
    asOf: '2026',
  })
  const rates = (code: string) => ({ USD: 1, EUR: 2 })[code]
  const luxury = [
    band('bag', 'new', 400),
    band('bag', 'used', 150),
    band('perfume', 'used', 10),
    band('perfume', 'new', 20),
  ]

  it('takes kind and condition where they are known', () => {
    expect(chooseBand(luxury, 'bag', 'new', rates)).toMatchObject({ low: 400, kindKnown: true, conditionKnown: true })
    expect(chooseBand(luxury, 'bag', 'used', rates)?.low).toBe(150)
    expect(chooseBand(luxury, 'bag', 'refurbished', rates)?.low).toBe(150)
  })

  it('lets doubt speak for the seller', () => {
    expect(chooseBand(luxury, 'bag', undefined, rates)).toMatchObject({ low: 150, conditionKnown: false })
    expect(chooseBand(luxury, undefined, 'unknown', rates)).toMatchObject({ low: 10, kindKnown: false })
  })

  it('never compares with another kind, nor used goods with new ones', () => {
    expect(chooseBand(luxury, 'shoes', 'new', rates)).toBeUndefined()
    expect(chooseBand(luxury, 'other', 'new', rates)).toBeUndefined()
    expect(chooseBand([band('bag', 'new', 400)], 'bag', 'used', rates)).toBeUndefined()
    expect(chooseBand([band('bag', 'new', 400)], 'bag', undefined, rates)).toBeUndefined()
  })

  it('compares new goods with used ones where there is nothing else', () => {
    expect(chooseBand([band('bag', 'used', 150)], 'bag', 'new', rates)?.low).toBe(150)
  })

  it('has no opinion on a maker of devices whose goods are of an unknown kind', () => {
    expect(
      chooseBand([band('phone', 'used', 100), band('watch', 'used', 50)], undefined, 'used', rates),
    ).toBeUndefined()
  })

  it('converts a band and leaves out one whose currency has no rate', () => {
    expect(chooseBand([band('bag', 'used', 100, 'EUR')], 'bag', 'used', rates)?.low).toBe(200)
    expect(chooseBand([band('bag', 'used', 1, 'XTS'), band('bag', 'used', 100)], 'bag', 'used', rates)?.low).toBe(100)
  })
})

describe('a listing about several brands', () => {
  const priced = (brandId: string, low: number): Brand => ({
    brandId,
    name: brandId,
    aliases: [],
    ambiguous: false,
    copied: 'most',
    classes: [],
    priceBands: [
      {
        kind: 'bag',
        condition: 'new',
        currency: 'USD',
        low,
        typical: low * 3,
        high: low * 9,
        source: 'test',
        asOf: '2026',
      },
    ],
    authorisedSellers: [],
    source: 'test',
  })
  const brands = new Map([priced('dear', 1_000), priced('cheap', 20)].map((b) => [b.brandId, b]))
  const scoreOf = async (...brandIds: string[]) => {
    const empty = normalise('')
    const context: SignalContext = {
      reading: { title: empty, description: empty, brand: empty, mentions: [], brandIds },
      brand: (id) => brands.get(id),
      kind: 'bag',
      usdPer: () => 1,
      pictures: [],
      banks: undefined,
      textModel: undefined,
    }
    const listing = { listingId: 'L', revision: 1, sellerId: 'S', title: 'bag', condition: 'new' as const }
    const finding = await price.evaluate({ ...listing, price: { amount: 60, currency: 'USD' } }, context)
    return finding.state === 'scored' ? finding.score : undefined
  }

  it('is compared with the brand that explains its price best', async () => {
    expect(await scoreOf('dear')).toBe(1)
    expect(await scoreOf('dear', 'cheap')).toBe(await scoreOf('cheap'))
    expect(await scoreOf('cheap', 'dear')).toBe(await scoreOf('cheap'))
  })

  it('is doubted where one of them has no band: the goods may be that one’s', async () => {
    expect(await scoreOf('dear', 'unknown')).toBeLessThan((await scoreOf('dear')) ?? 0)
  })
})
