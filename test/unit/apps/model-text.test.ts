// A card as a person reads it. Real: the text, the figures; made up: the rows.
import { describe, expect, test } from 'vitest'
import type { ModelCard } from '../../../src/domain/model.ts'
import { cardText } from '../../../src/apps/model-text.ts'
import { judge, textFigures } from '../../../src/pipeline/learning/card.ts'
import type { Scorecard } from '../../../src/domain/scorecard.ts'
import { trainingSet } from '../../../src/learning/training-set.ts'
import { losses } from '../../../src/pipeline/learning/objections.ts'
import { at, labelled, scored } from '../learning/labelled.ts'

const card = (measured: object, more: object = {}) =>
  ({
    description: 'Of a test.',
    trained: { seed: 7, marketplaces: ['demo'], rows: 40, confirmed: 20, until: null, invented: false },
    measured,
    ...more,
  }) as unknown as ModelCard
const rows = trainingSet(
  Array.from({ length: 10 }, (_, i) =>
    labelled(`L-${i}`, i % 2 === 0 ? 'confirmed' : 'rejected', { signals: [scored('price', i % 2 === 0 ? 1 : 0.6)] }),
  ),
)

describe('the card of a text model', () => {
  const figures = (champion: (i: number) => number | undefined) =>
    textFigures(
      rows.map((row, i) => ({ ...row, candidate: row.label === 'confirmed' ? 0.9 : 0.1, champion: champion(i) })),
      { champion: '1' },
    )
  const shown = (champion: (i: number) => number | undefined) => cardText(card(figures(champion)))

  test('says that there was nothing to compare where both scored nothing, or only one kind', () => {
    expect(shown(() => undefined)).toMatch(/Beside version 1 there was nothing to compare: there is no listing/)
    expect(shown((i) => (i === 0 ? 0.5 : undefined))).toMatch(
      /nothing to compare: the 1 that both scored are of one kind/,
    )
    expect(figures(() => undefined).comparison).toMatchObject({ on: 0, standing: 'not compared' })
  })

  test('names both areas where there is something to compare, and five of a kind prove nothing', () => {
    expect(shown(() => 0.5)).toMatch(
      /Beside version 1 \(AUC 0\.5, this one 1, higher by 0\.5 \[-0\.1, 1\], on the 10 that both scored\): even\./,
    )
  })
})

describe('a text model beside the one that decides', () => {
  const signals = (i: number) => (i % 4 === 0 ? [scored('wording', 0.9)] : [])
  const some = trainingSet(
    Array.from({ length: 40 }, (_, i) =>
      labelled(`L-${i}`, i % 2 === 0 ? 'confirmed' : 'rejected', { signals: signals(i), at: at(i) }),
    ),
  )
  const standing = (candidate: (i: number) => number, champion: (i: number) => number) =>
    textFigures(
      some.map((row, i) => ({ ...row, candidate: candidate(i), champion: champion(i) })),
      { champion: '1' },
    )
  /** Right but for the few listings whose numbers are given. */
  const wrongAt =
    (...wrong: number[]) =>
    (i: number) =>
      (i % 2 === 0) === wrong.includes(i) ? 0.1 + i / 1_000 : 0.9 - i / 1_000

  test('is better beyond chance only, and worse however little', () => {
    expect(standing(wrongAt(1), wrongAt(1, 2)).comparison).toMatchObject({
      standing: 'even',
      aucDifference: { low: expect.any(Number) as number },
    })
    const clear = standing(wrongAt(), wrongAt(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)).comparison
    expect(clear.standing).toBe('better')
    expect(clear.aucDifference?.low).toBeGreaterThan(0)
    const lost = standing(wrongAt(1, 2), wrongAt(1))
    expect(lost.comparison.standing).toBe('worse')
    expect(losses({ measured: lost })).toEqual([expect.stringContaining('worse than version 1')])
    expect(standing(wrongAt(3), wrongAt(3)).comparison.standing).toBe('even')
  })

  test('is told for overt and silent counterfeits apart, each with its interval', () => {
    // The silent ones, of even numbers without open wording, are scored as the honest are.
    const lopsided = standing(wrongAt(...Array.from({ length: 10 }, (_, i) => 4 * i + 2)), wrongAt())
    expect(lopsided.heldOut).toMatchObject({ overt: { value: 1 }, silent: { value: 0.5 }, auc: 0.75 })
    expect(lopsided.heldOut.within?.low).toBeLessThan(0.7)
    expect(cardText(card(lopsided))).toMatch(
      /ROC AUC 0\.75 \[0\.\d+, 0\.\d+\] \(overt 1 \[0\.7, 1\], silent 0\.5 \[0\.\d+, 0\.\d+\]\)/,
    )
  })
})

test('the card of a fusion that stops more of the honest says so, and is never called better', () => {
  const fusion = (version: string, ratio: number): Scorecard => ({
    name: 'fusion',
    version,
    description: '',
    prior: { probability: 0.1, source: 'made up' },
    signals: {
      price: {
        knots: [
          { score: 0.6, likelihoodRatio: ratio, source: 'made up' },
          { score: 1, likelihoodRatio: ratio * 20, source: 'made up' },
        ],
      },
    },
  })
  const measured = judge(
    { learn: rows, heldOut: rows, boundary: { from: '', draw: '' }, seen: '' },
    {
      candidate: { scorecard: fusion('new', 4), rows },
      champion: { scorecard: fusion('old', 0.1), rows },
      thresholds: { hold: 0.2, block: 0.95 },
    },
  )
  const own = { marketplace: null, probability: 0.3, source: 'so many drawn' }
  const said = cardText(card(measured, { prior: { probability: 0.1, source: 'made up', marketplaces: [own] } }))
  expect(said).toMatch(/Squared error lower by .*; all in all: worse\./)
  expect(said).toMatch(/Against it: it stops 100\.0 % \(5 of 5\) .* version old, which decided then, 0\.0 % \(0 of 5\)/)
  expect(said).toContain('Listings of no marketplace begin at a risk of 0.3, elsewhere at 0.1: so many drawn.')
})
