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
    waiting = [],
  }: {
    readonly outcome: Decision['outcome']
    readonly openCase: string | null
    readonly inReview: boolean
    /** Brands of the case that it takes over. */
    readonly waiting?: readonly string[]
  },
) {
  const { answer, risk } = assessment
  return {
    outcome,
    risk: risk.risk,
    riskClass: answer.riskClass,
    brandIds: brandsOf(assessment, outcome, waiting),
    ...(openCase === null ? {} : { caseId: openCase }),
    reasons: outcome === 'allow' ? [] : reasonsFor(assessment, inReview),
    base: risk.base,
    signals: [...risk.signals],
    rules: [...answer.rules],
    policy: answer.policy,
    models: { ...assessment.models },
    ...(assessment.modelParts === undefined ? {} : { modelParts: { ...assessment.modelParts } }),
  }
}

/**
 * Those that the listing names, those that know what stopped it, and those whose word its case waits for: an edit takes a
 * case away from nobody. Of what goes on sale nobody is told because a picture of theirs is like one of it.
 */
const brandsOf = (
  { brandIds, knownTo }: Assessment,
  outcome: Decision['outcome'],
  waiting: readonly string[],
): string[] => [...new Set([...brandIds, ...(outcome === 'allow' ? [] : knownTo), ...waiting])]

/** Nobody is stopped without a word: where the risk did it and no single signal has a reason, the sum of small ones is it. */
function reasonsFor({ reasons, answer }: Assessment, inReview: boolean): Reason[] {
  const edited = inReview ? [EDITED] : []
  const small = answer.decidedBy === undefined && answer.seenAlone !== 'allow' && reasons.length + edited.length === 0
  const all = [...reasons, ...(small ? [SMALL_SIGNS] : []), ...answer.reasons, ...edited]
  return all.length === 0 ? [SMALL_SIGNS] : all
}

export const openerOf = (outcome: Decision['outcome']): CaseOpener => (outcome === 'block' ? 'block' : 'hold')
