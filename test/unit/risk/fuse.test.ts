// Fusion over made-up cards and every kind of result. Real: fuse, the scorecard schema, the card that ships.
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scorecardSchema, type Scorecard } from '../../../src/domain/scorecard.ts'
import type { SignalResult } from '../../../src/domain/signal-result.ts'
import { loadScorecard } from '../../../src/apps/scorecard-file.ts'
import { parseScorecard } from '../../../src/risk/parse-scorecard.ts'
import { fuse, logit } from '../../../src/risk/fuse.ts'

const models = fileURLToPath(new URL('../../../models/', import.meta.url))

function scored(name: string, score: number, more: Partial<SignalResult> = {}): SignalResult {
  return { name, version: '1', state: 'scored', score, contribution: 0, evidence: {}, durationMs: 0, ...more }
}

const NAMES = ['wording', 'brand', 'price'] as const

const anyKnots = fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 6 }).chain((scores) =>
  fc
    .array(fc.double({ min: -12, max: 12, noNaN: true }), { minLength: scores.length, maxLength: scores.length })
    .map((logs) => {
      const rising = [...logs].sort((a, b) => a - b)
      return scores
        .sort((a, b) => a - b)
        .map((s, i) => ({ score: s / 1000, likelihoodRatio: Math.exp(rising[i] ?? 0), source: 'made up' }))
    }),
)

const anyCard: fc.Arbitrary<Scorecard> = fc
  .record({
    probability: fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }),
    knots: fc.array(anyKnots, { minLength: 3, maxLength: 3 }),
  })
  .map(({ probability, knots }) =>
    scorecardSchema.parse({
      name: 'fusion',
      version: 'test',
      description: '',
      prior: { probability, source: 'made up' },
      signals: Object.fromEntries(NAMES.map((name, i) => [name, { knots: knots[i] }])),
    }),
  )

const anyScores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
const results = (scores: readonly number[]) => NAMES.map((name, i) => scored(name, scores[i] ?? 0))

describe('fuse', () => {
  it('adds up: logit(risk) is base plus all contributions, and risk is never certain', () => {
    fc.assert(
      fc.property(anyCard, anyScores, (card, scores) => {
        const { risk, base, signals } = fuse(card, results(scores))
        expect(risk).toBeGreaterThan(0)
        expect(risk).toBeLessThan(1)
        const sum = signals.reduce((total, s) => total + s.contribution, base)
        expect(Math.abs(logit(risk) - sum)).toBeLessThan(1e-9)
      }),
    )
  })

  it('never lowers the risk when a score rises', () => {
    fc.assert(
      fc.property(
        anyCard,
        anyScores,
        fc.nat(2),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (card, scores, at, rise) => {
          const higher = scores.map((s, i) => (i === at ? s + (1 - s) * rise : s))
          expect(fuse(card, results(higher)).risk).toBeGreaterThanOrEqual(fuse(card, results(scores)).risk - 1e-12)
        },
      ),
    )
  })

  it('never lowers the risk by evidence whose ratio is at least 1', () => {
    fc.assert(
      fc.property(anyCard, anyScores, (card, scores) => {
        const knots =
          card.signals['price']?.knots.map((k) => ({ ...k, likelihoodRatio: Math.max(1, k.likelihoodRatio) })) ?? []
        const raised = { ...card, signals: { ...card.signals, price: { knots } } }
        const all = results(scores)
        expect(fuse(raised, all).risk).toBeGreaterThanOrEqual(fuse(raised, all.slice(0, 2)).risk - 1e-12)
      }),
    )
  })

  const card = parseScorecard(
    JSON.stringify({
      name: 'fusion',
      version: '7',
      description: '',
      prior: { probability: 0.1, source: 'made up' },
      signals: {
        price: {
          knots: [
            { score: 0.2, likelihoodRatio: 0.5, source: 'made up' },
            { score: 0.6, likelihoodRatio: 8, source: 'made up' },
          ],
        },
      },
    }),
  )

  it('interpolates the log of the ratio between knots and keeps it constant outside', () => {
    const at = (score: number) => fuse(card, [scored('price', score)]).signals[0]?.contribution ?? Number.NaN
    expect(at(0)).toBeCloseTo(Math.log(0.5), 12)
    expect(at(0.4)).toBeCloseTo(Math.log(2), 12)
    expect(at(1)).toBeCloseTo(Math.log(8), 12)
  })

  it('lets what is of a part count against a listing and never for it', () => {
    fc.assert(
      fc.property(anyCard, fc.double({ min: 0, max: 1, noNaN: true }), (card, score) => {
        const [whole = 0, part = 0] = [false, true].map(
          (incomplete) => fuse(card, [scored('price', score, { incomplete })]).signals[0]?.contribution,
        )
        expect(part).toBe(Math.max(0, whole))
      }),
    )
  })

  it('lets abstained, failed, shadow and unknown signals add exactly nothing, and keeps them in the record', () => {
    const silent = [
      scored('price', 1, { shadow: true }),
      scored('price', 1, { state: 'failed' }),
      scored('price', 1, { state: 'abstained' }),
      scored('constructor', 1),
      scored('nobody', 1),
    ]
    const risk = fuse(card, silent)
    expect(risk.risk).toBeCloseTo(0.1, 12)
    expect(risk.signals.map((s) => s.contribution)).toEqual([0, 0, 0, 0, 0])
    expect(risk.model).toBe('7')
  })
})

describe('the card that ships', () => {
  it('parses, is frozen, and names a source for every ratio', async () => {
    const shipped = await loadScorecard(models)
    expect(Object.keys(shipped.signals).sort()).toEqual(['brand', 'image-hash', 'price', 'text-model', 'wording'])
    expect(Object.isFrozen(shipped.signals['price']?.knots)).toBe(true)
  })

  it('says which version is missing instead of deciding with another', async () => {
    await expect(loadScorecard(models, 'no-such')).rejects.toThrow(/no-such/)
  })
})
