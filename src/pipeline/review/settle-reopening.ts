// A case is opened again: an analyst asks for another look or takes verdicts back, or the seller answers. Pure, under the lock.
import type { CaseOpener } from '../../domain/case.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { TopicNames } from '../../events/topics.ts'
import { countingVerdicts } from '../../review/weigh-verdicts.ts'
import { appealId, caseId } from '../ids.ts'
import { decideByVerdicts } from '../verdicts/decide.ts'
import { sameCase } from '../verdicts/subject.ts'
import { settleWithdrawn } from '../verdicts/withdrawn.ts'
import { isWithdrawn, startWork, type Settled, type Work } from './answer.ts'
import type { ReviewCase, ReviewSubject } from './ports.ts'

interface Context {
  readonly topics: TopicNames
  readonly now: Date
  /** Until somebody should have looked again. */
  readonly dueSeconds: number
}

/** What a seller sends again and again is read by people: so many answers are enough for any case. */
export const MOST_APPEALS = 20

export interface Reopening {
  /** Of the first verdict that it records; the others have it with a number. */
  readonly verdictId: string
  readonly reason: string
  /** Every verdict on the case that counts, whatever its revision, is undone, so that what stood before anyone had looked stands again. */
  readonly takeBack: boolean
  readonly by: Verdict['by']
}

/**
 * Says `cannot-tell` with the reason, so that who asked and why stays with the case: in place of each verdict that is
 * taken back, or by itself. What stands goes on standing unless something was taken back. Only for a closed case of the
 * revision that stands: else `case-changed`. Of a withdrawn listing verdicts are taken back too, with what they put into
 * the banks, but nothing is looked at again and nothing decided.
 */
export function settleReopening(found: ReviewSubject, one: ReviewCase, asked: Reopening, context: Context): Settled {
  const work = startWork(found, one, context.topics)
  const { row, subject } = work
  const known = found.recorded.get(asked.verdictId)
  if (known !== undefined)
    return known.caseId === one.caseId && known.verdict === 'cannot-tell' && known.by.subject === asked.by.subject
      ? work.known()
      : work.refuse('verdict-reused', 'the verdictId was recorded before with other content', '/verdictId')
  if (one.state === 'open') return work.refuse('case-changed', 'the case is open')
  const withdrawn = isWithdrawn(work)
  if (withdrawn && !asked.takeBack)
    return work.refuse(
      'case-changed',
      'the listing was withdrawn: there is nothing to look at again; takeBack still undoes what was said of it',
    )
  if (!withdrawn && row.revision !== one.revision)
    return work.refuse('case-changed', `revision ${row.revision} of the listing is decided; this case is closed`)
  const looked = subject.decisions.findLast((d) => d.revision === one.revision)
  if (looked === undefined) throw new Error(`case ${one.caseId} is about a revision without a decision`)

  const counting = countingVerdicts(subject.verdicts.filter((v) => sameCase(v, one)))
  const undone = asked.takeBack ? counting.filter((v) => v.verdict !== 'cannot-tell') : []
  if (withdrawn && undone.length === 0)
    return work.refuse('case-changed', 'the listing was withdrawn, and no verdict on its case counts')
  const words = undone.length === 0 ? [undefined] : undone
  words.forEach((word, i) =>
    work.record({
      verdictId: i === 0 ? asked.verdictId : `${asked.verdictId}/${i + 1}`,
      caseId: one.caseId,
      listingId: one.listingId,
      revision: one.revision,
      decisionId: looked.decisionId,
      brandId: word?.brandId ?? null,
      verdict: 'cannot-tell',
      reason: asked.reason,
      note: null,
      by: asked.by,
      at: context.now.toISOString(),
      source: 'review',
      supersedes: word?.verdictId ?? null,
    }),
  )
  if (withdrawn) {
    settleWithdrawn(work.draft, row, subject, { ...one, now: context.now })
    return work.recorded()
  }
  decideByVerdicts(work.draft, row, subject, { said: 'cannot-tell', now: context.now, openedBy: 'review' })
  if (row.caseId === null) openAgain(work, 'review', context)
  return work.recorded()
}

/**
 * The seller's answer to a hold or a block: kept with its case, which opens if it was closed. It decides nothing. The same
 * text on the same revision counts once. A listing that is on sale, withdrawn or unknown to the decisions has nothing to
 * answer to.
 */
export function settleAppeal(
  found: ReviewSubject,
  said: { readonly text: string; readonly by: string },
  context: Context,
): Settled {
  const { listingId, revision, sequence, outcome, withdrawnRevision } = found.standing
  if (outcome === null || outcome === 'allow' || withdrawnRevision >= revision)
    return {
      answer: {
        kind: 'refused',
        code: 'nothing-to-appeal',
        message: withdrawnRevision >= revision ? 'the listing was withdrawn' : 'the listing is on sale',
        stands: undefined,
      },
    }
  // A block by verdicts alone has none: nobody had stopped the listing before.
  const one = found.one ?? caseless(found, caseId(listingId, revision, sequence))
  const work = startWork(found, one, context.topics)
  const id = appealId(listingId, revision, said.text)
  if (found.appeals.has(id)) return work.known()
  if (found.appeals.size >= MOST_APPEALS)
    return work.refuse('too-many-appeals', `the case has ${MOST_APPEALS} answers of the seller`)
  if (work.row.caseId === null) openAgain(work, 'appeal', context)
  return work.recorded({ appeals: [{ appealId: id, caseId: one.caseId, listingId, revision, ...said }] })
}

const caseless = ({ standing, decisions }: ReviewSubject, id: string): ReviewCase => ({
  caseId: id,
  listingId: standing.listingId,
  revision: standing.revision,
  state: 'resolved',
  openedBy: 'appeal',
  brandIds: decisions.findLast((d) => d.revision === standing.revision)?.brandIds ?? [],
  pictures: [],
})

function openAgain({ one, draft, row, subject }: Work, openedBy: CaseOpener, { now, dueSeconds }: Context): void {
  const stands = subject.decisions.findLast((d) => d.revision === row.revision)
  if (stands === undefined) throw new Error(`case ${one.caseId} is about a revision without a decision`)
  draft.case({
    caseId: one.caseId,
    listingId: one.listingId,
    change: 'reopened',
    revision: row.revision,
    brandIds: [...new Set([...stands.brandIds, ...one.brandIds])],
    risk: stands.risk,
    openedBy,
    marketplace: row.marketplace,
    dueAt: new Date(now.getTime() + dueSeconds * 1000).toISOString(),
    at: now.toISOString(),
  })
  row.caseId = one.caseId
  row.changed = true
}
