// Real: policies through their schema, their compiled rules, the decision. Risks and brands are given.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OUTCOMES, type Policy } from '../../../src/domain/policy.ts'
import { compilePolicy, severity } from '../../../src/policy/compile.ts'
import { decide, type PolicyDecision } from '../../../src/policy/decide.ts'
import { compiled, input, rule, signal } from '../../support/policies.ts'

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
      seenAlone: outcome,
      deadlineSeconds: 60,
      audit: { share: 0.01, dueSeconds: 604_800 },
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

describe('how a hold ends where something could not look', () => {
  const failed = [signal('failed')]
  const partly = [signal('scored', { score: 0.1, incomplete: true })]
  it('is a block unless the policy says otherwise, and never milder than the risk class says', () => {
    const lenient = compiled({
      hold: { deadlineSeconds: 60, onDeadline: { low: 'allow', high: 'block' }, onDeadlineDegraded: 'allow' },
    })
    for (const signals of [failed, partly]) {
      for (const risk of [0, 0.25, 0.4, 0.7]) {
        expect(decide(compiled(), input(risk, { signals }))).toMatchObject({ outcome: 'hold', onDeadline: 'block' })
      }
      expect(decide(lenient, input(0, { signals })).onDeadline).toBe('allow')
      expect(decide(lenient, input(0.7, { signals })).onDeadline).toBe('block')
    }
  })

  it('is a block in a document that was published before it could say so', () => {
    const { policy } = compiled()
    const { onDeadlineDegraded: _, ...hold } = policy.hold
    const older = compilePolicy({ ...policy, hold } as unknown as Policy)
    expect(decide(older, input(0, { signals: failed })).onDeadline).toBe('block')
  })

  it('is as ever where all could look, or what could not is in shadow', () => {
    for (const signals of [
      [],
      [signal('failed', { shadow: true })],
      [signal('scored', { incomplete: true, shadow: true })],
    ])
      expect(decide(compiled(), input(0.25, { signals }))).toMatchObject({ degraded: false, onDeadline: 'allow' })
  })
})

describe('a signal that saw a part only', () => {
  it('is a failure for the policy, and what it saw still counts', () => {
    const signals = [signal('scored', { score: 0.1, incomplete: true })]
    const low = decide(compiled(), input(0, { signals }))
    expect(low).toMatchObject({ outcome: 'hold', seenAlone: 'allow', degraded: true })
    expect(low.reasons.map((r) => r.code)).toEqual(['check-unavailable'])
    expect(decide(compiled(), input(0.95, { signals }))).toMatchObject({ outcome: 'block', seenAlone: 'block' })
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
      expect(answer.reasons.map((r) => r.code)).toEqual(answer.outcome === 'allow' ? [] : ['check-unavailable'])
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
        const ignoring = (answer: PolicyDecision) => ({ ...answer, rules: [] })
        expect(ignoring(decide(compiled({ rules }), input(risk)))).toEqual(ignoring(decide(compiled(), input(risk))))
      }),
    )
  })
})
