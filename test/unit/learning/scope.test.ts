// Where a fitted fusion decides and what goes on elsewhere. Real: the scope, the fusion itself, the card that ships; made up: the fits.
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { priorAt, scorecardSchema, type Scorecard } from '../../../src/domain/scorecard.ts'
import { scoped } from '../../../src/learning/scope.ts'
import { fuse } from '../../../src/risk/fuse.ts'
import { parseScorecard } from '../../../src/risk/parse-scorecard.ts'
import { scored } from './labelled.ts'

const shipped = parseScorecard(readFileSync(new URL('../../../models/fusion/2/card.json', import.meta.url), 'utf8'))
const EVIDENCE = [scored('price', 0.86), scored('brand', 0.2)]

/** Every ratio times `factor`, and bases of their own on these marketplaces: what a fit could have said. */
const fitted = (factor: number, bases: Readonly<Record<string, number>> = {}): Scorecard => ({
  ...shipped,
  version: `fitted ${factor}`,
  prior: {
    ...shipped.prior,
    ...(Object.keys(bases).length > 0 && {
      marketplaces: Object.entries(bases).map(([marketplace, probability]) => ({
        marketplace,
        probability,
        source: `drawn beside ${factor}`,
      })),
    }),
  },
  signals: Object.fromEntries(
    Object.entries(shipped.signals).map(([name, { knots }]) => [
      name,
      { knots: knots.map((knot) => ({ ...knot, likelihoodRatio: knot.likelihoodRatio * factor })) },
    ]),
  ),
})
const rowsOf = (...places: readonly (string | null)[]) =>
  places.flatMap((marketplace) => Array.from({ length: 10 }, () => ({ marketplace })))
const riskOf = (card: Scorecard, marketplace?: string | null) => fuse(card, EVIDENCE, marketplace).risk
const whoseAt = ({ scope, version }: Scorecard) => [
  [version, scope?.marketplaces],
  ...(scope?.earlier ?? []).map((one) => [one.version, one.marketplaces]),
  [scope?.elsewhere.version],
]

describe('a version decides where it learnt, and elsewhere what decided before goes on', () => {
  test('to the last bit, after any number of trainings, each beside the one before', () => {
    const places: readonly (string | null)[] = ['a', 'b', 'c', null]
    const training = fc.record({
      factor: fc.double({ min: 0.3, max: 3, noNaN: true }),
      learnt: fc.subarray([...places], { minLength: 1 }),
      based: fc.subarray(['a', 'b', 'c']),
      base: fc.double({ min: 0.01, max: 0.2, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(training, { minLength: 1, maxLength: 5 }), (trainings) => {
        let champion: Scorecard = shipped
        for (const { factor, learnt, based, base } of trainings) {
          const own = based.filter((one) => learnt.includes(one))
          const fit = fitted(factor, Object.fromEntries(own.map((one) => [one, base])))
          const card = parseScorecard(JSON.stringify(scoped(fit, rowsOf(...learnt), champion)))
          for (const place of [...places, 'nobody knows', undefined]) {
            const isLearnt = place === undefined ? learnt.includes(null) : learnt.some((one) => one === place)
            expect(riskOf(card, place)).toBe(riskOf(isLearnt ? fit : champion, place))
          }
          const named = card.scope?.earlier.flatMap((one) => one.marketplaces) ?? []
          expect(new Set(named).size).toBe(named.length)
          expect(card.scope?.earlier.every((one) => one.marketplaces.length > 0)).toBe(true)
          expect(card.scope?.elsewhere).toEqual({ version: shipped.version, signals: shipped.signals })
          champion = card
        }
      }),
      { numRuns: 40 },
    )
  })

  test('of a marketplace with fewer than ten listings to learn from it has not learnt; with none that has ten it is not made', () => {
    const nine = Array.from({ length: 9 }, () => ({ marketplace: 'b' }))
    expect(scoped(fitted(2), [...rowsOf('a'), ...nine], shipped).scope?.marketplaces).toEqual(['a'])
    expect(() => scoped(fitted(2), nine, shipped)).toThrow(/no marketplace has 10 listings to learn from/)
  })

  test('listings of no marketplace are a place like others: what marketplaces say does not decide on them', () => {
    const card = scoped(fitted(0.5), rowsOf('a'), shipped)
    for (const none of [null, undefined]) expect(riskOf(card, none)).toBe(riskOf(shipped))
    const ofNone = scoped(fitted(0.5), rowsOf(null), shipped)
    for (const none of [null, undefined]) expect(riskOf(ofNone, none)).toBe(riskOf(fitted(0.5)))
    expect(riskOf(ofNone, 'a')).toBe(riskOf(shipped))
  })

  test('listings with an empty name are listings of none', () => {
    const ofNone = scoped(fitted(0.5), rowsOf(null), shipped)
    expect(riskOf(ofNone, '')).toBe(riskOf(ofNone, null))
    expect(riskOf(ofNone, '')).not.toBe(riskOf(shipped))
  })

  test('of earlier versions only the last that learnt of a marketplace is kept', () => {
    const first = scoped(fitted(2), rowsOf('a', 'b', 'c'), shipped)
    const second = scoped(fitted(3), rowsOf('b'), first)
    const third = scoped(fitted(0.5), rowsOf('a'), second)
    expect(whoseAt(third)).toEqual([
      [third.version, ['a']],
      [second.version, ['b']],
      [first.version, ['c']],
      [shipped.version],
    ])
    expect(whoseAt(scoped(fitted(0.7), rowsOf('c', 'b', 'a'), third)).slice(1)).toEqual([[shipped.version]])
  })
})

test('beside a version that learnt of the same marketplaces it has the same bytes as beside what ships; another scope is another version', () => {
  const fit = fitted(2, { a: 0.1 })
  const first = scoped(fit, rowsOf('b', 'a'), shipped)
  expect(JSON.stringify(scoped(fit, rowsOf('a', 'b'), first))).toBe(JSON.stringify(first))
  expect(first.version).not.toBe(scoped(fit, rowsOf('a'), shipped).version)
})

describe('bases', () => {
  test('are its own where it learnt, also where it has drawn too few by now, and the champion’s elsewhere', () => {
    const champion = scoped(fitted(2, { a: 0.1, b: 0.11 }), rowsOf('a', 'b'), shipped)
    const card = scoped(fitted(3), rowsOf('a'), champion)
    expect([priorAt(card, 'a'), priorAt(card, 'b'), priorAt(card, 'd')]).toEqual([0.025, 0.11, 0.025])
  })

  test('stay what they were elsewhere though another share ships by now', () => {
    const since = { ...fitted(3, { a: 0.1 }), prior: { ...fitted(3, { a: 0.1 }).prior, probability: 0.03 } }
    const card = scoped(since, rowsOf('a', 'b'), shipped)
    expect(['a', 'b', 'd'].map((place) => priorAt(card, place))).toEqual([0.1, 0.03, 0.025])
  })
})

describe('stored versions', () => {
  test('from before there was a scope decide everywhere, and go on elsewhere beside one that has one', () => {
    const old = parseScorecard(JSON.stringify(fitted(0.5, { b: 0.1 })))
    expect(old.scope).toBeUndefined()
    for (const place of ['a', 'b', null]) expect(riskOf(old, place)).toBe(riskOf(fitted(0.5, { b: 0.1 }), place))
    const card = scoped(fitted(2), rowsOf('a'), old)
    expect(riskOf(card, 'a')).toBe(riskOf(fitted(2)))
    for (const place of ['b', 'd', null]) expect(riskOf(card, place)).toBe(riskOf(old, place))
  })

  test('that kept an empty name apart decide on listings of none by what they learnt of either', () => {
    const apart = (...places: (string | null)[]) =>
      parseScorecard(
        JSON.stringify({
          ...shipped,
          prior: {
            ...shipped.prior,
            marketplaces: places.map((marketplace) => ({
              marketplace,
              probability: marketplace === null ? 0.05 : 0.1,
              source: 'drawn',
            })),
          },
          scope: { marketplaces: places, earlier: [], elsewhere: { version: '0', signals: fitted(2).signals } },
        }),
      )
    for (const place of ['', null, undefined]) {
      expect(fuse(apart(''), EVIDENCE, place).part).toBeUndefined()
      expect(priorAt(apart(''), place)).toBe(0.1)
      expect(priorAt(apart('', null), place)).toBe(0.05)
    }
    expect(scoped(fitted(2), rowsOf('a'), apart('')).scope?.earlier).toMatchObject([{ marketplaces: [null] }])
  })

  test('are refused where ratios fall that they carry from others', () => {
    const card = scoped(fitted(2), rowsOf('a'), scoped(fitted(3), rowsOf('b'), shipped))
    const falling = {
      price: { knots: [3, 2].map((r, i) => ({ score: i / 2, likelihoodRatio: r, source: 'made up' })) },
    }
    const { scope } = card
    if (scope === undefined) throw new Error('it has a scope')
    const [earlier] = scope.earlier
    const broken = [
      { ...card, scope: { ...scope, elsewhere: { ...scope.elsewhere, signals: falling } } },
      { ...card, scope: { ...scope, earlier: [{ ...earlier, signals: falling }] } },
    ]
    expect(broken.map((one) => scorecardSchema.safeParse(one).error?.issues[0]?.message)).toEqual(
      Array.from({ length: 2 }, () => 'ratios must not fall: more evidence never lowers risk'),
    )
    expect(scorecardSchema.parse(card)).toEqual(card)
  })
})
