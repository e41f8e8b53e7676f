// What the brand detector scores beyond its own examples. Real: the detector, the reading and the brands that ship.
import { describe, expect, it } from 'vitest'
import type { Listing } from '../../../../src/domain/listing.ts'
import { shippedBrands } from '../../../../src/rights/brands.ts'
import { sameHouse } from '../../../../src/signals/brand/houses.ts'
import { brandSignal } from '../../../../src/signals/brand/signal.ts'
import { compileBrandDictionary } from '../../../../src/text/brand-dictionary.ts'
import { readListing } from '../../../../src/text/reading.ts'

const brands = new Map(shippedBrands().map((b) => [b.brandId, b]))
const dictionary = compileBrandDictionary(shippedBrands())

function look(fields: Partial<Listing> & Pick<Listing, 'title'>) {
  const listing: Listing = { listingId: 'L', revision: 1, sellerId: 'S', ...fields }
  return brandSignal.evaluate(listing, {
    reading: readListing(listing, dictionary),
    brand: (id) => brands.get(id),
    kind: undefined,
    usdPer: () => undefined,
    pictures: [],
    banks: undefined,
    textModel: undefined,
  })
}
async function score(fields: Partial<Listing> & Pick<Listing, 'title'>): Promise<number> {
  const finding = await look(fields)
  return finding.state === 'scored' ? finding.score : -1
}

describe('the brand detector', () => {
  it('rises from fitting a brand, over naming it, over contradicting it, to hiding it', async () => {
    const rising = [
      await score({ title: 'case for iPhone' }),
      await score({ title: 'coat', description: 'warmer than my Moncler' }),
      await score({ title: 'Salomon shoes' }),
      await score({ title: 'Nike shoes' }),
      await score({ title: 'Nike shoes', brand: 'Unbranded' }),
      await score({ title: 'Nike shoes', brand: 'Puma' }),
      await score({ title: 'shoes', description: 'N⭐K⭐ quality' }),
      await score({ title: 'N⭐K⭐ shoes' }),
    ]
    expect(rising).toEqual(rising.toSorted((a, b) => a - b))
    expect(new Set(rising).size).toBe(rising.length)
  })

  it('does not call it a contradiction where one of the named brands is claimed, or its house', async () => {
    expect(await score({ title: 'Lego Star Wars set', brand: 'Lego' })).toBeLessThan(0.3)
    expect(await score({ title: 'Nike x Off-White shoes', brand: 'Off-White' })).toBeLessThan(0.3)
    expect(await score({ title: 'Air Jordan 4', brand: 'Nike' })).toBeLessThan(0.3)
    expect(await score({ title: 'strap compatible with Apple Watch', brand: 'Spigen' })).toBeLessThan(0.3)
  })

  it('shows an analyst where, and bounds what it shows', async () => {
    const finding = await look({ title: `new PR//ADA bag ${'gucci '.repeat(300)}` })
    expect(finding.evidence).toMatchObject({ finding: 'hidden', more: 80 })
    expect(finding.evidence['mentions']).toHaveLength(20)
    expect(finding.evidence['mentions']).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({
          brandId: 'prada',
          disguise: 'masked',
          span: { field: 'title', start: 4, end: 11, text: 'PR//ADA' },
        }),
      ]),
    )
    expect(JSON.stringify(finding.evidence).length).toBeLessThan(6_000)
  })

  it('teaches a seller no way round it: reasons name no sign, letter or brand', async () => {
    for (const title of ['N⭐K⭐ shoes', 'Ro1ex', '𝗖𝗵𝗮𝗻𝗲𝗹']) {
      const finding = await look({ title })
      expect(finding.state === 'scored' && finding.reasons.map((r) => r.code)).toEqual(['brand-name-altered'])
      if (finding.state === 'scored')
        for (const { text } of finding.reasons)
          expect(text).not.toMatch(/[*⭐\d]|nike|rolex|chanel|emoji|symbol|digit/i)
    }
  })

  it('names houses by brands that ship', () => {
    for (const id of ['nike', 'jordan', 'adidas', 'yeezy', 'armani', 'emporio-armani', 'disney', 'marvel'])
      expect(brands.has(id)).toBe(true)
    expect(sameHouse('jordan', 'nike')).toBe(true)
    expect(sameHouse('gucci', 'nike')).toBe(false)
  })
})
