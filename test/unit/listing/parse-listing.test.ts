// Real: the parser of listings and its messages.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listingSchema, LISTING_LIMITS } from '../../../src/domain/listing.ts'
import { parseFiledListing, parseIdentity, parseListing } from '../../../src/listing/parse-listing.ts'

const base = { listingId: 'L-1', revision: 1, sellerId: 'S-1', title: 'Bag' }

describe('a listing that can be named is refused with the field and the expectation', () => {
  it.each([
    [{ title: undefined }, '/title', 'title is required: it must be a string'],
    [{ title: '' }, '/title', 'title must not be empty'],
    [{ title: 7 }, '/title', 'title must be a string (got 7)'],
    [{ title: 'x'.repeat(1_000_000) }, '/title', 'title must have at most 2000 characters (got 1000000 characters)'],
    [{ title: 'a\ud800' }, '/title', 'title must be well-formed Unicode (it has a lone surrogate) (got "a\\u{d800}")'],
    [{ title: 'a\u0000' }, '/title', 'title must not contain the character U+0000'],
    [{ sellerId: null }, '/sellerId', 'sellerId must be a string (got null)'],
    [{ price: '12 USD' }, '/price', 'price must be an object (got "12 USD")'],
    [{ price: { amount: NaN, currency: 'USD' } }, '/price/amount', 'price.amount must be a finite number (got NaN)'],
    [
      { price: { amount: Infinity, currency: 'USD' } },
      '/price/amount',
      'price.amount must be a finite number (got Infinity)',
    ],
    [{ price: { amount: -1, currency: 'USD' } }, '/price/amount', 'price.amount must not be negative (got -1)'],
    [{ price: { amount: 1e300, currency: 'USD' } }, '/price/amount', 'price.amount must be at most 10^12 (got 1e+300)'],
    [
      { price: { amount: 1, currency: 'usd' } },
      '/price/currency',
      'price.currency must be an ISO 4217 code in capitals, such as USD (got "usd")',
    ],
    [{ price: { amount: 1, currency: 'BTC' } }, '/price/currency', 'price.currency must be an ISO 4217 code'],
    [{ condition: 'good' }, '/condition', 'condition must be one of new, refurbished, used, unknown (got "good")'],
    [{ submittedAt: '2026-13-01T00:00:00Z' }, '/submittedAt', 'submittedAt must be an RFC 3339 date-time'],
    [{ submittedAt: '1999-12-31T00:00:00Z' }, '/submittedAt', 'submittedAt must lie between the years 2000 and 2099'],
    [{ seller: { createdAt: '1980-01-01T00:00:00Z' } }, '/seller/createdAt', 'seller.createdAt must lie between'],
    [{ quantity: 1.5 }, '/quantity', 'quantity must be a whole number (got 1.5)'],
    [
      { images: Array.from({ length: 10_000 }, () => ({ data: '' })) },
      '/images',
      'images must have at most 100 entries (got 10000)',
    ],
    [{ images: [{ url: 'file:///etc/passwd' }] }, '/images/0/url', 'images[0].url must be an http or https URL'],
    [{ images: [{ sha256: 'a'.repeat(64) }] }, '/images/0', 'images[0] must have a url or data'],
    [
      { images: [{ url: 'https://a.example/1.jpg', data: 'AAAA' }] },
      '/images/0',
      'images[0] must have a url or data, not both',
    ],
    [{ images: [{ data: '!' }] }, '/images/0/data', 'images[0].data must be base64 (got "!")'],
    [{ images: [{ data: 'AA\u0141A' }] }, '/images/0/data', 'images[0].data must be base64 (got "AA\u0141A")'],
    [{ images: [{ data: 5 }] }, '/images/0/data', 'images[0].data must be a string (got 5)'],
    [
      { images: [{ data: 'AAAA\nAAAA\n' }] },
      '/images/0/data',
      'images[0].data must be base64 without line breaks (`base64 -w0 FILE`)',
    ],
    [{ category: 'Shoes' }, '/category', 'category must be a list (got "Shoes")'],
    [
      { attributes: { 'a/b~': { deep: 1 } } },
      '/attributes/a~1b~0',
      'attributes["a/b~"] must be a string or a finite number or a boolean or a list (got an object)',
    ],
    [
      { attributes: { size: 'x'.repeat(4_001) } },
      '/attributes/size',
      'attributes.size must have at most 4000 characters',
    ],
    [{ attributes: { '': 1 } }, '/attributes/', 'has a name that must not be empty'],
    [{ attributes: { ['k'.repeat(201)]: 1 } }, '/attributes', 'has a name that must have at most 200 characters'],
    [
      { attributes: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`k${i}`, i])) },
      '/attributes',
      'attributes must have at most 200 entries',
    ],
  ])('%#', (fields, path, message) => {
    const read = parseListing({ ...base, marketplace: 'shop', ...fields })
    expect(read).toMatchObject({
      kind: 'refuse',
      listingId: 'L-1',
      revision: 1,
      marketplace: 'shop',
      code: 'invalid',
      path,
    })
    expect(read.kind === 'refuse' && read.message).toContain(message)
  })

  it.each([
    [
      { images: Array.from({ length: 200_000 }, () => 5) },
      '/images',
      'images must have at most 100 entries (got 200000)',
    ],
    [
      { category: Array.from({ length: 21 }, () => 'x') },
      '/category',
      'category must have at most 20 entries (got 21)',
    ],
    [
      { attributes: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, {}])) },
      '/attributes',
      'attributes must have at most 200 entries (got 100000)',
    ],
    [
      { attributes: { size: Array.from({ length: 101 }, () => '') } },
      '/attributes/size',
      'attributes["size"] must have at most 100 entries (got 101)',
    ],
  ])('a crowded list is counted, not looked through: %#', (fields, path, message) => {
    expect(parseListing({ ...base, title: 5, ...fields })).toMatchObject({ kind: 'refuse', path, message })
  })

  it('names three fields and counts the rest', () => {
    const read = parseListing({ ...base, title: 1, brand: 1, quantity: -1, lotSize: 0, condition: 'x' })
    expect(read.kind === 'refuse' && read.message).toMatch(/^title .*; brand .*; condition .*; and 2 more$/)
  })
})

describe('a picture named by its path', () => {
  const named = (url: string) => ({ ...base, images: [{ url }] })

  it.each(['1.png', './1.png', 'shoes/two words.png', '..odd.png', '12:30.png', 'a%2f..%2fb.png'])(
    'is taken of a row of a file alone: %j',
    (url) => {
      expect(parseFiledListing(named(url))).toMatchObject({ kind: 'ok', value: { images: [{ url }] } })
      expect(parseListing(named(url))).toMatchObject({ kind: 'refuse', path: '/images/0/url' })
    },
  )

  it.each([
    '',
    '..',
    '../1.png',
    'a/../1.png',
    'a\\..\\1.png',
    '/etc/passwd',
    '\\\\host\\share',
    'C:\\1.png',
    'file:///etc/passwd',
    'ftp://a.example/1.jpg',
    'data:image/png;base64,AAAA',
    '1.png\0.jpg',
    'x'.repeat(LISTING_LIMITS.url + 1),
  ])('is refused where it leads out, or is no path: %#', (url) => {
    expect(parseFiledListing(named(url))).toMatchObject({ kind: 'refuse', path: '/images/0/url' })
  })

  it('changes nothing else of what a row may be', () => {
    const many = Array.from({ length: 101 }, () => ({ url: '1.png' }))
    for (const images of [[{ url: '1.png', data: 'AAAA' }], [{}], [{ url: '1.png', sha256: 'x' }], many])
      expect(parseFiledListing({ ...base, images })).toMatchObject({ kind: 'refuse' })
    const web = { ...base, images: [{ url: 'https://a.example/1.jpg' }] }
    expect(parseFiledListing(web)).toEqual(parseListing(web))
  })
})

describe('a listing that cannot be named', () => {
  it.each([
    [null, 'it must be an object (got null)'],
    [[], 'it must be an object (got a list of 0)'],
    [{ ...base, listingId: 5 }, 'listingId must be a string (got 5)'],
    [{ ...base, listingId: '' }, 'listingId must not be empty'],
    [{ ...base, listingId: 'x'.repeat(257) }, 'listingId must have at most 256 characters'],
    [{ ...base, revision: 0 }, 'revision must be at least 1 (got 0)'],
    [{ ...base, revision: '1' }, 'revision must be a finite number (got "1")'],
    [{ ...base, revision: 2 ** 31 }, 'revision must be at most 2147483647'],
  ])('%#', (data, message) => {
    const read = parseListing(data)
    expect(read).toMatchObject({ kind: 'unidentifiable', message: expect.stringContaining(message) })
  })
})

describe('identity alone', () => {
  it('is read from a record whose other fields do not fit, with the marketplace where that does', () => {
    const named = { listingId: 'L-1', revision: 1 }
    expect(parseIdentity({ ...named, title: 5 })).toEqual({ kind: 'ok', value: named })
    expect(parseIdentity({ ...named, marketplace: 'shop' })).toEqual({
      kind: 'ok',
      value: { ...named, marketplace: 'shop' },
    })
    expect(parseIdentity({ ...named, marketplace: 5 })).toEqual({ kind: 'ok', value: named })
    expect(parseIdentity({ listingId: 'L-1' })).toMatchObject({
      kind: 'unidentifiable',
      message: expect.stringContaining('revision is required'),
    })
  })
})

describe('messages never carry a stranger’s text as it is', () => {
  it('long texts are cut, hidden characters and line breaks are escaped', () => {
    const evil = `\u202e\n"${'A'.repeat(100_000)}`
    const read = parseListing({
      ...base,
      condition: evil,
      price: { amount: 1, currency: evil },
      attributes: { [evil]: {} },
    })
    if (read.kind !== 'refuse') throw new Error('it was read')
    expect(read.message.length).toBeLessThan(600)
    expect(read.message).toContain('\\u{202e}\\u{a}\\"AAA')
    expect(read.message + read.path).not.toMatch(/[\u202e\n]/)
  })

  it('whatever comes, the message is short and the answer a value', () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.object(),
      fc.record(mapFields(fc.anything()), { requiredKeys: ['listingId', 'revision'] }),
    )
    fc.assert(
      fc.property(anything, (data) => {
        const read = parseListing(data)
        if (read.kind !== 'ok') expect(read.message.length).toBeLessThan(1_500)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('what is read', () => {
  it('is what was sent, without unknown fields, and frozen', () => {
    const sent = {
      ...base,
      title: '  Ba\u0301g ',
      attributes: { size: ['38', '39'], n: 1 },
      images: [{ url: 'https://a.example/1.jpg' }],
      extra: { deep: [1] },
    }
    const read = parseListing(sent)
    const { extra: _, ...known } = sent
    expect(read).toEqual({ kind: 'ok', value: known })
    if (read.kind === 'ok') {
      expect(Object.isFrozen(read.value.images?.[0])).toBe(true)
      expect(Object.isFrozen(sent.images[0])).toBe(false)
    }
  })

  it('a member named __proto__ changes no prototype', () => {
    const read = parseListing(
      JSON.parse(
        `{"listingId":"L","revision":1,"sellerId":"S","title":"T","__proto__":{"x":1},"attributes":{"__proto__":"y","a":"b"}}`,
      ),
    )
    expect(read).toEqual({
      kind: 'ok',
      value: { listingId: 'L', revision: 1, sellerId: 'S', title: 'T', attributes: { a: 'b' } },
    })
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  })

  it('the limits themselves are allowed', () => {
    const read = parseListing({
      ...base,
      title: 'x'.repeat(LISTING_LIMITS.title),
      description: 'y'.repeat(LISTING_LIMITS.description),
      revision: LISTING_LIMITS.revision,
    })
    expect(read.kind).toBe('ok')
  })
})

function mapFields(value: fc.Arbitrary<unknown>): Record<keyof typeof listingSchema.shape, fc.Arbitrary<unknown>> {
  const fields = Object.fromEntries(Object.keys(listingSchema.shape).map((k) => [k, value])) as Record<
    keyof typeof listingSchema.shape,
    fc.Arbitrary<unknown>
  >
  return { ...fields, listingId: fc.constant('L'), revision: fc.constant(1) }
}
