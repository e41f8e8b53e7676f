// A small policy, three brands and shorthands, to say in one line what is decided about.
import { brandSchema, type Brand } from '../../src/domain/brand.ts'
import type { Listing } from '../../src/domain/listing.ts'
import { policySchema, type Outcome } from '../../src/domain/policy.ts'
import type { Risk } from '../../src/domain/risk.ts'
import type { SignalResult } from '../../src/domain/signal-result.ts'
import { compilePolicy, type CompiledPolicy } from '../../src/policy/compile.ts'
import type { PolicyInput } from '../../src/policy/decide.ts'

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
export const compiled = (more: object = {}): CompiledPolicy =>
  compilePolicy(policySchema.parse({ ...document, ...more }))

export const listing: Listing = { listingId: 'L', revision: 1, sellerId: 'S', title: 'T' }
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
export const signal = (state: SignalResult['state'], more: Partial<SignalResult> = {}): SignalResult => ({
  name: 'price',
  version: '1',
  state,
  contribution: 0,
  evidence: {},
  durationMs: 0,
  ...more,
})

export function input(
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
/** A rule of a policy document. */
export const rule = (ruleId: string, when: string, outcome: Outcome, mode: 'enforce' | 'shadow' = 'enforce') => ({
  ruleId,
  when,
  outcome,
  mode,
})
