// The fusion, fitted. Real: the fit, the card that ships, the fusion itself; made up: what people said.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { priorAt, scorecardSchema } from '../../../src/domain/scorecard.ts'
import { fitFusion, type FusionRow } from '../../../src/learning/fit-fusion.ts'
import { isotonic } from '../../../src/learning/isotonic.ts'
import { fuse } from '../../../src/risk/fuse.ts'
import { parseScorecard } from '../../../src/risk/parse-scorecard.ts'
import { scored } from './labelled.ts'

const shipped = parseScorecard(readFileSync(new URL('../../../models/fusion/1/card.json', import.meta.url), 'utf8'))
const row = (positive: boolean, signals: FusionRow['signals'], more: Partial<FusionRow> = {}): FusionRow => ({
  positive,
  signals,
  fitWeight: 1,
  weight: 1,
  drawn: false,
  marketplace: 'demo',
  ...more,
})
const times = (n: number, one: FusionRow): FusionRow[] => Array.from({ length: n }, () => one)
const ratio = (card: typeof shipped, name: string, score: number): number | undefined =>
  card.signals[name]?.knots.find((knot) => knot.score === score)?.likelihoodRatio

describe('the fit', () => {
  test('without labels is the card that ships, ratio for ratio', () => {
    const fitted = fitFusion(shipped, [])
    for (const [name, { knots }] of Object.entries(shipped.signals))
      for (const knot of knots) expect(ratio(fitted, name, knot.score)).toBeCloseTo(knot.likelihoodRatio, 3)
    expect(fitted.prior.probability).toBe(shipped.prior.probability)
  })

  test('lowers a signal that people keep rejecting and raises one that they keep confirming, the more the more they say', () => {
    const honest = row(false, [scored('price', 0.86)])
    const fake = row(true, [scored('brand', 0.2)])
    const few = fitFusion(shipped, [...times(3, honest), ...times(3, fake)])
    const many = fitFusion(shipped, [...times(60, honest), ...times(60, fake)])
    const at = (card: typeof shipped, name: string, score: number) => ratio(card, name, score) ?? Number.NaN
    expect(at(few, 'price', 0.86)).toBeLessThan(at(shipped, 'price', 0.86))
    expect(at(many, 'price', 0.86)).toBeLessThan(at(few, 'price', 0.86))
    expect(at(few, 'brand', 0.2)).toBeGreaterThan(at(shipped, 'brand', 0.2))
    expect(at(many, 'brand', 0.2)).toBeGreaterThan(at(few, 'brand', 0.2))
    expect(fuse(many, honest.signals).risk).toBeLessThan(0.2)
    expect(fuse(many, fake.signals).risk).toBeGreaterThan(0.6)
  })

  test('lets no signal speak for a listing more than the card that ships does', () => {
    const fitted = fitFusion(shipped, times(300, row(false, [scored('wording', 0.6), scored('price', 0.1)])))
    expect(ratio(fitted, 'wording', 0.6)).toBeGreaterThanOrEqual(1)
    expect(ratio(fitted, 'price', 0)).toBeGreaterThanOrEqual(0.8)
  })

  test('takes open wording for no less where only what it had stopped was looked at, and nine in ten of it was right', () => {
    const stopped = [scored('wording', 0.85), scored('price', 0.37)]
    const fitted = fitFusion(shipped, [...times(90, row(true, stopped)), ...times(10, row(false, stopped))])
    expect(fuse(fitted, stopped).risk).toBeGreaterThan(0.8)
    expect(fuse(fitted, stopped).risk).toBeLessThan(fuse(shipped, stopped).risk)
    expect(ratio(fitted, 'wording', 0.85)).toBeGreaterThan(20)
  })

  test('does not count twice what two signals say together', () => {
    const both = [scored('wording', 0.6), scored('brand', 0.95)]
    const rows = [...times(50, row(true, both)), ...times(50, row(false, both))]
    expect(fuse(fitFusion(shipped, rows), both).risk).toBeCloseTo(0.5, 1)
  })

  test('does not look at signals in shadow, at failed ones, nor at those that the card does not know', () => {
    const unheard = [
      scored('price', 0.86, { shadow: true }),
      scored('unknown', 0.9),
      scored('brand', 0.2, { state: 'failed' }),
    ]
    expect(fitFusion(shipped, times(60, row(false, unheard))).signals).toMatchObject(
      Object.fromEntries(
        ['price', 'brand'].map((name) => [
          name,
          { knots: shipped.signals[name]?.knots.map((k) => ({ score: k.score, likelihoodRatio: k.likelihoodRatio })) },
        ]),
      ),
    )
  })

  test('never falls with a rising score and is a scorecard, whatever people say', () => {
    const signals = fc.array(
      fc.tuple(fc.constantFrom('price', 'brand', 'wording'), fc.double({ min: 0, max: 1, noNaN: true })),
      { maxLength: 3 },
    )
    const rows = fc.array(fc.tuple(fc.boolean(), signals), { maxLength: 60 })
    fc.assert(
      fc.property(rows, (drawn) => {
        const fitted = fitFusion(
          shipped,
          drawn.map(([positive, pairs]) =>
            row(
              positive,
              [...new Map(pairs)].map(([name, score]) => scored(name, score)),
            ),
          ),
        )
        expect(scorecardSchema.safeParse(fitted).error).toBeUndefined()
      }),
      { numRuns: 40 },
    )
  })

  test('gives the same bytes for the same rows, and another version for others', () => {
    const rows = [...times(20, row(true, [scored('price', 0.5)])), ...times(20, row(false, [scored('price', 0.2)]))]
    expect(JSON.stringify(fitFusion(shipped, rows))).toBe(JSON.stringify(fitFusion(shipped, structuredClone(rows))))
    expect(fitFusion(shipped, rows).version).not.toBe(fitFusion(shipped, rows.slice(1)).version)
  })
})

describe('the prior', () => {
  test('stays as shipped while nothing is known of what goes on sale unseen', () => {
    const stopped = times(500, row(true, [scored('price', 0.5)]))
    expect(fitFusion(shipped, stopped).prior.probability).toBe(shipped.prior.probability)
    expect(
      fitFusion(shipped, [...stopped, ...times(19, row(false, [], { drawn: true, weight: 100 }))]).prior,
    ).toMatchObject({
      probability: shipped.prior.probability,
    })
  })

  test('follows what was drawn, each standing for as many as its share says', () => {
    const drawn = (n: number, positive: boolean) => times(n, row(positive, [], { drawn: true, weight: 100 }))
    const fitted = fitFusion(shipped, [...times(100, row(true, [])), ...drawn(900, false), ...drawn(100, true)])
    // 10,100 of 100,100 infringe; the shipped 2.5 % pulls it down by 100 listings.
    expect(priorAt(fitted, 'demo')).toBeGreaterThan(0.08)
    expect(priorAt(fitted, 'demo')).toBeLessThan(0.101)
  })
})

test('pooling adjacent violators gives the nearest sequence that never falls', () => {
  expect(isotonic([1, 3, 2, 4], [1, 1, 1, 1])).toEqual([1, 2.5, 2.5, 4])
  expect(isotonic([5, 1, 0], [1, 1, 2])).toEqual([1.5, 1.5, 1.5])
  expect(isotonic([], [])).toEqual([])
})
