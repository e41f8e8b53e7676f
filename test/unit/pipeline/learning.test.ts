// Training from labels to versions with cards. Real: everything but the labels, which are made up: split, text model, fusion, figures.
import { beforeAll, describe, expect, test } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import { cardText } from '../../../src/apps/model-text.ts'
import type { ModelCard } from '../../../src/domain/model.ts'
import { fitFusion } from '../../../src/learning/fit-fusion.ts'
import type { LabelledListing } from '../../../src/learning/ports.ts'
import { scoped } from '../../../src/learning/scope.ts'
import { split } from '../../../src/learning/split.ts'
import { trainText } from '../../../src/learning/text/train-text.ts'
import { trainingSet, type TrainingRow } from '../../../src/learning/training-set.ts'
import { objections } from '../../../src/pipeline/learning/objections.ts'
import { compareModels, measure } from '../../../src/pipeline/learning/measure.ts'
import { train, type TrainingOptions } from '../../../src/pipeline/learning/train.ts'
import type { MeasuredRow } from '../../../src/pipeline/learning/weighted.ts'
import { readFusion } from '../../../src/pipeline/models.ts'
import type { GateParts } from '../../../src/pipeline/reference.ts'
import { scored, story, trainingOptions } from '../learning/labelled.ts'

let parts: GateParts
let options: TrainingOptions
beforeAll(async () => {
  parts = await gateParts({ currencies: undefined, budgetMs: 250 })
  options = trainingOptions(parts, THRESHOLDS)
})
const THRESHOLDS = { hold: 0.5, block: 0.9 }
const row = (positive: boolean, risk: number, more: Partial<MeasuredRow> = {}): MeasuredRow => ({
  positive,
  overt: false,
  sellerId: `${positive} ${risk}`,
  weight: 1,
  risk,
  ...more,
})

describe('training', () => {
  test('without verdicts, or with those of one kind only, makes nothing and says what is missing', async () => {
    await expect(train([], options)).rejects.toThrow(expect.objectContaining({ code: 'labels-missing' }))
    const onlyConfirmed = story(200).map((l): LabelledListing => ({ ...l, label: 'confirmed' }))
    await expect(train(onlyConfirmed, options)).rejects.toThrow(/10 more rejected listings to learn from \(0 of 10\)/)
  })

  test('twice with one seed gives the same bytes and cards, whatever order the labels came in', async () => {
    const labels = story(120)
    const [once, twice] = [await train(labels, options), await train(labels.toReversed(), options)]
    expect(once.trained.map((m) => m.card.name)).toEqual(['fusion', 'text'])
    expect(twice.trained.map((m) => Buffer.from(m.body).toString('hex'))).toEqual(
      once.trained.map((m) => Buffer.from(m.body).toString('hex')),
    )
    expect(JSON.stringify(twice.trained.map((m) => m.card))).toBe(JSON.stringify(once.trained.map((m) => m.card)))
  })

  test('makes a fusion that can decide, does better than what decides, and says so on rows that it never saw', async () => {
    const { trained } = await train(story(120), { ...options, models: ['fusion'] })
    const [model] = trained
    if (model === undefined) throw new Error('nothing was trained')
    expect(readFusion(model.card, model.body, parts.signals).version).toBe(model.card.version)
    expect(model.card.measured).toMatchObject({
      heldOut: { confirmed: expect.any(Number) as number },
      champion: { version: parts.scorecard.version },
      comparison: { standing: 'better' },
      candidate: { auc: 1 },
    })
    const { learntFrom, heldOut } = model.card.measured as Record<string, { rows: number; first: string; last: string }>
    expect((learntFrom?.rows ?? 0) + (heldOut?.rows ?? 0)).toBeLessThanOrEqual(120)
    expect((learntFrom?.last ?? '') < (heldOut?.first ?? '')).toBe(true)
    expect(objections(model.card, {})).toEqual([])
  })

  test('a fusion learns from the scores that folds without the seller gave, never from those of a model that knows the row', async () => {
    const withText = { ...parts.scorecard, signals: { ...parts.scorecard.signals, 'text-model': FLAT } }
    const labels = story(160).map((l): LabelledListing => ({ ...l, signals: [scored('text-model', 0.5)] }))
    const { trained } = await train(labels, { ...options, shipped: withText })
    const { learn } = split(trainingSet(labels), options.seed)
    const text = trainText(learn, { seed: options.seed })
    const fitted = (scoreOf: (i: number) => number | undefined) =>
      scoped(
        fitFusion(
          withText,
          learn.map((r, i) => ({
            ...r,
            positive: r.label === 'confirmed',
            signals: [scored('text-model', scoreOf(i) ?? Number.NaN)],
          })),
        ),
        learn,
        parts.scorecard,
      ).version
    expect(text.outOfFold.every((score) => score !== undefined)).toBe(true)
    expect(trained[0]?.card.version).toBe(fitted((i) => text.outOfFold[i]))
    expect(trained[0]?.card.version).not.toBe(
      fitted((i) => {
        const known = learn[i]?.listing
        return known === undefined ? undefined : text.score(known)
      }),
    )
  })

  test('names the text model that a fusion was fitted to, and whoever promotes it without is warned', async () => {
    const { trained } = await train(story(120), options)
    const [fusion, text] = trained
    if (fusion === undefined || text === undefined) throw new Error('not both were trained')
    expect(objections(fusion.card, { text: '1' })).toEqual([expect.stringContaining(text.card.version)])
    expect(objections(fusion.card, { text: text.card.version })).toEqual([])
  })
})

test('the version that decides is measured with the text scores that it expects, not with those recorded', async () => {
  const deaf = {
    ...options.champion,
    hears: async (rows: readonly TrainingRow[]) => rows.map((r) => ({ ...r, signals: [] })),
  }
  const labels = story(120)
  const { trained } = await train(labels, { ...options, models: ['fusion'], champion: deaf })
  const { heldOut } = split(trainingSet(labels), options.seed)
  const base = parts.scorecard.prior.probability
  const error = (r: TrainingRow) => (base - (r.label === 'confirmed' ? 1 : 0)) ** 2
  const measured = trained[0]?.card.measured as { champion?: { brier: number } } | undefined
  expect(measured?.champion?.brier).toBeCloseTo(heldOut.reduce((sum, r) => sum + error(r), 0) / heldOut.length, 5)
})

test('a text model is compared with what the active one says of the rows, not with what was recorded', async () => {
  const scores = async (rows: readonly TrainingRow[]) => rows.map((r) => (r.label === 'confirmed' ? 0.2 : 0.8))
  const { trained } = await train(story(120), { ...options, champion: { ...options.champion, text: 't1', scores } })
  expect(trained.find((m) => m.card.name === 'text')?.card.measured).toMatchObject({
    champion: { version: 't1', auc: 0 },
    comparison: { standing: 'better' },
  })
})

test('a text model is measured on each marketplace by itself, and names those where it speaks and was not measured', async () => {
  // The first one is a new marketplace: by the time of what is held out it has rejected listings only.
  const labels = story(160).map((l, i): LabelledListing => {
    const few = i % 4 < 2 && (i < 60 || l.label === 'rejected')
    return { ...l, sellerId: `S-${i}`, marketplace: few ? 'new' : 'demo' }
  })
  // The active one says of the new one's listings that they are honest, and nothing else.
  const scores = async (rows: readonly TrainingRow[]) => rows.map((r) => (r.marketplace === 'new' ? 0.1 : 0.9))
  const { trained } = await train(labels, { ...options, champion: { ...options.champion, text: 't1', scores } })
  expect(trained.find((m) => m.card.name === 'text')?.card).toMatchObject({
    trained: { marketplaces: ['demo', 'new'] },
    measured: { unmeasured: ['new'], champion: { auc: 0.5 } },
  })
})

const FLAT = {
  knots: [0, 0.25, 0.5, 0.75, 1].map((score) => ({ score, likelihoodRatio: 1, source: 'nothing is known' })),
}

test('what became of the verdicts is on the card, by why they were left out', async () => {
  const sellers = story(160).map((l, i): LabelledListing => ({ ...l, sellerId: `S-${i % 50}` }))
  const brand = { ...sellers[0], brandId: 'gap' } as LabelledListing
  const { trained, used } = await train([...sellers, brand], options)
  const { learn, heldOut, leftOut } = split(trainingSet(sellers), options.seed)
  expect(used).toEqual({
    labels: 161,
    learntFrom: learn.length,
    heldOut: heldOut.length,
    leftOut: { repeated: 1, sellerOnBothSides: leftOut.sellers, wordsOnBothSides: leftOut.words },
  })
  expect(leftOut.sellers).toBeGreaterThan(0)
  expect(161).toBe(learn.length + heldOut.length + 1 + leftOut.sellers + leftOut.words)
  for (const { card } of trained) {
    expect(card.measured).toMatchObject({ used })
    expect(cardText(card)).toContain(
      `161 verdicts count: ${learn.length} to learn from, ${heldOut.length} listings decided later to measure on, ${leftOut.sellers + 1} left out (${leftOut.sellers} by sellers with listings on both sides`,
    )
  }
})

describe('the figures', () => {
  test('say that a model loses when its squared error is higher, and that it is better only beyond chance', () => {
    const good = Array.from({ length: 40 }, (_, i) => row(i % 2 === 0, i % 2 === 0 ? 0.9 : 0.1, { sellerId: `S-${i}` }))
    const poor = good.map((r) => ({ ...r, risk: 0.5 }))
    expect(compareModels(good, poor, THRESHOLDS).standing).toBe('better')
    expect(compareModels(poor, good, THRESHOLDS).standing).toBe('worse')
    expect(compareModels(good, good, THRESHOLDS).standing).toBe('even')
    // One seller's forty listings are one observation: no chance can be told from skill.
    const oneSeller = (rows: MeasuredRow[]) =>
      rows.map((r, i) => ({ ...r, sellerId: 'S', risk: i < 30 ? r.risk : 0.4 }))
    expect(compareModels(good.slice(0, 2), poor.slice(0, 2), THRESHOLDS).difference).toBeLessThan(0)
    expect(compareModels(oneSeller(good), oneSeller(poor), THRESHOLDS).difference).toBeLessThan(0)
  })

  test('weigh each row by how many it stands for, and say how little many copies of one prove', () => {
    const rows = [row(false, 0.9), row(false, 0.1, { weight: 99 }), row(true, 0.95, { overt: true }), row(true, 0.2)]
    const figures = measure(rows, { hold: 0.5, block: 0.92 })
    expect(figures.falsePositives.hold).toMatchObject({ value: 0.01, rows: 2 })
    expect(figures.falsePositives.hold.high).toBeGreaterThan(0.5)
    expect(figures.falsePositives.block.value).toBe(0)
    expect(figures.recall.overt.value).toBe(1)
    expect(figures.recall.silent.value).toBe(0)
    expect(figures.precision.hold).toMatchObject({ value: 0.5, rows: 2 })
    expect(figures.brier).toBeCloseTo((0.81 + 99 * 0.01 + 0.0025 + 0.64) / 102, 6)
    expect(figures.auc).toBeCloseTo((100 + 99) / 200, 6)
  })

  test('say what is found at a stated false-positive rate, overt and silent apart, by weight and with intervals', () => {
    const honest = Array.from({ length: 100 }, (_, i) => row(false, i / 200))
    const found = [row(true, 0.3, { overt: true }), row(true, 0.4), row(true, 0.496), row(true, 0.49)]
    const { atRate } = measure([...honest, ...found], THRESHOLDS)
    // One of a hundred, the one at 0.495, may be stopped: what lies above the next one at 0.49 is.
    expect(atRate).toMatchObject({
      most: 0.01,
      threshold: 0.495,
      falsePositives: { value: 0.01, rows: 100 },
      recall: { overt: { value: 0, rows: 1 }, silent: { rows: 3 }, all: { value: 0.25 } },
    })
    expect(atRate.falsePositives.high).toBeGreaterThan(0.03)
    const heavy = honest.map((one) => (one.risk === 0.495 ? { ...one, weight: 5 } : one))
    expect(measure([...heavy, ...found], THRESHOLDS).atRate).toMatchObject({
      threshold: 0.496,
      falsePositives: { value: 0 },
    })
    expect(measure([...honest, ...found], THRESHOLDS, 0.5).atRate.recall.all.value).toBe(1)
    // Of equal risk all are stopped or none.
    const alike = honest.map((one) => ({ ...one, risk: 0.3 }))
    expect(measure([...alike, ...found], THRESHOLDS).atRate).toMatchObject({
      threshold: 0.4,
      recall: { overt: { value: 0 } },
    })
  })

  test('of rows of one kind say nothing that they cannot know', () => {
    expect(measure([row(true, 0.9)], { hold: 0.5, block: 0.9 })).toMatchObject({
      auc: null,
      falsePositives: { hold: { value: null, low: 0, high: 1, rows: 0 } },
    })
  })
})

test('a card whose model lost is an objection, by the version that it lost to', () => {
  const card = { measured: { champion: { version: '2' }, comparison: { standing: 'worse' } } } as unknown as ModelCard
  expect(objections(card, {})).toEqual([expect.stringContaining('worse than version 2')])
})
