// Invented decisions for the page: every outcome, long and hostile texts, both directions of writing.
import type { Decision } from '../../src/domain/decision.ts'
import { decisionOf, type MemoryWorld } from '../unit/api/memory-ports.ts'

const HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'

interface Sample {
  readonly title: string
  readonly brand?: string
  readonly price?: { amount: number; currency: string }
  readonly description?: string
  readonly decision: Partial<Decision>
}

const priceSignal = (score: number, contribution: number): Decision['signals'][number] => ({
  name: 'price',
  version: '1',
  state: 'scored',
  score,
  contribution,
  durationMs: 0.05,
  evidence: { usd: 25, band: { low: 300, typical: 450, high: 900 }, kind: 'bag' },
})

const abstained = (name: string): Decision['signals'][number] => ({
  name,
  version: '1',
  state: 'abstained',
  contribution: 0,
  durationMs: 0.01,
  evidence: {},
})

/** One that says in its own words what it is, with the places marked. */
const title = 'Valora Milano bag, mirror quality 1:1, with box and receipt'
const description = 'Best AAA+ grade, same factory as the original. Ships in plain parcel.\nAsk for more colours.'
const overt: Sample = {
  title,
  brand: 'Valora Milano',
  price: { amount: 25, currency: 'USD' },
  description,
  decision: {
    outcome: 'block',
    risk: 0.9934,
    riskClass: 'high',
    brandIds: ['valora-milano'],
    models: { fusion: 'v2', text: '1' },
    modelParts: { fusion: '2' },
    base: -3.5,
    reasons: [
      { code: 'give-away-wording', text: 'The text describes the goods as a copy.', signal: 'wording' },
      {
        code: 'price-far-below-brand',
        text: 'The price is far below what goods of this brand usually sell for.',
        signal: 'price',
      },
    ],
    signals: [
      {
        name: 'wording',
        version: '3',
        state: 'scored',
        score: 0.97,
        contribution: 6.1,
        durationMs: 0.21,
        evidence: {
          hits: [
            { phrase: 'mirror quality', span: { field: 'title', start: 19, end: 33, text: title.slice(19, 33) } },
            { phrase: '1:1', span: { field: 'title', start: 34, end: 37, text: title.slice(34, 37) } },
            { phrase: 'AAA+ grade', span: { field: 'description', start: 5, end: 15, text: description.slice(5, 15) } },
            {
              phrase: 'same factory',
              span: { field: 'description', start: 17, end: 29, text: description.slice(17, 29) },
            },
          ],
        },
      },
      {
        name: 'brand',
        version: '2',
        state: 'scored',
        score: 0.4,
        contribution: 0.6,
        durationMs: 0.08,
        evidence: {
          mentions: [
            { brandId: 'valora-milano', span: { field: 'title', start: 0, end: 13, text: title.slice(0, 13) } },
          ],
        },
      },
      priceSignal(0.9, 1.8),
    ],
  },
}

const SAMPLES: readonly Sample[] = [
  {
    title: 'Handmade ceramic mug, blue glaze',
    price: { amount: 18.5, currency: 'EUR' },
    decision: {
      outcome: 'allow',
      risk: 0.004,
      riskClass: 'low',
      base: -3.5,
      signals: [abstained('wording'), abstained('brand'), { ...priceSignal(0.1, -2) }],
    },
  },
  overt,
  {
    title: 'Corvin running shoes size 42',
    brand: 'Corvin',
    price: { amount: 39, currency: 'USD' },
    decision: {
      outcome: 'hold',
      risk: 0.47,
      riskClass: 'medium',
      brandIds: ['corvin'],
      base: -3.5,
      reasons: [
        {
          code: 'price-far-below-brand',
          text: 'The price is far below what goods of this brand usually sell for.',
          signal: 'price',
        },
      ],
      signals: [abstained('wording'), { ...abstained('brand'), state: 'failed' }, priceSignal(0.88, 3.38)],
      hold: { until: '2026-01-02T00:00:00Z', onDeadline: 'block' },
      degraded: true,
    },
  },
  {
    title: `Case ${HOSTILE}`,
    brand: HOSTILE,
    price: { amount: 9.99, currency: 'GBP' },
    description: HOSTILE,
    decision: { outcome: 'allow', risk: 0.032, riskClass: 'low' },
  },
  {
    title: 'ساعة يد رجالية فاخرة \u202eهنا\u202c',
    brand: 'كورفين',
    price: { amount: 120_000, currency: 'JPY' },
    decision: {
      outcome: 'hold',
      risk: 0.61,
      riskClass: 'medium',
      reasons: [{ code: 'brand-in-disguise', text: 'A brand’s name is written in a disguised way.', signal: 'brand' }],
    },
  },
  {
    title: `Vintage ${'very '.repeat(60)}long title`,
    price: { amount: 1_234_567.5, currency: 'USD' },
    decision: { outcome: 'allow', risk: 0.0002, riskClass: 'low', stage: 'review', sequence: 2 },
  },
  { title: 'Supercalifragilistic'.repeat(8), decision: { outcome: 'allow', risk: 0.08, riskClass: 'low' } },
]

/** Publishes one of each and a refusal; returns the id of the one that says what it is. */
export function publishSamples(world: MemoryWorld): string {
  SAMPLES.forEach((sample, i) => publish(world, sample, `D-${i + 1}`))
  world.publish({
    listingId: 'D-refused',
    revision: 3,
    code: 'invalid',
    message: `price.currency: must be an ISO 4217 code, not ${HOSTILE}`,
    path: '/price/currency',
    at: new Date().toISOString(),
  })
  return 'D-2'
}

export function publishOne(world: MemoryWorld, listingId: string): void {
  publish(
    world,
    { title: `Arrived later ${listingId}`, decision: { outcome: 'hold', risk: 0.5, riskClass: 'medium' } },
    listingId,
  )
}

function publish(world: MemoryWorld, sample: Sample, listingId: string): void {
  const { decision, ...listing } = sample
  world.listings.set(listingId, listing)
  world.publish(
    decisionOf({ decisionId: crypto.randomUUID(), listingId, decidedAt: new Date().toISOString(), ...decision }),
  )
}
