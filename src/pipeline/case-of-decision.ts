// The case that a decision opens, carries over or closes, and what it shows: the same for a first look and for another one.
import type { Decision } from '../domain/decision.ts'
import { openerOf } from './assessed.ts'
import type { Kept } from './pictures/keeping.ts'
import type { CaseChange } from './ports.ts'
import type { Draft, SettlementDraft } from './settlement.ts'

/**
 * Nothing where the decision has no case. `row` still stands as before it; `dueAt`: when somebody must have looked, unless the
 * case is that of a sample that is edited, which is due when it was.
 */
export function openCaseOf(
  decision: Decision,
  row: Draft,
  draft: SettlementDraft,
  { dueAt, kept = [] }: { readonly dueAt: string; readonly kept?: Kept | undefined },
): void {
  const { caseId, listingId, revision, brandIds, risk, outcome, audit, decidedAt } = decision
  if (caseId === undefined) return
  const isTakenUp = caseId === row.withdrawnCaseId
  const isCarried = isTakenUp || caseId === row.caseId
  // An open case of a listing on sale was a sample: what is stopped now waits for another reason.
  const wasSample = isCarried && row.outcome === 'allow'
  draft.case({
    caseId,
    listingId,
    change: isCarried ? 'carry' : 'open',
    revision,
    brandIds,
    risk,
    openedBy: isCarried && (!wasSample || audit) ? null : audit ? 'audit' : openerOf(outcome),
    marketplace: decision.marketplace ?? row.marketplace,
    // The look at a sample is due when it was, however often its seller edits; nobody waited while it was withdrawn.
    dueAt: audit && isCarried && !isTakenUp ? null : dueAt,
    at: decidedAt,
  })
  for (const picture of kept) draft.casePicture({ caseId, revision, brandIds, ...picture })
}

/** By the decision that the case is about as it closes; what it was about it keeps. */
export function closeCaseOf(
  { listingId, revision, brandIds, risk }: Decision,
  { marketplace }: Draft,
  draft: SettlementDraft,
  closed: Pick<CaseChange, 'caseId' | 'at'> & {
    readonly change: Extract<CaseChange['change'], 'withdrawn' | 'released' | 'resolved'>
  },
): void {
  draft.case({ ...closed, listingId, revision, brandIds, risk, openedBy: null, marketplace, dueAt: null })
}
