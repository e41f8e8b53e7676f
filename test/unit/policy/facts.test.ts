// Real: what a compiled rule sees of a listing, its seller, its brands and the signals.
import { describe, expect, it } from 'vitest'
import { listingSchema } from '../../../src/domain/listing.ts'
import { decide } from '../../../src/policy/decide.ts'
import { compiled, input, listing, rule, signal } from '../../support/policies.ts'

describe('facts that rules see', () => {
  const full = listingSchema.parse({
    ...listing,
    marketplace: 'shop',
    brand: 'Nord',
    category: ['Bags', 'Totes'],
    attributes: { gtin: '4006381333931', sizes: ['S', 'M'], weight: 1.5 },
    condition: 'new',
    price: { amount: 10, currency: 'EUR' },
    quantity: 40,
    lotSize: 2,
    shipsFrom: 'CN',
    description: 'First copy, top quality',
    seller: { createdAt: '2026-01-01T00:00:00Z', complaintCount: 3, salesCount: 50 },
    images: [{ url: 'https://a.example/1.jpg' }, { data: 'AAAA' }],
  })
  const signals = [signal('scored', { score: 0.8, contribution: 1.4 }), signal('abstained', { name: 'wording' })]
  it.each([
    ['listing.title == "T" && listing.sellerId == seller.id && listing.revision == 1', true],
    ['has(listing.brand) && !has(listing.language) && listing.language == null', true],
    ['"Bags" in listing.category && size(listing.category) == 2 && listing.category[1].startsWith("Tot")', true],
    ['"gtin" in listing.attributes && listing.attributes.gtin.matches("^400")', true],
    ['"M" in listing.attributes.sizes && listing.attributes["weight"] > 1.0', true],
    ['has(listing.attributes.colour)', false],
    ['listing.price.amount == 10.0 && listing.price.currency == "EUR" && priceUsd == 20', true],
    ['listing.quantity * 2 > 79 && listing.quantity * listing.lotSize == 80', true],
    ['seller.ageDays == 30 && seller.complaintCount * 20 > seller.salesCount', true],
    ['!has(seller.country) && !has(seller.ratingAverage)', true],
    ['listing.description.matches("(?i)first\\\\s+copy")', true],
    ['signals.price.state == "scored" && signals.price.score >= 0.8 && signals.price.contribution > 1.0', true],
    ['signals["wording"].state == "abstained" && !has(signals.wording.score) && !("image" in signals)', true],
    ['size(listing.images) == 2 && listing.images.exists(i, has(i.url) && i.url.startsWith("https://a."))', true],
    ['brandIds.all(b, b in ["nord", "sud"]) && size(brandIds) == 2 && authorisedSeller', true],
    ['risk > 0.49 && risk < 0.51 && riskClass == "medium"', true],
  ])('%s', (when, expected) => {
    const answer = decide(
      compiled({ rules: [rule('r', when, 'block', 'shadow')] }),
      input(0.5, { listing: full, brandIds: ['nord', 'sud'], signals }),
    )
    expect(answer.rules).toEqual(expected ? [{ ruleId: 'r', mode: 'shadow', outcome: 'block' }] : [])
  })

  it.each([
    [[], 'S', false],
    [['nord'], 'S', true],
    [['nord', 'sud'], 'S', true],
    [['nord', 'sud'], 'R', false],
    [['sud'], 'R', true],
    [['nord', 'ost'], 'S', false],
    [['nord', 'unknown'], 'S', false],
  ])('authorised for all of %j: %s %s', (brandIds, sellerId, authorised) => {
    const policy = compiled({ rules: [rule('authorised', 'authorisedSeller', 'allow')] })
    expect(decide(policy, input(0.95, { brandIds, listing: { ...listing, sellerId } })).outcome).toBe(
      authorised ? 'allow' : 'block',
    )
  })

  it.each([
    [['sud'], ['nord'], 'R', false],
    [['sud'], ['nord'], 'S', true],
    [['nord'], ['sud', 'ost'], 'S', false],
    [['nord'], ['unknown'], 'S', false],
    [['nord'], ['nord'], 'S', true],
    // Whose words name nobody is authorised by nobody.
    [[], ['nord'], 'S', false],
  ])('of %j with a picture that %j know: %s %s', (brandIds, knownTo, sellerId, authorised) => {
    const policy = compiled({ rules: [rule('authorised', 'authorisedSeller', 'allow')] })
    const { outcome } = decide(policy, input(0.95, { brandIds, knownTo, listing: { ...listing, sellerId } }))
    expect(outcome).toBe(authorised ? 'allow' : 'block')
  })

  it('a missing price, an unknown currency and an unknown age are null', () => {
    const policy = compiled({
      rules: [
        rule(
          'r',
          'priceUsd == null && seller.ageDays == null && !has(listing.price.amount) == (listing.price.amount == null)',
          'block',
        ),
      ],
    })
    for (const price of [undefined, { amount: 1, currency: 'JPY' }]) {
      expect(
        decide(policy, input(0, { listing: { ...listing, ...(price === undefined ? {} : { price }) } })).decidedBy,
      ).toBe('r')
    }
  })

  it('comparing what is missing is an error that changes nothing, not a hit', () => {
    const answer = decide(compiled({ rules: [rule('r', 'priceUsd < 10.0', 'block')] }), input(0))
    expect(answer).toMatchObject({
      outcome: 'allow',
      rules: [{ ruleId: 'r', error: expect.stringContaining('no matching overload') }],
    })
  })
})
