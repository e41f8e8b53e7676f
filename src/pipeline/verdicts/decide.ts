// What all verdicts on the revision that stands mean for its listing: the decision and the state of its case that follow. Pure.
import type { CaseOpener } from '../../domain/case.ts'
import type { Decision, Reason } from '../../domain/decision.ts'
import type { Outcome as DecisionOutcome } from '../../domain/policy.ts'
import { shortened } from '../../domain/schema-issues.ts'
import type { Verdict } from '../../domain/verdict.ts'
import { weighVerdicts } from '../../review/weigh-verdicts.ts'
import { decisionId } from '../ids.ts'
import type { Draft, SettlementDraft } from '../settlement.ts'
import type { OpenSubject } from './subject.ts'
import { settleWithdrawn } from './withdrawn.ts'

const CONFIRMED: Reason = {
  code: 'confirmed-by-review',
  text: 'A person has looked at the listing and found that it offers imitations.',
}
const CLEARED: Reason = {
  code: 'cleared-by-review',
  text: 'A person has looked at the listing and found nothing against it.',
}
const LOOKED_AT_AGAIN: Reason = {
  code: 'review-taken-back',
  text: 'What a person had said of the listing was taken back; it is looked at again.',
}

/** What the verdict names and nobody here knows, in words; undefined when all of it is known. */
export function faultOf(verdict: Verdict, subject: OpenSubject | undefined): string | undefined {
  const listing = shortened(verdict.listingId)
  if (subject === undefined) return `listingId ${listing} was never decided here`
  const decision = subject.decisions.find((d) => d.decisionId === verdict.decisionId.toLowerCase())
  if (decision === undefined) return `decisionId ${verdict.decisionId} is not one of listing ${listing}`
  if (decision.revision !== verdict.revision)
    return `revision must be ${decision.revision}, which the decision is about (got ${verdict.revision})`
  if (verdict.caseId !== undefined && verdict.caseId !== null && verdict.caseId !== decision.caseId)
    return `caseId ${shortened(verdict.caseId)} is not the case of that decision`
  return undefined
}

/**
 * The decision that the verdicts on the standing revision call for; undefined when what stands says it already. `said` is
 * the last of them: a case that was opened again although something is settled (its seller answered) waits for a word
 * that agrees with what is settled or changes it. Of a withdrawn listing nothing is decided (`settleWithdrawn`).
 */
export function decideByVerdicts(
  draft: SettlementDraft,
  row: Draft,
  subject: OpenSubject,
  context: { readonly said: Verdict['verdict']; readonly now: Date; readonly openedBy?: CaseOpener },
): Decision | undefined {
  const { said, now, openedBy = null } = context
  const own = subject.decisions.filter((d) => d.revision === row.revision)
  const stands = own.at(-1)
  const unreviewed = own.findLast((d) => d.stage !== 'review')
  if (stands === undefined || unreviewed === undefined)
    throw new Error(`listing ${JSON.stringify(row.listingId)} stands at a revision without a decision`)
  const onRevision = subject.verdicts.filter((v) => v.revision === row.revision)
  const weighed = weighVerdicts(onRevision, stands.brandIds)
  const outcome = outcomeOf(weighed, unreviewed)
  const caseOf = stands.caseId ?? row.caseId
  if (row.withdrawnRevision >= row.revision) {
    settleWithdrawn(draft, row, subject, { caseId: caseOf, revision: row.revision, now })
    return undefined
  }
  const changes = outcome !== row.outcome
  const closes = weighed !== undefined && row.caseId !== null && (said === weighed || changes)
  // What is on sale is looked at again only where it was a sample: else its hold had ended before anybody spoke.
  const waits = outcome !== 'allow' || stands.audit
  const reopens = weighed === undefined && waits && row.caseId === null && caseOf !== null
  if (!changes && !closes && !reopens) return undefined

  const sequence = row.sequence + 1
  const { hold: _, ...rest } = stands
  const hold =
    outcome === 'hold' && unreviewed.hold !== undefined ? heldAnew(unreviewed, unreviewed.hold, now) : undefined
  const decision: Decision = {
    ...rest,
    decisionId: decisionId(row.listingId, row.revision, sequence),
    sequence,
    stage: 'review',
    outcome,
    decidedAt: now.toISOString(),
    ...(caseOf === null ? {} : { caseId: caseOf }),
    reasons: reasonsFor(weighed, outcome, unreviewed),
    ...(hold === undefined ? {} : { hold }),
  }
  draft.decision(decision)
  if (caseOf !== null && (weighed !== undefined || reopens || hold !== undefined)) {
    draft.case({
      caseId: caseOf,
      listingId: row.listingId,
      change: weighed === undefined ? 'reopened' : 'resolved',
      revision: row.revision,
      brandIds: stands.brandIds,
      risk: stands.risk,
      openedBy,
      marketplace: row.marketplace,
      dueAt: hold?.until ?? null,
      at: decision.decidedAt,
    })
    row.caseId = weighed === undefined ? caseOf : null
  }
  row.sequence = sequence
  row.outcome = outcome
  row.holdUntil = hold?.until ?? null
  row.changed = true
  return decision
}

function outcomeOf(weighed: 'confirmed' | 'rejected' | undefined, unreviewed: Decision): DecisionOutcome {
  if (weighed === undefined) return unreviewed.outcome
  return weighed === 'confirmed' ? 'block' : 'allow'
}

/** Held again for as long as the first time: a deadline that passed meanwhile must not let it through unseen. */
function heldAnew(held: Decision, hold: NonNullable<Decision['hold']>, now: Date): NonNullable<Decision['hold']> {
  const milliseconds = Math.max(0, Date.parse(hold.until) - Date.parse(held.decidedAt))
  return { until: new Date(now.getTime() + milliseconds).toISOString(), onDeadline: hold.onDeadline }
}

function reasonsFor(
  weighed: 'confirmed' | 'rejected' | undefined,
  outcome: DecisionOutcome,
  unreviewed: Decision,
): Reason[] {
  if (weighed === 'rejected') return [CLEARED]
  const found = unreviewed.outcome === 'allow' ? [] : unreviewed.reasons
  if (weighed === 'confirmed') return [...found, CONFIRMED]
  return outcome === 'allow' ? [...unreviewed.reasons] : [...found, LOOKED_AT_AGAIN]
}
