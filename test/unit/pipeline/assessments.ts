// Assessments made by hand, for tests of what comes after them.
import type { Listing } from '../../../src/domain/listing.ts'
import type { Outcome } from '../../../src/domain/policy.ts'
import type { Assessment } from '../../../src/pipeline/assess.ts'

export const listingOf = (listingId: string, revision: number): Listing => ({
  listingId,
  revision,
  sellerId: 'S-1',
  title: 'A pair of shoes',
})

export function assessment(outcome: Outcome): Assessment {
  return {
    risk: { risk: 0.5, base: 0, signals: [], model: '1' },
    brandIds: ['nike'],
    knownTo: [],
    reasons: [],
    answer: {
      outcome,
      decidedBy: undefined,
      thresholds: { hold: 0.2, block: 0.9 },
      riskClass: 'medium',
      reasons: [],
      rules: [],
      degraded: false,
      seenAlone: outcome,
      onDeadline: 'allow',
      deadlineSeconds: 86_400,
      audit: { share: 0, dueSeconds: 604_800 },
      policy: { policyId: 'default', version: 1 },
    },
    passing: false,
    late: false,
    models: { fusion: '1' },
    pictures: [],
    bankMatches: [],
  }
}
