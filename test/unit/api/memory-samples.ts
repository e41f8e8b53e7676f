// A decision and a policy as samples for tests of HTTP behaviour.
import type { Decision } from '../../../src/domain/decision.ts'
import type { Policy } from '../../../src/domain/policy.ts'

export function decisionOf(change: Partial<Decision> = {}): Decision {
  return {
    decisionId: '6d7e4bce-ad2b-5c38-9af1-f764ecc399eb',
    listingId: 'L-1',
    revision: 1,
    sequence: 1,
    contentHash: 'a'.repeat(64),
    sellerId: 'S-9',
    submittedAt: '2026-01-01T00:00:00.000Z',
    decidedAt: '2026-01-01T00:00:01.000Z',
    stage: 'screening',
    outcome: 'hold',
    risk: 0.5,
    riskClass: 'medium',
    brandIds: [],
    reasons: [],
    base: 0,
    signals: [],
    rules: [],
    policy: { policyId: 'default', version: 1 },
    models: { fusion: '1' },
    degraded: false,
    audit: false,
    ...change,
  }
}

export function policyOf(version: number): Policy {
  return {
    policyId: 'default',
    version,
    description: '',
    thresholds: { hold: 0.5, block: 0.9 },
    brandThresholds: {},
    riskClasses: [{ name: 'low', from: 0 }],
    hold: { deadlineSeconds: 60, onDeadline: {}, onDeadlineDegraded: 'block' },
    audit: { share: 0, dueSeconds: 60 },
    onFailedSignal: {},
    rules: [],
    examples: [],
  }
}
