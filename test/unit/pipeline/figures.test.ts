// Real: the figures. Their referees are worked examples, published intervals and a search over every threshold.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OUTCOMES } from '../../../src/domain/policy.ts'
import { computeFigures, figuresSchema, type EvaluatedRow } from '../../../src/pipeline/figures.ts'
import { wilson } from '../../../src/pipeline/wilson.ts'

const row = (
  label: EvaluatedRow['label'],
  risk: number,
  outcome: EvaluatedRow['decision']['outcome'],
  more: Partial<EvaluatedRow> = {},
): EvaluatedRow => ({ label, group: 'a', decision: { risk, outcome }, ...more })

describe('intervals', () => {
  // Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3 without continuity correction.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
    [29, 29, 0.883, 1],
  ])('%d of %d is %d to %d', (count, of, low, high) => {
    const rate = wilson(count, of)
    expect(rate.value).toBe(count / of)
    expect(rate.low).toBeCloseTo(low, 4)
    expect(rate.high).toBeCloseTo(high, 4)
  })

  it('of nothing anything is possible', () => {
    expect(wilson(0, 0)).toEqual({ count: 0, of: 0, value: null, low: 0, high: 1 })
  })

  it('hold the share, stay inside 0 to 1, mirror, and narrow with more rows', () => {
    const counts = fc
      .nat(5_000)
      .chain((of) => fc.tuple(fc.nat(of), fc.constant(of)))
      .filter(([, of]) => of > 0)
    fc.assert(
      fc.property(counts, ([count, of]) => {
        const { low, high, value } = wilson(count, of)
        expect(low).toBeLessThanOrEqual(value ?? NaN)
        expect(high).toBeGreaterThanOrEqual(value ?? NaN)
        expect([low >= 0, high <= 1]).toEqual([true, true])
        expect(wilson(of - count, of).low).toBeCloseTo(1 - high, 12)
        const more = wilson(count * 4, of * 4)
        expect(more.high - more.low).toBeLessThan(high - low)
      }),
    )
  })
})

const rows: EvaluatedRow[] = [
  row('counterfeit', 0.95, 'block', { overt: true }),
  row('counterfeit', 0.5, 'hold', { overt: true, group: 'b' }),
  row('counterfeit', 0.3, 'hold', { weak: true }),
  row('counterfeit', 0.1, 'allow', { weak: true }),
  row('counterfeit', 0.05, 'allow', { overt: false }),
  row('legitimate', 0.92, 'block'),
  row('legitimate', 0.3, 'hold', { group: 'b' }),
  row('legitimate', 0.02, 'allow'),
  row('legitimate', 0.02, 'allow', { group: 'b' }),
  row('legitimate', 0.01, 'allow', { weak: true }),
  row(undefined, 0.4, 'hold'),
  row(undefined, 0.02, 'allow', { group: 'c' }),
]

describe('a worked example', () => {
  const figures = computeFigures(rows, { maxFpr: 0.2, masked: ['shipsFrom'] })
  const count = (rate: { count: number; of: number }) => [rate.count, rate.of]

  it('counts rows, labels and outcomes', () => {
    const { overall } = figures
    expect(overall).toMatchObject({ rows: 12, counterfeit: 5, legitimate: 5, unlabelled: 2, weak: 3 })
    expect([overall.outcomes.allow, overall.outcomes.hold, overall.outcomes.block].map(count)).toEqual([
      [6, 12],
      [4, 12],
      [2, 12],
    ])
  })

  it('recall, precision and false positives, stopped and blocked, overt and silent apart', () => {
    const { recall, precision, falsePositives } = figures.overall
    expect([recall.all.stopped, recall.all.blocked].map(count)).toEqual([
      [3, 5],
      [1, 5],
    ])
    expect([recall.overt.stopped, recall.overt.blocked].map(count)).toEqual([
      [2, 2],
      [1, 2],
    ])
    expect([recall.silent.stopped, recall.silent.blocked].map(count)).toEqual([
      [1, 3],
      [0, 3],
    ])
    expect([precision.stopped, precision.blocked].map(count)).toEqual([
      [3, 5],
      [1, 2],
    ])
    expect([falsePositives.stopped, falsePositives.blocked].map(count)).toEqual([
      [2, 5],
      [1, 5],
    ])
  })

  it('groups in order of appearance, each with its own figures', () => {
    expect(figures.groups.map((g) => [g.group, g.rows, g.counterfeit, g.legitimate])).toEqual([
      ['a', 8, 4, 3],
      ['b', 3, 1, 2],
      ['c', 1, 0, 0],
    ])
    expect(figures.groups[1]?.falsePositives.stopped).toMatchObject({ count: 1, of: 2, value: 0.5 })
    expect(figures.groups[2]?.precision.stopped.value).toBeNull()
  })

  it('recall at a largest false-positive rate: equal risks are stopped together or not at all', () => {
    // One of five may be stopped (0.92); the next legitimate row is at 0.3, where a counterfeit is too: it is lost.
    expect(figures.atMaxFpr).toMatchObject({
      maxFpr: 0.2,
      threshold: 0.4,
      falsePositives: { count: 1, of: 5 },
      recall: { all: { count: 2, of: 5 }, overt: { count: 2, of: 2 }, silent: { count: 0, of: 3 } },
    })
    expect(computeFigures(rows, { maxFpr: 0 }).atMaxFpr).toMatchObject({
      threshold: 0.95,
      falsePositives: { count: 0 },
      recall: { all: { count: 1 } },
    })
    expect(computeFigures(rows, { maxFpr: 1 }).atMaxFpr).toMatchObject({
      threshold: 0.01,
      falsePositives: { count: 5 },
      recall: { all: { count: 5 } },
    })
    expect(computeFigures(rows).atMaxFpr).toBeUndefined()
    const best = [row('legitimate', 1, 'block'), row('counterfeit', 1, 'block')]
    expect(computeFigures(best, { maxFpr: 0 }).atMaxFpr).toMatchObject({
      threshold: null,
      recall: { all: { count: 0, of: 1 } },
    })
  })

  it('calibration over what is labelled', () => {
    const { calibration } = figures
    const squares = [0.05, 0.5, 0.7, 0.9, 0.95, 0.92, 0.3, 0.02, 0.02, 0.01].map((d) => d * d)
    expect(calibration.rows).toBe(10)
    expect(calibration.brier).toBeCloseTo(squares.reduce((a, b) => a + b) / 10, 12)
    expect(calibration.brierOfBase).toBe(0.25)
    expect(calibration.bins.map((b) => [b.from, b.rows, b.counterfeit.count])).toEqual([
      [0, 4, 1],
      [0.1, 1, 1],
      [0.3, 2, 1],
      [0.5, 1, 1],
      [0.9, 2, 1],
    ])
    expect(calibration.expectedError).toBeCloseTo(
      0.4 * (0.25 - 0.025) + 0.1 * 0.9 + 0.2 * 0.2 + 0.1 * 0.5 + 0.2 * (0.935 - 0.5),
      12,
    )
  })

  it('is the JSON that its schema says, also of nothing', () => {
    for (const given of [figures, computeFigures([], { maxFpr: 0.001 })]) {
      expect(figuresSchema.parse(JSON.parse(JSON.stringify(given)))).toEqual(given)
    }
    expect(computeFigures([]).calibration).toEqual({
      rows: 0,
      brier: null,
      brierOfBase: null,
      expectedError: null,
      bins: [],
    })
    expect(figures.masked).toEqual(['shipsFrom'])
  })
})

describe('properties', () => {
  const anyRow = fc.record({
    label: fc.constantFrom('counterfeit' as const, 'legitimate' as const, undefined),
    overt: fc.boolean(),
    group: fc.constantFrom('a', 'b'),
    decision: fc.record({
      outcome: fc.constantFrom(...OUTCOMES),
      risk: fc.constantFrom(0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1),
    }),
  })
  const anyRows = fc.array(anyRow, { maxLength: 60 })

  it('no threshold within the rate finds more than the one that is reported', () => {
    fc.assert(
      fc.property(anyRows, fc.constantFrom(0, 0.1, 0.25, 0.29, 0.5, 1), (given, maxFpr) => {
        const legitimate = given.filter((r) => r.label === 'legitimate')
        const at = (label: string, threshold: number) =>
          given.filter((r) => r.label === label && r.decision.risk >= threshold).length
        const thresholds = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1, 2].filter(
          (t) => at('legitimate', t) <= maxFpr * legitimate.length + 1e-9,
        )
        const best = Math.max(...thresholds.map((t) => at('counterfeit', t)))
        const reported = computeFigures(given, { maxFpr }).atMaxFpr
        expect(reported?.recall.all.count).toBe(best)
        expect(reported?.falsePositives.count).toBeLessThanOrEqual(maxFpr * legitimate.length + 1e-9)
        if (reported?.threshold !== null && reported !== undefined)
          expect(at('counterfeit', reported.threshold)).toBe(best)
      }),
    )
  })

  it('groups add up to the whole, outcomes to all rows, overt and silent to all counterfeits', () => {
    fc.assert(
      fc.property(anyRows, (given) => {
        const { overall, groups, calibration } = computeFigures(given)
        for (const field of ['rows', 'counterfeit', 'legitimate', 'unlabelled'] as const) {
          expect(groups.reduce((sum, g) => sum + g[field], 0)).toBe(overall[field])
        }
        expect(overall.outcomes.allow.count + overall.outcomes.hold.count + overall.outcomes.block.count).toBe(
          given.length,
        )
        expect(overall.recall.overt.stopped.count + overall.recall.silent.stopped.count).toBe(
          overall.recall.all.stopped.count,
        )
        expect(calibration.bins.reduce((sum, b) => sum + b.rows, 0)).toBe(overall.counterfeit + overall.legitimate)
      }),
    )
  })
})
