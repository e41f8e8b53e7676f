// What trying a listing again means for it, decided under its row lock: a decision only if the revision still stands as it was. Pure.
import type { Decision } from '../../domain/decision.ts'
import type { Listing, ListingIdentity } from '../../domain/listing.ts'
import type { TopicNames } from '../../events/topics.ts'
import { mayBeMended, type Assessment } from '../assess.ts'
import { caseId, decisionId } from '../ids.ts'
import type { Kept } from '../pictures/keeping.ts'
import { EDITED, openerOf, reasonsFor } from '../settle.ts'
import { SettlementDraft, type Draft } from '../settlement.ts'
import type { RescreenSettlement, RescreenSubject } from './ports.ts'

export interface Rescreened {
  readonly listing: Listing
  readonly assessment: Assessment
  readonly attempts: number
  readonly kept?: Kept
}

/** With the pauses between them about a day: what has not come back by then does not come back by waiting. */
const MOST_ATTEMPTS = 8

/**
 * - a revision that no longer stands, was withdrawn, or that a person has decided is left alone;
 * - tried in vain again it says nothing new: nothing is written, and it is tried once more while that may help;
 * - otherwise a decision is written, since from now on it is made with all signals. Hold and case follow it; a hold keeps
 *   its deadline, and what was held because of an edit is never decided better than hold.
 */
export function settleRescreens(
  tried: readonly Rescreened[],
  known: ReadonlyMap<string, RescreenSubject>,
  { now, topics }: { readonly now: Date; readonly topics: TopicNames },
): RescreenSettlement & { readonly decided: readonly Decision[] } {
  const draft = new SettlementDraft(
    new Map([...known].map(([listingId, { standing }]) => [listingId, standing])),
    topics,
  )
  const ended: ListingIdentity[] = []
  const decided: Decision[] = []
  for (const one of tried) {
    const { listingId, revision } = one.listing
    const row = draft.of(listingId)
    const decisions = known.get(listingId)?.decisions ?? []
    const stands = decisions.at(-1)
    const isOver =
      stands === undefined ||
      row.revision !== revision ||
      row.withdrawnRevision >= revision ||
      decisions.some((d) => d.stage === 'review')
    const inVain = one.assessment.answer.degraded
    if (isOver || !inVain || !mayBeMended(one.assessment, one.listing) || one.attempts >= MOST_ATTEMPTS)
      ended.push({ listingId, revision })
    if (isOver || inVain || !stands.degraded) continue
    const edited = decisions.some((d) => d.stage === 'screening' && d.reasons.some((r) => r.code === EDITED.code))
    decided.push(decideAgain(draft, row, one, { stands, edited, now }))
  }
  return { settlement: draft.done(), ended, decided }
}

function decideAgain(
  draft: SettlementDraft,
  row: Draft,
  { listing, assessment, kept }: Rescreened,
  { stands, edited, now }: { readonly stands: Decision; readonly edited: boolean; readonly now: Date },
): Decision {
  const { answer, risk } = assessment
  const outcome = edited && answer.outcome === 'allow' ? 'hold' : answer.outcome
  const sequence = row.sequence + 1
  // An open case of a listing on sale is a sample, which goes on whatever the signals say.
  const wasSample = row.caseId !== null && row.outcome === 'allow'
  const audit = outcome === 'allow' && wasSample
  const looked = outcome !== 'allow' || audit
  const openCase = looked ? (row.caseId ?? caseId(row.listingId, row.revision, sequence)) : null
  const later = new Date(now.getTime() + answer.deadlineSeconds * 1000).toISOString()
  const until = row.outcome === 'hold' ? (stands.hold?.until ?? later) : later
  const { hold: _, caseId: __, ...rest } = stands
  const decision: Decision = {
    ...rest,
    decisionId: decisionId(row.listingId, row.revision, sequence),
    sequence,
    stage: 'rescreen',
    decidedAt: now.toISOString(),
    outcome,
    risk: risk.risk,
    riskClass: answer.riskClass,
    brandIds: [...assessment.brandIds],
    ...(openCase === null ? {} : { caseId: openCase }),
    reasons: outcome === 'allow' ? [] : reasonsFor(assessment, edited),
    base: risk.base,
    signals: [...risk.signals],
    rules: [...answer.rules],
    policy: answer.policy,
    models: { ...assessment.models },
    ...(outcome === 'hold' ? { hold: { until, onDeadline: edited ? ('block' as const) : answer.onDeadline } } : {}),
    degraded: false,
    audit,
  }
  draft.decision(decision)
  const about = {
    listingId: row.listingId,
    revision: row.revision,
    brandIds: decision.brandIds,
    risk: decision.risk,
    marketplace: row.marketplace,
    at: decision.decidedAt,
  }
  if (openCase !== null) {
    const carried = openCase === row.caseId
    const openedBy = audit || (carried && !wasSample) ? null : openerOf(outcome)
    const dueAt = audit ? null : until
    draft.case({ ...about, caseId: openCase, change: carried ? 'carry' : 'open', openedBy, dueAt })
    for (const picture of kept ?? [])
      draft.casePicture({ caseId: openCase, revision: listing.revision, brandIds: decision.brandIds, ...picture })
  } else if (row.caseId !== null) {
    draft.case({ ...about, caseId: row.caseId, change: 'released', openedBy: null, dueAt: null })
  }
  row.sequence = sequence
  row.outcome = outcome
  row.caseId = openCase
  row.holdUntil = outcome === 'hold' ? until : null
  row.changed = true
  return decision
}
