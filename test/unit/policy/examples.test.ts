// Real: the default policy that ships, and the examples that guard a policy.
import { describe, expect, it } from 'vitest'
import { policySchema } from '../../../src/domain/policy.ts'
import { compilePolicy } from '../../../src/policy/compile.ts'
import { decide, type PolicyDecision } from '../../../src/policy/decide.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import { runExamples } from '../../../src/policy/examples.ts'

const withExamples = (examples: object[], more: object = {}) =>
  compilePolicy(policySchema.parse({ ...defaultPolicy(), ...more, examples }))

describe('the default policy', () => {
  it('compiles and does what its examples say', async () => {
    expect(await runExamples(compilePolicy(defaultPolicy()))).toEqual([])
  })

  it('has an example for every rule and every outcome', () => {
    const { rules, examples } = defaultPolicy()
    const shown = new Set(examples.map((e) => e.expect.ruleId))
    expect(rules.filter((r) => !shown.has(r.ruleId))).toEqual([])
    expect(new Set(examples.map((e) => e.expect.outcome))).toEqual(new Set(['allow', 'hold', 'block']))
  })

  it.each([
    { thresholds: { hold: 0.1, block: 0.9 } },
    { thresholds: { hold: 0.2, block: 0.8 } },
    { rules: [] },
    { onFailedSignal: { low: 'allow', medium: 'hold', high: 'hold' } },
    { hold: { ...defaultPolicy().hold, onDeadlineDegraded: 'allow' } },
    { hold: { ...defaultPolicy().hold, onDeadline: {} } },
  ])('its examples notice a change such as %j', async (change) => {
    const policy = policySchema.parse({ ...defaultPolicy(), ...change })
    if ('thresholds' in change && change.thresholds?.block === 0.8) {
      policy.examples.push({
        name: 'below block',
        risk: 0.89,
        brandIds: [],
        failedSignals: [],
        expect: { outcome: 'hold' },
      })
    }
    expect(await runExamples(compilePolicy(policy))).not.toEqual([])
  })
})

describe('examples that fail', () => {
  it('say what was expected and what came', async () => {
    const compiled = withExamples([
      { name: 'wrong outcome', risk: 0.5, expect: { outcome: 'allow' } },
      { name: 'wrong rule', risk: 0.95, expect: { outcome: 'block', ruleId: 'authorised-seller' } },
      { name: 'rule instead', risk: 0.95, authorisedSeller: true, expect: { outcome: 'block' } },
      { name: 'other end', risk: 0.3, failedSignals: ['price'], expect: { outcome: 'hold', onDeadline: 'allow' } },
      { name: 'empty', expect: { outcome: 'allow' } },
      { name: 'fine', risk: 0, expect: { outcome: 'allow' } },
    ])
    expect(await runExamples(compiled)).toEqual([
      'example "wrong outcome" expects allow, got hold by the thresholds',
      'example "wrong rule" expects rule authorised-seller to apply, got block by the thresholds',
      'example "rule instead" expects block, got allow by rule authorised-seller',
      'example "other end" expects its hold to end in allow, got block',
      'example "empty" has neither a risk nor a listing',
    ])
  })

  it('a rule that could not be tried does not count as one that applies', async () => {
    const rules = [{ ruleId: 'broken', mode: 'shadow', when: 'signals.absent.score > 0.5', outcome: 'hold' }]
    const compiled = withExamples([{ name: 'broken', risk: 0, expect: { outcome: 'allow', ruleId: 'broken' } }], {
      rules,
    })
    expect(await runExamples(compiled)).toEqual([
      'example "broken" expects rule broken to apply, got allow by the thresholds',
    ])
  })

  it('a listing without a risk is tried by what the caller hands in, or fails', async () => {
    const compiled = withExamples([
      {
        name: 'tried',
        listing: { title: 'First copy bag', submittedAt: '2026-03-01T00:00:00Z' },
        expect: { outcome: 'block' },
      },
    ])
    expect(await runExamples(compiled)).toEqual([expect.stringContaining('there are no signals here')])
    const seen: unknown[] = []
    const assess = (
      listing: Parameters<NonNullable<Parameters<typeof runExamples>[1]>>[0],
      now: Date,
    ): Promise<PolicyDecision> => {
      seen.push([listing, now.toISOString()])
      const risk = { risk: 0.99, base: 0, signals: [], model: 'test' }
      return Promise.resolve(
        decide(compiled, { risk, listing, brandIds: [], brands: new Map(), usdPer: () => undefined, now }),
      )
    }
    expect(await runExamples(compiled, assess)).toEqual([])
    expect(seen).toEqual([
      [
        {
          listingId: 'example',
          revision: 1,
          sellerId: 'example',
          title: 'First copy bag',
          submittedAt: '2026-03-01T00:00:00Z',
        },
        '2026-03-01T00:00:00.000Z',
      ],
    ])
  })
})
