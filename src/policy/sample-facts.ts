// Facts with a value in every field, to try a rule on when it is compiled: what does not fit these fits no listing.
import type { Listing } from '../domain/listing.ts'
import { readFacts, type Facts } from './facts.ts'

const listing: Listing = {
  listingId: 'sample',
  revision: 1,
  submittedAt: '2026-01-01T00:00:00Z',
  marketplace: 'sample',
  sellerId: 'sample',
  seller: {
    createdAt: '2025-01-01T00:00:00Z',
    country: 'DE',
    ratingCount: 1,
    ratingAverage: 5,
    complaintCount: 1,
    salesCount: 1,
  },
  title: 'sample',
  description: 'sample',
  language: 'en',
  brand: 'sample',
  category: ['sample'],
  attributes: { sample: 'sample' },
  condition: 'new',
  price: { amount: 1, currency: 'USD' },
  quantity: 1,
  lotSize: 1,
  shipsFrom: 'DE',
  images: [{ url: 'https://example.com/1.jpg', sha256: '0'.repeat(64) }],
}

export const SAMPLE_FACTS: Facts = readFacts(
  {
    risk: {
      risk: 0.5,
      base: 0,
      signals: [
        { name: 'sample', version: '1', state: 'scored', score: 0.5, contribution: 0, evidence: {}, durationMs: 0 },
      ],
      model: 'sample',
    },
    listing,
    brandIds: ['sample'],
    brands: new Map(),
    usdPer: () => 1,
    now: new Date('2026-01-01T00:00:00Z'),
  },
  'low',
)
