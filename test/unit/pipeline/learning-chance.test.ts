// What chance may have done to the figures of a card, where sellers are few or marketplaces compare nothing. Real: the figures; made up: the rows.
import { describe, expect, test } from 'vitest'
import { aucDifference, aucOf } from '../../../src/pipeline/learning/auc.ts'
import { stoppedHonest } from '../../../src/pipeline/learning/honest.ts'
import { compareModels } from '../../../src/pipeline/learning/measure.ts'
import { studentT } from '../../../src/pipeline/learning/student.ts'
import { meanWithin, share, type MeasuredRow } from '../../../src/pipeline/learning/weighted.ts'

const THRESHOLDS = { hold: 0.5, block: 0.9 }
type Placed = MeasuredRow & { readonly place: string }
/** `sellers` with `each` rows; all have one risk. */
const rowsOf = (
  positive: boolean,
  risk: number,
  { sellers, each = 1, place = 'A' }: { sellers: number; each?: number; place?: string },
): Placed[] =>
  Array.from({ length: sellers * each }, (_, i) => {
    const sellerId = `${place} ${positive} ${i % sellers}`
    return { positive, overt: false, sellerId, weight: 1, risk, place }
  })
/** Told apart without a mistake on A; only fakes on B, only honest ones on C. */
const lopsided = [
  ...rowsOf(true, 0.9, { sellers: 3 }),
  ...rowsOf(false, 0.1, { sellers: 3 }),
  ...rowsOf(true, 0.9, { sellers: 300, place: 'B' }),
  ...rowsOf(false, 0.1, { sellers: 300, place: 'C' }),
]
const flat = <R extends MeasuredRow>(rows: readonly R[]): R[] => rows.map((row) => ({ ...row, risk: 0.5 }))

describe('an area', () => {
  test('owes no certainty to marketplaces that compare nothing', () => {
    expect(aucOf(lopsided)).toEqual({ value: 1, low: 0, high: 1 })
    expect(aucDifference(lopsided, flat(lopsided))?.low).toBeLessThan(0)
  })

  test('over marketplaces that each hang on one seller is no surer than those sellers', () => {
    const hanging = (place: string, fakes: number, honest: number) => [
      ...rowsOf(true, 0.9, { sellers: fakes, place }),
      ...rowsOf(false, 0.1, { sellers: honest, place }),
    ]
    expect(aucOf([...hanging('A', 100, 1), ...hanging('B', 1, 100)])).toEqual({ value: 1, low: 0, high: 1 })
    // A hundred of each kind, ten on each marketplace, are a hundred.
    const even = Array.from({ length: 10 }, (_, i) => hanging(`place ${i}`, 10, 10)).flat()
    expect(aucOf(even)).toEqual({ value: 1, low: 0.97, high: 1 })
  })

  test("counts one seller's many rows once", () => {
    const many = [...rowsOf(true, 0.9, { sellers: 1, each: 300 }), ...rowsOf(false, 0.1, { sellers: 300 })]
    expect(aucOf(many)).toEqual({ value: 1, low: 0, high: 1 })
  })
})

describe('a fusion with a lower squared error', () => {
  const compare = (fakes: { sellers: number; each?: number }, honest: { sellers: number; each?: number }) => {
    const mine = [...rowsOf(true, 0.8, fakes), ...rowsOf(false, 0.1, honest)].map((row, i) => ({
      ...row,
      risk: row.risk + (i % 3) / 100,
    }))
    return compareModels(mine, flat(mine), { hold: 0.6, block: 0.9 })
  }

  test('on one seller is not better, and nothing bounds the difference', () => {
    const rows = [...rowsOf(true, 0.8, { sellers: 1, each: 40 }), ...rowsOf(false, 0.1, { sellers: 1, each: 40 })]
    const one = rows.map((row) => ({ ...row, sellerId: 'S' }))
    expect(compareModels(one, flat(one), THRESHOLDS)).toMatchObject({ low: -1, high: 1, standing: 'even' })
  })

  test('is better from what ten sellers are worth on, five of each kind, however many rows they have', () => {
    expect(compare({ sellers: 5 }, { sellers: 5 }).standing).toBe('better')
    expect(compare({ sellers: 5, each: 50 }, { sellers: 4, each: 50 })).toMatchObject({ standing: 'even' })
    expect(compare({ sellers: 4 }, { sellers: 40 }).high).toBeLessThan(0)
    expect(compare({ sellers: 4 }, { sellers: 40 }).standing).toBe('even')
    expect(compare({ sellers: 40 }, { sellers: 4 }).standing).toBe('even')
    // Five beside one with three hundred.
    expect(compare({ sellers: 5 }, { sellers: 1, each: 300 }).standing).toBe('even')
  })
})

describe('a mean', () => {
  const of = (values: readonly number[][]) => {
    const rows = values.flatMap((own, i) => own.map((value) => ({ weight: 1, sellerId: `S-${i}`, value })))
    return meanWithin(rows, (row) => row.value)
  }

  test("of equal sellers has Student's interval", () => {
    // Mean 0.3, standard deviation 0.158114, 4 degrees: 2.7764 × 0.158114 / √5.
    const { mean, low, high } = of([[0.1], [0.2], [0.3], [0.4], [0.5]])
    expect(mean).toBeCloseTo(0.3, 9)
    expect(high - mean).toBeCloseTo(0.19632, 4)
    expect(mean - low).toBeCloseTo(0.19632, 4)
  })

  test('does not take the side of a large seller for certain', () => {
    const small = Array.from({ length: 20 }, () => [0.01, -0.01])
    const { mean, high } = of([Array.from({ length: 400 }, () => -0.3), ...small])
    expect(mean).toBeLessThan(-0.2)
    expect(high).toBeGreaterThan(0)
  })

  test('excludes no true difference more often than it says, however few the sellers and whatever their size', () => {
    const { normal, uniform } = drawing(7)
    for (const sellers of [2, 3, 5, 10, 30])
      for (const largest of [4, 100]) {
        const trials = 1_500
        let below = 0
        for (let trial = 0; trial < trials; trial++) {
          const drawn = Array.from({ length: sellers }, () => {
            const own = normal() * 0.1
            const size = Math.min(largest, Math.floor(1 / (1 - uniform())))
            return Array.from({ length: size }, () => own + normal() * 0.05)
          })
          if (of(drawn).high < 0) below++
        }
        // 2.5 %, and three standard errors of so many trials.
        expect(below / trials, `${sellers} sellers of up to ${largest}`).toBeLessThan(0.025 + 0.0121)
      }
  })
})

test("Student's quantiles are those of the tables", () => {
  const table = [
    [1, 12.7062],
    [2, 4.3027],
    [4, 2.7764],
    [5, 2.5706],
    [9, 2.2622],
    [10, 2.2281],
    [30, 2.0423],
    [1000, 1.9623],
  ] as const
  for (const [degrees, t] of table) expect(Math.abs(studentT(degrees) / t - 1)).toBeLessThan(0.002)
  expect(studentT(5.9)).toBe(studentT(5))
  expect(studentT(0.9)).toBe(Infinity)
})

describe('a share', () => {
  test('of five hundred rows of one seller is worth one row, also where none counts', () => {
    const one = share(rowsOf(false, 0.1, { sellers: 1, each: 500 }), (row) => row.risk > 0.5)
    expect(one).toMatchObject({ value: 0, low: 0, rows: 500 })
    expect(one.high).toBeCloseTo(0.793451, 5)
    const all = share(rowsOf(false, 0.1, { sellers: 500 }), (row) => row.risk > 0.5)
    expect(all.high).toBeCloseTo(0.007624, 5)
    const each = share(rowsOf(false, 0.1, { sellers: 50, each: 10 }), (row) => row.risk > 0.5)
    expect(each.high).toBeCloseTo(0.071348, 5)
  })
})

test('a rise of the honest that are stopped is bounded by nothing where they are of one seller', () => {
  const rows = rowsOf(false, 0.7, { sellers: 1, each: 50 })
  expect(stoppedHonest(rows, flat(rows), 0.6).rise).toEqual({ value: 1, low: -1, high: 1 })
})

/** Numbers as if drawn, the same for a seed (mulberry32; Box and Muller, 1958). */
function drawing(seed: number) {
  let state = seed
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  return { uniform, normal }
}
