// What verdicts mean for a listing that its seller has taken back: labels and banks, and whether its case is settled; no decision. Pure.
import type { CaseState } from '../../domain/case.ts'
import { countingVerdicts, weighVerdicts } from '../../review/weigh-verdicts.ts'
import { closeCaseOf } from '../case-of-decision.ts'
import type { Draft, SettlementDraft } from '../settlement.ts'
import { sameCase, type OpenSubject } from './subject.ts'

/**
 * Its case is `resolved` as soon as its verdicts settle it, and `withdrawn` again when none of them counts any more. A
 * withdrawal is no way round the loop: what was confirmed comes back as one that was, so a sample that had been on sale
 * stands blocked from here on, without a decision; and as it was decided when that is undone. A rejection frees nothing: what comes
 * back meets what it met when it went, and its case is that of what comes back (`deciding.ts`). `state`: not said where nobody knows it.
 */
export function settleWithdrawn(
  draft: SettlementDraft,
  row: Draft,
  subject: OpenSubject,
  about: { readonly caseId: string | null; readonly revision: number; readonly state?: CaseState; readonly now: Date },
): void {
  const { caseId, revision, state, now } = about
  const stands = subject.decisions.findLast((d) => d.revision === revision)
  if (stands === undefined)
    throw new Error(`a verdict on a revision of ${JSON.stringify(row.listingId)} without a decision`)
  const weighed = weighVerdicts(
    subject.verdicts.filter((v) => v.revision === revision),
    stands.brandIds,
  )
  if (row.revision === revision) {
    const outcome =
      weighed === 'confirmed' && row.outcome === 'allow'
        ? 'block'
        : weighed !== 'confirmed' && stands.outcome === 'allow'
          ? 'allow'
          : row.outcome
    row.changed ||= outcome !== row.outcome
    row.outcome = outcome
  }
  const counts = countingVerdicts(subject.verdicts.filter((v) => sameCase(v, { revision, caseId })))
  const waits = weighed === undefined && counts.some((v) => v.verdict !== 'cannot-tell')
  const change = weighed === undefined ? 'withdrawn' : 'resolved'
  if (caseId === null || waits || change === state) return
  closeCaseOf(stands, row, draft, { caseId, change, at: now.toISOString() })
}
