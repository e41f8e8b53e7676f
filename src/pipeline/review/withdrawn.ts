// The case of a withdrawn listing on which nothing counts any more: it is closed by its seller, and decides nothing.
import { countingVerdicts } from '../../review/weigh-verdicts.ts'
import { sameCase } from '../verdicts/decide.ts'
import type { Work } from './answer.ts'

/** Its revision, or a later one, was taken back by the seller. */
export const isWithdrawn = ({ one, row }: Pick<Work, 'one' | 'row'>): boolean =>
  one.state === 'withdrawn' || row.withdrawnRevision >= one.revision

/**
 * After a word was taken back: verdicts that are gone resolve a case no longer. What stands for the listing stays as the
 * withdrawal left it, so that a new revision of it meets what it met then.
 */
export function endAsWithdrawn({ one, draft, row, subject }: Work, now: Date): void {
  const counting = countingVerdicts(subject.verdicts.filter((v) => sameCase(v, one)))
  if (one.state === 'withdrawn' || counting.some((v) => v.verdict !== 'cannot-tell')) return
  draft.case({
    caseId: one.caseId,
    listingId: one.listingId,
    change: 'withdrawn',
    revision: one.revision,
    brandIds: one.brandIds,
    risk: subject.decisions.findLast((d) => d.revision === one.revision)?.risk ?? 0,
    openedBy: null,
    marketplace: row.marketplace,
    dueAt: null,
    at: now.toISOString(),
  })
}
