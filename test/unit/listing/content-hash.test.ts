// Real: the hash, over listings that the real parser reads.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { listingSchema } from '../../../src/domain/listing.ts'
import { contentHash } from '../../../src/listing/content-hash.ts'
import { parseListing } from '../../../src/listing/parse-listing.ts'

const full = {
  listingId: 'L-1',
  revision: 2,
  submittedAt: '2026-01-01T00:00:00Z',
  marketplace: 'shop',
  sellerId: 'S-1',
  seller: {
    createdAt: '2020-01-01T00:00:00Z',
    country: 'CN',
    ratingCount: 1,
    ratingAverage: 4.5,
    complaintCount: 0,
    salesCount: 2,
  },
  title: 'Schöne Tasche',
  description: 'Leder',
  language: 'de',
  brand: 'Atelier Nord',
  category: ['Bags', 'Totes'],
  attributes: { gtin: '4006381333931', colours: ['red', 'blue'], weight: 0.1, leather: true },
  condition: 'new',
  price: { amount: 25, currency: 'EUR' },
  quantity: 3,
  lotSize: 1,
  shipsFrom: 'DE',
  images: [{ url: 'https://a.example/1.jpg', sha256: 'a'.repeat(64) }, { data: 'AAAA' }],
}

function hashOf(data: unknown): string {
  const read = parseListing(data)
  if (read.kind !== 'ok') throw new Error(read.message)
  return contentHash(read.value)
}

/** The same value with the fields of every object in another order. */
function shuffled(value: unknown, order: (n: number) => number): unknown {
  if (Array.isArray(value)) return value.map((v) => shuffled(v, order))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([k, v]) => [order(1000), k, shuffled(v, order)] as const)
  return Object.fromEntries(entries.sort((a, b) => a[0] - b[0]).map(([, k, v]) => [k, v]))
}

it('is SHA-256 over RFC 8785: sorted names, numbers as ECMAScript writes them, UTF-8', () => {
  const listing = { title: 'é', sellerId: 'S', revision: 1, listingId: 'L', price: { currency: 'EUR', amount: 25.0 } }
  const canonical = '{"listingId":"L","price":{"amount":25,"currency":"EUR"},"revision":1,"sellerId":"S","title":"é"}'
  expect(hashOf(listing)).toBe(createHash('sha256').update(canonical, 'utf8').digest('hex'))
})

describe('what changes it', () => {
  it('neither the order of fields, nor unknown fields, nor the time of sending', () => {
    const expected = hashOf(full)
    const unknown = fc.dictionary(
      fc.string().map((s) => `x-${s}`),
      fc.jsonValue(),
      { maxKeys: 3 },
    )
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(999)), unknown, unknown, (order, top, inner) => {
        const mixed = shuffled(
          { ...full, seller: { ...full.seller, ...inner }, ...top, submittedAt: '2026-02-02T00:00:00Z' },
          () => order.next().value ?? 0,
        )
        expect(hashOf(mixed)).toBe(expected)
      }),
      { numRuns: 200 },
    )
    const { submittedAt: _, ...without } = full
    expect(hashOf(without)).toBe(expected)
  })

  const changed: Record<Exclude<keyof typeof listingSchema.shape, 'submittedAt'>, unknown> = {
    listingId: 'L-2',
    revision: 3,
    marketplace: 'shop2',
    sellerId: 'S-2',
    seller: { ...full.seller, salesCount: 3 },
    title: 'Scho\u0308ne Tasche',
    description: 'Leder ',
    language: 'en',
    brand: 'Atelier Sud',
    category: ['Totes', 'Bags'],
    attributes: { ...full.attributes, colours: ['blue', 'red'] },
    condition: 'used',
    price: { amount: 25.01, currency: 'EUR' },
    quantity: 4,
    lotSize: 2,
    shipsFrom: 'CN',
    images: full.images.slice(0, 1),
  }
  it.each(Object.entries(changed))('a change of %s, and its absence', (field, value) => {
    expect(hashOf({ ...full, [field]: value })).not.toBe(hashOf(full))
    const { [field as 'title']: _, ...without } = full
    if (!['listingId', 'revision', 'sellerId', 'title'].includes(field)) expect(hashOf(without)).not.toBe(hashOf(full))
  })

  it('any other title', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ minLength: 1, unit: 'binary' }), (a, b) => {
        fc.pre(!a.includes('\0') && !b.includes('\0'))
        expect(hashOf({ ...full, title: a }) === hashOf({ ...full, title: b })).toBe(a === b)
      }),
    )
  })
})
