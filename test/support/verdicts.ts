// What a person says of a decision, as a review tool sends it.
import { randomUUID } from 'node:crypto'
import type { Decision } from '../../src/domain/decision.ts'
import type { Verdict } from '../../src/domain/verdict.ts'

export const verdictOn = (decision: Decision, verdict: Verdict['verdict'], more: Partial<Verdict> = {}): Verdict => ({
  verdictId: randomUUID(),
  caseId: decision.caseId ?? null,
  listingId: decision.listingId,
  revision: decision.revision,
  decisionId: decision.decisionId,
  verdict,
  by: { subject: 'reviewer-4', role: 'analyst' },
  at: '2026-01-01T00:00:00Z',
  source: 'review',
  ...more,
})
