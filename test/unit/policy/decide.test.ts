// Real: policies through their schema, their compiled rules, the decision. Risks and brands are given.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { brandSchema, type Brand } from '../../../src/domain/brand.ts'
import { listingSchema, type Listing } from '../../../src/domain/listing.ts'
import { OUTCOMES, policySchema, type Outcome } from '../../../src/domain/policy.ts'
import type { Risk } from '../../../src/domain/risk.ts'
import type { SignalResult } from '../../../src/domain/signal-result.ts'
import { compilePolicy, severity } from '../../../src/policy/compile.ts'
import { decide, type PolicyInput } from '../../../src/policy/decide.ts'

const document = {
  policyId: 'test',
  version: 7,
  thresholds: { hold: 0.2, block: 0.9 },
  riskClasses: [
    { name: 'low', from: 0 },
    { name: 'medium', from: 0.3 },
    { name: 'high', from: 0.6 },
  ],
  hold: { deadlineSeconds: 60, onDeadline: { low: 'allow', medium: 'allow' } },
}
const compiled = (more: object = {}) => compilePolicy(policySchema.parse({ ...document, ...more }))

const listing: Listing = { listingId: 'L', revision: 1, sellerId: 'S', title: 'T' }
const brands = new Map<string, Brand>(
  [
    ['nord', ['S']],
    ['sud', ['S', 'R']],
    ['ost', []],
  ].map(([brandId, authorisedSellers]) => [
    brandId as string,
    brandSchema.parse({ brandId, name: brandId, authorisedSellers }),
  ]),
)
const signal = (state: SignalResult['state'], more: Partial<SignalResult> = {}): SignalResult => ({
  name: 'price',
  version: '1',
  state,
  contribution: 0,
  evidence: {},
  durationMs: 0,
  ...more,
})

function input(
  risk: number,
  more: Omit<Partial<PolicyInput>, 'risk'> & { signals?: SignalResult[] } = {},
): PolicyInput {
  const { signals = [], ...rest } = more
  const fused: Risk = { risk, base: 0, signals, model: 'test' }
  return {
    listing,
    brandIds: [],
    brands,
    usdPer: (c) => ({ USD: 1, EUR: 2 })[c],
    now: new Date('2026-01-31T12:00:00Z'),
    ...rest,
    risk: fused,
  }
}
const rule = (ruleId: string, when: string, outcome: Outcome, mode: 'enforce' | 'shadow' = 'enforce') => ({
  ruleId,
  when,
  outcome,
  mode,
})

describe('risk alone', () => {
  it.each([
    [0, 'allow', 'low', 'allow'],
    [0.1999999, 'allow', 'low', 'allow'],
    [0.2, 'hold', 'low', 'allow'],
    [0.3, 'hold', 'medium', 'allow'],
    [0.5999999, 'hold', 'medium', 'allow'],
    [0.6, 'hold', 'high', 'block'],
    [0.8999999, 'hold', 'high', 'block'],
    [0.9, 'block', 'high', 'block'],
    [1, 'block', 'high', 'block'],
  ])('%d is %s, class %s, at the deadline %s', (risk, outcome, riskClass, onDeadline) => {
    expect(decide(compiled(), input(risk))).toEqual({
      outcome,
      riskClass,
      onDeadline,
      rules: [],
      reasons: [],
      decidedBy: undefined,
      degraded: false,
      deadlineSeconds: 60,
      policy: { policyId: 'test', version: 7 },
      thresholds: { hold: 0.2, block: 0.9 },
    })
  })
})

describe('thresholds of brands', () => {
  const policy = compiled({
    brandThresholds: {
      nord: { hold: 0.1, block: 0.8 },
      sud: { hold: 0.05, block: 0.95 },
      ost: { hold: 0.5, block: 1 },
      constructor: { hold: 0, block: 0 },
    },
  })
  it.each([
    [[], 0.2, 0.9],
    [['nord'], 0.1, 0.8],
    [['ost'], 0.5, 1],
    [['nord', 'sud'], 0.05, 0.8],
    [['sud', 'ost'], 0.05, 0.95],
    [['ost', 'unlisted'], 0.2, 0.9],
    [['unlisted'], 0.2, 0.9],
    [['toString'], 0.2, 0.9],
    [['constructor'], 0, 0],
  ])('%j', (brandIds, hold, block) => {
    expect(decide(policy, input(0.5, { brandIds })).thresholds).toEqual({ hold, block })
  })
})

describe('a failed signal', () => {
  const policies = OUTCOMES.flatMap((low) =>
    OUTCOMES.filter((high) => severity(high) >= severity(low)).map((high) => [low, high] as const),
  )
  it.each(policies)('when low says %s and high %s, decides nothing milder and marks it degraded', (low, high) => {
    const policy = compiled({ onFailedSignal: { low, medium: low, high } })
    for (const [risk, floor] of [
      [0, low],
      [0.2, low],
      [0.59, low],
      [0.6, high],
      [0.95, high],
    ] as const) {
      const without = decide(policy, input(risk))
      const answer = decide(policy, input(risk, { signals: [signal('scored', { score: 1 }), signal('failed')] }))
      expect(severity(answer.outcome)).toBe(Math.max(severity(without.outcome), severity(floor)))
      expect([without.degraded, answer.degraded]).toEqual([false, true])
      const raised = severity(floor) > severity(without.outcome)
      expect(answer.reasons.map((r) => r.code)).toEqual(raised ? ['check-unavailable'] : [])
    }
  })

  it('holds where the policy says nothing', () => {
    expect(decide(compiled(), input(0, { signals: [signal('failed')] }))).toMatchObject({
      outcome: 'hold',
      degraded: true,
    })
  })

  it('in shadow changes nothing; one that abstains neither', () => {
    const answer = decide(compiled(), input(0, { signals: [signal('failed', { shadow: true }), signal('abstained')] }))
    expect(answer).toMatchObject({ outcome: 'allow', degraded: false, reasons: [] })
  })

  it('may not be treated more mildly in a riskier class', () => {
    expect(() => compiled({ onFailedSignal: { high: 'allow' } })).toThrow(
      'onFailedSignal of high must not be milder than that of medium',
    )
    expect(() => compiled({ onFailedSignal: { low: 'allow', medium: 'hold', high: 'block' } })).not.toThrow()
  })
})

describe('rules', () => {
  it('the first enforced one that applies decides outright, milder or not', () => {
    const rules = [rule('never', 'false', 'block'), rule('first', 'true', 'allow'), rule('second', 'true', 'block')]
    const answer = decide(compiled({ rules }), input(0.95, { signals: [signal('failed')] }))
    expect(answer).toMatchObject({ outcome: 'allow', decidedBy: 'first', degraded: true, reasons: [] })
    expect(answer.rules).toEqual([{ ruleId: 'first', mode: 'enforce', outcome: 'allow' }])
    const reversed = decide(compiled({ rules: rules.toReversed() }), input(0))
    expect(reversed).toMatchObject({ outcome: 'block', decidedBy: 'second', reasons: [{ code: 'marketplace-rule' }] })
  })

  it('in shadow they are recorded, before and after the one that decides, and change nothing', () => {
    const rules = [
      rule('a', 'true', 'block', 'shadow'),
      rule('b', 'risk < 0.5', 'hold'),
      rule('c', 'true', 'allow', 'shadow'),
      rule('d', 'false', 'block', 'shadow'),
    ]
    expect(decide(compiled({ rules }), input(0))).toMatchObject({ outcome: 'hold', decidedBy: 'b' })
    const answer = decide(compiled({ rules }), input(0.1))
    expect(answer.rules.map((r) => [r.ruleId, r.mode])).toEqual([
      ['a', 'shadow'],
      ['b', 'enforce'],
      ['c', 'shadow'],
    ])
    expect(decide(compiled({ rules: rules.filter((r) => r.mode === 'shadow') }), input(0))).toMatchObject({
      outcome: 'allow',
      decidedBy: undefined,
      reasons: [],
    })
  })

  it.each(OUTCOMES)('one that fails on the listing is recorded with its error and does not apply (%s)', (outcome) => {
    const rules = [
      rule('broken', 'signals.absent.score > 0.5', outcome),
      rule('shadowed', 'listing.category[3] == "x"', outcome, 'shadow'),
    ]
    for (const risk of [0, 0.5, 0.95]) {
      const answer = decide(compiled({ rules }), input(risk))
      expect(answer.outcome).toBe(decide(compiled(), input(risk)).outcome)
      expect(answer.decidedBy).toBeUndefined()
      expect(answer.rules).toEqual([
        { ruleId: 'broken', mode: 'enforce', outcome, error: 'field not found: absent' },
        { ruleId: 'shadowed', mode: 'shadow', outcome, error: expect.any(String) },
      ])
    }
  })

  it('after a broken one the next is tried', () => {
    const rules = [rule('broken', 'signals.absent.score > 0.5', 'allow'), rule('next', 'true', 'block')]
    expect(decide(compiled({ rules }), input(0))).toMatchObject({ outcome: 'block', decidedBy: 'next' })
  })
})

describe('facts that rules see', () => {
  const full = listingSchema.parse({
    ...listing,
    marketplace: 'shop',
    brand: 'Nord',
    category: ['Bags', 'Totes'],
    attributes: { gtin: '4006381333931', sizes: ['S', 'M'], weight: 1.5 },
    condition: 'new',
    price: { amount: 10, currency: 'EUR' },
    quantity: 40,
    lotSize: 2,
    shipsFrom: 'CN',
    description: 'First copy, top quality',
    seller: { createdAt: '2026-01-01T00:00:00Z', complaintCount: 3, salesCount: 50 },
    images: [{ url: 'https://a.example/1.jpg' }, { data: 'AAAA' }],
  })
  const signals = [signal('scored', { score: 0.8, contribution: 1.4 }), signal('abstained', { name: 'wording' })]
  it.each([
    ['listing.title == "T" && listing.sellerId == seller.id && listing.revision == 1', true],
    ['has(listing.brand) && !has(listing.language) && listing.language == null', true],
    ['"Bags" in listing.category && size(listing.category) == 2 && listing.category[1].startsWith("Tot")', true],
    ['"gtin" in listing.attributes && listing.attributes.gtin.matches("^400")', true],
    ['"M" in listing.attributes.sizes && listing.attributes["weight"] > 1.0', true],
    ['has(listing.attributes.colour)', false],
    ['listing.price.amount == 10.0 && listing.price.currency == "EUR" && priceUsd == 20', true],
    ['listing.quantity * 2 > 79 && listing.quantity * listing.lotSize == 80', true],
    ['seller.ageDays == 30 && seller.complaintCount * 20 > seller.salesCount', true],
    ['!has(seller.country) && !has(seller.ratingAverage)', true],
    ['listing.description.matches("(?i)first\\\\s+copy")', true],
    ['signals.price.state == "scored" && signals.price.score >= 0.8 && signals.price.contribution > 1.0', true],
    ['signals["wording"].state == "abstained" && !has(signals.wording.score) && !("image" in signals)', true],
    ['size(listing.images) == 2 && listing.images.exists(i, has(i.url) && i.url.startsWith("https://a."))', true],
    ['brandIds.all(b, b in ["nord", "sud"]) && size(brandIds) == 2 && authorisedSeller', true],
    ['risk > 0.49 && risk < 0.51 && riskClass == "medium"', true],
  ])('%s', (when, expected) => {
    const answer = decide(
      compiled({ rules: [rule('r', when, 'block', 'shadow')] }),
      input(0.5, { listing: full, brandIds: ['nord', 'sud'], signals }),
    )
    expect(answer.rules).toEqual(expected ? [{ ruleId: 'r', mode: 'shadow', outcome: 'block' }] : [])
  })

  it.each([
    [[], 'S', false],
    [['nord'], 'S', true],
    [['nord', 'sud'], 'S', true],
    [['nord', 'sud'], 'R', false],
    [['sud'], 'R', true],
    [['nord', 'ost'], 'S', false],
    [['nord', 'unknown'], 'S', false],
  ])('authorised for all of %j: %s %s', (brandIds, sellerId, authorised) => {
    const policy = compiled({ rules: [rule('authorised', 'authorisedSeller', 'allow')] })
    expect(decide(policy, input(0.95, { brandIds, listing: { ...listing, sellerId } })).outcome).toBe(
      authorised ? 'allow' : 'block',
    )
  })

  it('a missing price, an unknown currency and an unknown age are null', () => {
    const policy = compiled({
      rules: [
        rule(
          'r',
          'priceUsd == null && seller.ageDays == null && !has(listing.price.amount) == (listing.price.amount == null)',
          'block',
        ),
      ],
    })
    for (const price of [undefined, { amount: 1, currency: 'JPY' }]) {
      expect(
        decide(policy, input(0, { listing: { ...listing, ...(price === undefined ? {} : { price }) } })).decidedBy,
      ).toBe('r')
    }
  })

  it('comparing what is missing is an error that changes nothing, not a hit', () => {
    const answer = decide(compiled({ rules: [rule('r', 'priceUsd < 10.0', 'block')] }), input(0))
    expect(answer).toMatchObject({
      outcome: 'allow',
      rules: [{ ruleId: 'r', error: expect.stringContaining('no matching overload') }],
    })
  })
})

describe('properties', () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true })
  const pair = fc.tuple(unit, unit).map(([a, b]) => ({ hold: Math.min(a, b), block: Math.max(a, b) }))
  const outcomes = fc
    .array(fc.constantFrom(...OUTCOMES), { minLength: 3, maxLength: 3 })
    .map((o) => o.toSorted((a, b) => severity(a) - severity(b)))
  const policies = fc
    .record({
      thresholds: pair,
      brandThresholds: fc.dictionary(fc.constantFrom('nord', 'sud', 'ost'), pair),
      failed: outcomes,
    })
    .map(({ failed, ...more }) =>
      compiled({ ...more, onFailedSignal: { low: failed[0], medium: failed[1], high: failed[2] } }),
    )
  const brandIds = fc.subarray(['nord', 'sud', 'ost', 'unlisted'])

  it('without rules more risk never gives a milder outcome, with failed signals or without', () => {
    fc.assert(
      fc.property(policies, brandIds, unit, unit, fc.boolean(), (policy, ids, a, b, fails) => {
        const at = (risk: number) =>
          severity(decide(policy, input(risk, { brandIds: ids, signals: fails ? [signal('failed')] : [] })).outcome)
        expect(at(Math.max(a, b))).toBeGreaterThanOrEqual(at(Math.min(a, b)))
      }),
    )
  })

  it('several brands together are decided as the strictest of them alone', () => {
    fc.assert(
      fc.property(policies, brandIds, unit, (policy, ids, risk) => {
        fc.pre(ids.length > 0)
        const at = (list: string[]) => severity(decide(policy, input(risk, { brandIds: list })).outcome)
        expect(at(ids)).toBe(Math.max(...ids.map((id) => at([id]))))
      }),
    )
  })

  it('shadow rules and broken rules never change the outcome', () => {
    const when = fc.constantFrom(
      'true',
      'risk > 0.5',
      'signals.x.score > 0.5',
      'listing.category[9] == "x"',
      'authorisedSeller',
    )
    const shadows = fc.array(fc.tuple(when, fc.constantFrom(...OUTCOMES)), { maxLength: 5 })
    fc.assert(
      fc.property(shadows, unit, (list, risk) => {
        const rules = list.map(([w, outcome], i) =>
          rule(`r${i}`, w, outcome, w.includes('signals.x') ? 'enforce' : 'shadow'),
        )
        const ignoring = ({ rules: _, ...rest }: ReturnType<typeof decide>) => rest
        expect(ignoring(decide(compiled({ rules }), input(risk)))).toEqual(ignoring(decide(compiled(), input(risk))))
      }),
    )
  })
})
