// What a policy document must be before it is published. Real: the schema, the compiler, the default policy.
import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../../../src/pipeline/policies.ts'
import { compilePolicy } from '../../../src/policy/compile.ts'
import { decide } from '../../../src/policy/decide.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'

describe('a policy document', () => {
  it('may not have a field that there is not: a misspelt protection protects nobody', () => {
    const fault = (document: object) => {
      try {
        parsePolicy(document)
        return 'taken'
      } catch (error) {
        return error instanceof Error ? error.message : ''
      }
    }
    const policy = defaultPolicy()
    expect(fault(policy)).toBe('taken')
    expect(fault({ ...policy, brandTresholds: {} })).toMatch(/\/brandTresholds is not a field/)
    const [rule, ...rules] = policy.rules
    expect(fault({ ...policy, rules: [{ ...rule, mod: 'shadow' }, ...rules] })).toMatch(
      /\/rules\/0\/mod is not a field/,
    )
  })

  it('tries no rule once the listing’s time is used up, and then decides as if a signal had failed', () => {
    const policy = compilePolicy({
      ...defaultPolicy(),
      rules: [{ ruleId: 'always-allow', description: '', mode: 'enforce', when: 'true', outcome: 'allow' }],
      examples: [],
    })
    const input = {
      risk: { risk: 0.01, base: 0, signals: [], model: '1' },
      listing: { listingId: 'L', revision: 1, sellerId: 'S', title: 't' },
      brandIds: [],
      brands: new Map(),
      usdPer: () => 1,
      now: new Date('2026-01-01T00:00:00Z'),
    }
    expect(decide(policy, input)).toMatchObject({ outcome: 'allow', decidedBy: 'always-allow', degraded: false })
    const late = decide(policy, { ...input, mayGoOn: () => false })
    expect(late).toMatchObject({ outcome: 'hold', decidedBy: undefined, degraded: true })
    expect(late.rules).toMatchObject([{ ruleId: 'always-allow', error: expect.stringMatching(/time budget/) }])
  })
})
