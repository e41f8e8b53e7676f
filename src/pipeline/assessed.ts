// What a decision says of the assessment that it follows, whatever made it: its outcome, its reasons, its evidence.
import type { CaseOpener } from '../domain/case.ts'
import type { Decision, Reason } from '../domain/decision.ts'
import type { Assessment } from './assess.ts'

/** Written for the seller of a listing that was edited while its predecessor was held or blocked. */
export const EDITED: Reason = {
  code: 'earlier-revision-in-review',
  text: 'An earlier version of this listing is still waiting to be looked at.',
}

const SMALL_SIGNS: Reason = {
  code: 'needs-a-look',
  text: 'Several details of the listing together need to be looked at by a person.',
}

/** What a decision says of the assessment that it follows, whatever made it. */
export function assessed(
  assessment: Assessment,
  {
    outcome,
    openCase,
    inReview,
  }: { readonly outcome: Decision['outcome']; readonly openCase: string | null; readonly inReview: boolean },
) {
  const { answer, risk } = assessment
  return {
    outcome,
    risk: risk.risk,
    riskClass: answer.riskClass,
    brandIds: [...assessment.brandIds],
    ...(openCase === null ? {} : { caseId: openCase }),
    reasons: outcome === 'allow' ? [] : reasonsFor(assessment, inReview),
    base: risk.base,
    signals: [...risk.signals],
    rules: [...answer.rules],
    policy: answer.policy,
    models: { ...assessment.models },
  }
}

/** Nobody is stopped without a word: where no single signal has a reason, the sum of small ones is it. */
function reasonsFor(assessment: Assessment, inReview: boolean): Reason[] {
  const reasons = [...assessment.reasons, ...assessment.answer.reasons, ...(inReview ? [EDITED] : [])]
  return reasons.length === 0 ? [SMALL_SIGNS] : reasons
}

export const openerOf = (outcome: Decision['outcome']): CaseOpener => (outcome === 'block' ? 'block' : 'hold')
