// How many infringe, place by place. Real: the shares, the fit, the fusion with the card that ships; made up: what was drawn.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { priorAt, scorecardSchema } from '../../../src/domain/scorecard.ts'
import { baseRates, type SampledRow } from '../../../src/learning/base-rates.ts'
import { fitFusion } from '../../../src/learning/fit-fusion.ts'
import { fuse, logit } from '../../../src/risk/fuse.ts'
import { parseScorecard } from '../../../src/risk/parse-scorecard.ts'
import { scored } from './labelled.ts'

const shipped = parseScorecard(readFileSync(new URL('../../../models/fusion/2/card.json', import.meta.url), 'utf8'))
const { prior } = shipped
const draws = (n: number, marketplace: string | null, more: Partial<SampledRow> = {}): SampledRow[] =>
  Array.from({ length: n }, (_, i) => ({ positive: i % 2 === 0, marketplace, drawn: true, weight: 1, ...more }))

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
