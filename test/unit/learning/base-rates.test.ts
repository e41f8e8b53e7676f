// How many infringe, place by place. Real: the shares, the fit, the fusion with the card that ships; made up: what was drawn.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { priorAt, scorecardSchema } from '../../../src/domain/scorecard.ts'
import { baseAt, mostBase, placesOf, priorWith, type SampledRow } from '../../../src/learning/base-rates.ts'
import { fitFusion } from '../../../src/learning/fit-fusion.ts'
import { fuse, logit } from '../../../src/risk/fuse.ts'
import { parseScorecard } from '../../../src/risk/parse-scorecard.ts'
import { scored } from './labelled.ts'

const shipped = parseScorecard(readFileSync(new URL('../../../models/fusion/2/card.json', import.meta.url), 'utf8'))
const { prior } = shipped
const draws = (n: number, marketplace: string | null, more: Partial<SampledRow> = {}): SampledRow[] =>
  Array.from({ length: n }, (_, i) => ({ positive: i % 2 === 0, marketplace, drawn: true, weight: 1, ...more }))

/** As the fit does it, of rows of which no signal says anything. */
const baseRates = (from: typeof prior, rows: SampledRow[], holds: number[] = []) =>
  priorWith(
    from,
    rows,
    placesOf(rows).map((place) => ({ ...place, base: baseAt(place, rows, () => 0, from.probability) })),
    holds,
  )

describe('a base rate', () => {
  test('that was learnt on one marketplace moves nothing on another, nor where no marketplace is named', () => {
    const learnt = { prior: baseRates(prior, draws(140, 'shop-b')) }
    // Half of 140, pulled down by 100 listings of which 2.5 infringe.
    expect(priorAt(learnt, 'shop-b')).toBeCloseTo((70 + 2.5) / 240, 5)
    for (const other of ['shop-c', null, undefined, '__proto__']) expect(priorAt(learnt, other)).toBe(prior.probability)
  })

  test('of listings without a marketplace is one of its own', () => {
    const learnt = { prior: baseRates(prior, draws(40, null)) }
    expect(priorAt(learnt, undefined)).toBeGreaterThan(0.1)
    expect(priorAt(learnt, 'shop-b')).toBe(prior.probability)
  })

  test('stays as shipped where fewer than 20 were drawn on that marketplace, however many were elsewhere or were held', () => {
    const rows = [...draws(19, 'shop-b'), ...draws(19, 'shop-c'), ...draws(500, 'shop-b', { drawn: false })]
    expect(baseRates(prior, rows)).toEqual({
      probability: prior.probability,
      source: expect.stringMatching(/^As shipped, no /) as string,
    })
  })

  test('says where its draws come from, in one order', () => {
    const rows = [
      ...draws(30, 'b'),
      ...draws(20, 'a', { positive: false, weight: 50 }),
      ...draws(5, 'b', { drawn: false }),
    ]
    const { marketplaces } = baseRates(prior, rows)
    expect(marketplaces?.map((one) => one.marketplace)).toEqual(['a', 'b'])
    expect(marketplaces?.[0]?.source).toMatch(/^20 listings drawn there \(0 confirmed\) among 20 /)
    expect(marketplaces?.[1]?.source).toMatch(/^30 listings drawn there \(15 confirmed\) among 35 /)
    expect(baseRates(prior, rows.toReversed())).toEqual(baseRates(prior, rows))
  })
})

test('a fitted card weighs a listing from the base of its own marketplace: allowed where nothing was drawn, and it adds up', () => {
  const rows = draws(140, 'shop-b').map((row) => ({
    ...row,
    fitWeight: 1,
    signals: [scored('brand', 0.2), scored('price', row.positive ? 0.54 : 0)],
  }))
  const card = fitFusion(shipped, rows)
  expect(scorecardSchema.parse(JSON.parse(JSON.stringify(card)))).toEqual(card)
  const plain = [scored('brand', 0.2), scored('price', 0)]
  for (const marketplace of ['shop-c', undefined]) {
    expect(fuse(card, plain, marketplace).risk).toBeLessThan(0.05)
    expect(fuse(card, plain, marketplace).base).toBeCloseTo(logit(prior.probability), 9)
  }
  const { risk, base, signals } = fuse(card, plain, 'shop-b')
  expect(base).toBeCloseTo(logit(priorAt(card, 'shop-b')), 9)
  expect(logit(risk)).toBeCloseTo(
    signals.reduce((sum, signal) => sum + signal.contribution, base),
    9,
  )
  // The ratios are fitted from the base of each row's own place: half of these infringe, and none of it is left to the brand.
  expect(fuse(card, [scored('brand', 0.2)], 'shop-c').risk).toBeLessThan(0.05)
})

describe('no listing is held by its marketplace alone', () => {
  const HOLDS = [0.2, 0.12]
  const nothing = (card: typeof shipped, marketplace: string) => fuse(card, [], marketplace).risk

  test('where half of what was drawn infringes and no signal finds it: the base is kept, says so, and no ratio makes up for it', () => {
    const rows = draws(400, 'shop-b').map((row) => ({ ...row, fitWeight: 1, signals: [scored('brand', 0.2)] }))
    const [free, kept] = [fitFusion(shipped, rows), fitFusion(shipped, rows, HOLDS)]
    expect(nothing(free, 'shop-b')).toBeGreaterThan(0.3)
    // Two to one below the lower of the two.
    expect(nothing(kept, 'shop-b')).toBeCloseTo(1 / (1 + (2 * 0.88) / 0.12), 5)
    expect(kept.prior.marketplaces?.[0]?.source).toMatch(/kept at 0\.0638\d* of 0\.\d+: more would hold/)
    expect(fuse(kept, [scored('brand', 0.2)], 'shop-c').risk).toBeLessThan(0.05)
    expect(fuse(kept, [scored('brand', 0.2)], 'shop-b').risk).toBeLessThan(0.12)
  })

  test('whatever was drawn, held and said, and from whatever risk on the policy holds', () => {
    const signals = fc.array(
      fc.tuple(fc.constantFrom('price', 'brand', 'wording'), fc.double({ min: 0, max: 1, noNaN: true })),
      { maxLength: 2 },
    )
    const row = fc.record({
      positive: fc.constantFrom(true, true, true, false),
      marketplace: fc.constantFrom('a', null),
      drawn: fc.constantFrom(true, true, false),
      weight: fc.constantFrom(1, 7, 100),
      fitWeight: fc.constantFrom(1, 0.1),
      signals: signals.map((pairs) => [...new Map(pairs)].map(([name, score]) => scored(name, score))),
    })
    const some = fc.array(row, { minLength: 60, maxLength: 90 })
    fc.assert(
      fc.property(some, fc.double({ min: 0.01, max: 0.5, noNaN: true }), (rows, hold) => {
        const card = fitFusion(shipped, rows, [hold])
        for (const { probability } of card.prior.marketplaces ?? [])
          if (hold > prior.probability) expect(probability).toBeLessThan(hold)
          else expect(probability).toBeLessThanOrEqual(1)
      }),
      { numRuns: 25 },
    )
  })

  test('a policy that holds at the shipped share already holds what it likes; the highest base counts the others', () => {
    expect(mostBase(0.025, [0.02, 0.2])).toBeCloseTo(1 / 9, 6)
    expect(mostBase(0.025, [0.02])).toBe(1)
    // Never below what is assumed everywhere.
    expect(mostBase(0.025, [0.03])).toBe(0.025)
  })
})

test('what signals find is not counted again in the base, and what was looked at because of them does not raise it', () => {
  const plain = (positive: boolean, more: Partial<SampledRow> = {}) => ({
    positive,
    marketplace: 'shop-b',
    drawn: true,
    weight: 1,
    fitWeight: 1,
    ...more,
    signals: [scored('wording', positive ? 0.85 : 0)],
  })
  const times = (n: number, one: ReturnType<typeof plain>) => Array.from({ length: n }, () => one)
  const allDrawn = fitFusion(shipped, [...times(100, plain(true)), ...times(100, plain(false))])
  // Half of them were fakes: a base of their share would be 0.34.
  expect(fuse(allDrawn, [], 'shop-b').risk).toBeLessThan(0.08)
  expect(fuse(allDrawn, plain(true).signals, 'shop-b').risk).toBeGreaterThan(0.8)
  // Held and reviewed rows, nearly all right, beside a few draws: their share would be 0.66.
  const skewed = fitFusion(shipped, [
    ...times(300, plain(true, { drawn: false })),
    ...times(25, plain(false, { weight: 2 })),
  ])
  expect(fuse(skewed, [], 'shop-b').risk).toBeLessThan(0.08)
})
