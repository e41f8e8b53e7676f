// A person's verdict on a case, settled under the listing's row lock: who was first counts, and the second is told what stands.
import type { Verdict } from '../../domain/verdict.ts'
import type { TopicNames } from '../../events/topics.ts'
import { countingVerdicts, weighVerdicts } from '../../review/weigh-verdicts.ts'
import { closeCaseOf } from '../case-of-decision.ts'
import { decideByVerdicts } from '../verdicts/decide.ts'
import { sameCase } from '../verdicts/subject.ts'
import { settleWithdrawn } from '../verdicts/withdrawn.ts'
import { isWithdrawn, startWork, type EarlierVerdict, type Settled, type Work } from './answer.ts'
import type { ReviewCase, ReviewSubject } from './ports.ts'

/** As the person said it; what it is about is known from the case. */
export interface SaidOnCase {
  readonly verdictId: string
  readonly verdict: Verdict['verdict']
  readonly reason: string | null
  readonly note: string | null
  /** null: for all of them. */
  readonly brandId: string | null
  readonly supersedes: string | null
  /** Which of those that are kept it is about, by their places in the listing from 0 or, of any revision, by sha256; null: it does not say. */
  readonly pictures: readonly (number | string)[] | null
  /** The decision that was looked at: nobody speaks of a revision that they have not seen. */
  readonly decisionId: string
  readonly by: Verdict['by']
  /** Brands for which this person may speak; undefined: any. */
  readonly own: readonly string[] | undefined
}

/**
 * - the same id with the same content is known: nothing is written again; with other content `verdict-reused`;
 * - a case that went over to another revision than the one looked at: `case-changed`;
 * - of a listing that its seller has withdrawn it may be said what it was, as before, also when a later revision went on
 *   sale, and what was held after that has a case of its own: verdict, label and banks, but no decision
 *   (`settleWithdrawn`). Else whoever sees a block withdraws, and shows the same pictures elsewhere;
 * - without `supersedes` the first word counts: on a resolved case, or where the same brand has spoken since the case was
 *   opened, `already-decided`. On a case that was opened again it replaces what was said before, by itself. Of several
 *   brands that a case names each has a first word, also when another one's has resolved it: then it changes no decision;
 * - with it, the verdict it names must be on this case, and nobody else may have replaced it meanwhile. It may be on an
 *   earlier revision: then it is undone as it is anywhere, and the new one speaks only of the revision that was looked at,
 *   under the rules of a word without `supersedes` unless it is `cannot-tell`;
 * - a `rejected` undoes no confirmation of an earlier revision by itself: what was edited may well be honest now and have
 *   been an imitation before, and an edit must not empty the bank. The answer names those that still count;
 * - what all verdicts mean together decides, as for those that come in from the log.
 */
export function settleCaseVerdict(
  found: ReviewSubject,
  one: ReviewCase,
  asked: SaidOnCase,
  context: { readonly topics: TopicNames; readonly now: Date },
): Settled {
  const work = startWork(found, one, context.topics)
  const brandId = brandOf(one, asked)
  if (typeof brandId === 'object' && brandId !== null) return work.refuse('invalid', brandId.fault, '/brandId')
  const pictures = picturesOf(one, asked)
  if (pictures !== null && 'fault' in pictures) return work.refuse('invalid', pictures.fault, '/pictures')
  const said = { ...asked, brandId, pictures }
  const known = found.recorded.get(said.verdictId)
  if (known !== undefined)
    return saysTheSame(known, one, said)
      ? work.known()
      : work.refuse('verdict-reused', 'the verdictId was recorded before with other content', '/verdictId')
  const looked = decisionLookedAt(work, said)
  if (typeof looked !== 'string') return looked
  const supersedes = said.supersedes === null ? replacedBy(found, work, said) : namedBy(found, work, said)
  if (typeof supersedes === 'object' && supersedes !== null) return supersedes

  const verdict: Verdict = {
    verdictId: said.verdictId,
    caseId: one.caseId,
    listingId: one.listingId,
    revision: one.revision,
    decisionId: looked,
    brandId: said.brandId,
    verdict: said.verdict,
    reason: said.reason,
    note: said.note,
    by: said.by,
    at: context.now.toISOString(),
    source: one.openedBy === 'audit' || one.openedBy === 'appeal' ? one.openedBy : 'review',
    ...(pictures === null ? {} : { pictures }),
    supersedes,
  }
  work.record(verdict)
  if (isWithdrawn(work)) settleWithdrawn(work.draft, work.row, work.subject, { ...one, now: context.now })
  else if (one.revision === work.row.revision) decide(work, verdict, context.now)
  return work.recorded({ appeals: [], earlier: said.verdict === 'rejected' ? earlierConfirmed(work, said) : [] })
}

function decide(work: Work, verdict: Verdict, now: Date): void {
  const { one, draft, row, subject } = work
  const decision = decideByVerdicts(draft, row, subject, { said: verdict.verdict, now })
  if (decision !== undefined || one.state !== 'released') return
  // Its hold had ended as the verdict says: nothing to decide, but nobody needs to look at it any more.
  const stands = subject.decisions.findLast((d) => d.revision === one.revision)
  const onRevision = subject.verdicts.filter((v) => v.revision === one.revision)
  if (stands === undefined || weighVerdicts(onRevision, stands.brandIds) === undefined) return
  closeCaseOf(stands, row, draft, { caseId: one.caseId, change: 'resolved', at: now.toISOString() })
}

/** A rights holder speaks for one of its own brands that the case is about: which one is clear where there is only one. */
function brandOf(one: ReviewCase, { own, brandId }: SaidOnCase): string | null | { readonly fault: string } {
  if (own === undefined) return brandId
  const mine = one.brandIds.filter((id) => own.includes(id))
  const [only] = mine
  if (brandId === null && mine.length === 1 && only !== undefined) return only
  if (brandId !== null && mine.includes(brandId)) return brandId
  return { fault: `brandId: must be one of ${mine.join(', ')}` }
}

/** By sha256, newest revision first, in the order of the listing; nobody speaks of a picture that could not be looked at. */
function picturesOf(
  { pictures, revision }: ReviewCase,
  said: SaidOnCase,
): string[] | null | { readonly fault: string } {
  if (said.pictures === null) return null
  if (said.verdict !== 'confirmed') return { fault: 'pictures: belongs to the verdict confirmed' }
  const own = pictures.filter((one) => one.revision === revision)
  const kept = (asked: number | string) =>
    typeof asked === 'number' ? own.find((one) => one.ordinal === asked) : pictures.find((one) => one.sha256 === asked)
  const missing = said.pictures.find((asked) => kept(asked) === undefined)
  if (missing !== undefined) {
    const places = own.map(({ ordinal }) => ordinal).join(', ')
    const earlier = [...new Set(pictures.map((one) => one.revision))].filter((one) => one !== revision)
    const more = earlier.length === 0 ? '' : `, and by sha256 those of ${earlier.join(', ')}`
    return { fault: `pictures: of revision ${revision} the case keeps ${places || 'none'}${more} (got ${missing})` }
  }
  const chosen = new Set(said.pictures.map((asked) => kept(asked)?.sha256))
  return [...new Set(pictures.map(({ sha256 }) => sha256))].filter((sha256) => chosen.has(sha256))
}

/** A request that is repeated need not say again what the first one left to us. */
function saysTheSame(known: Verdict, one: ReviewCase, said: SaidOnCase): boolean {
  return (
    known.caseId === one.caseId &&
    known.verdict === said.verdict &&
    (known.reason ?? null) === said.reason &&
    (known.note ?? null) === said.note &&
    (known.brandId ?? null) === said.brandId &&
    known.by.subject === said.by.subject &&
    (said.supersedes === null || known.supersedes === said.supersedes) &&
    (said.pictures === null || JSON.stringify(known.pictures) === JSON.stringify(said.pictures)) &&
    known.decisionId.toLowerCase() === said.decisionId
  )
}

/** The id of the decision that the verdict is about, or why it cannot be. */
function decisionLookedAt(work: Work, said: SaidOnCase): string | Settled {
  const { one, row, subject } = work
  const looked = subject.decisions.find((d) => d.decisionId === said.decisionId)
  if (looked === undefined)
    return work.refuse('unknown-decision', 'decisionId is not a decision on the listing of this case', '/decisionId')
  if (looked.revision !== one.revision)
    return work.refuse(
      'case-changed',
      `the case is about revision ${one.revision} by now: look at it again`,
      '/decisionId',
    )
  if (one.revision !== row.revision && said.supersedes === null && !isWithdrawn(work))
    return work.refuse('case-changed', `revision ${row.revision} of the listing is decided; this case is closed`)
  return looked.decisionId
}

/** Without `supersedes`: null, what it replaces on a case that was opened again, or why it comes too late. */
function replacedBy(found: ReviewSubject, work: Work, said: SaidOnCase): string | null | Settled {
  const { one, subject } = work
  const counting = countingVerdicts(subject.verdicts.filter((v) => v.revision === one.revision))
  if (one.state === 'resolved') {
    const late = tooLate(counting, one, said)
    return late === undefined ? null : work.refuse('already-decided', late)
  }
  const settling = counting.filter((v) => v.verdict !== 'cannot-tell')
  const mine = settling.filter((v) => (v.brandId ?? null) === said.brandId)
  if (mine.some((v) => !found.before.has(v.verdictId)))
    return work.refuse(
      'already-decided',
      'a verdict for the same brand was recorded; name it in supersedes to replace it',
    )
  if (said.verdict === 'cannot-tell') return null
  const earlier = settling.filter((v) => found.before.has(v.verdictId) && (said.brandId === null || mine.includes(v)))
  const [only] = earlier
  if (earlier.length <= 1) return only?.verdictId ?? null
  if (earlier.every((v) => v.verdict === said.verdict)) return null
  return work.refuse(
    'already-decided',
    `${earlier.length} earlier verdicts count; take them back first (reopen with takeBack), or name one in supersedes`,
  )
}

/**
 * Why nothing more is said of a resolved case; undefined where it is the first word of a brand that the case names: each of
 * them has one, which is its label and fills its bank, whatever another one had decided. A verdict that speaks for all has
 * spoken for it as well.
 */
function tooLate(counting: readonly Verdict[], one: ReviewCase, { brandId, verdict }: SaidOnCase): string | undefined {
  const forAll = counting.some((v) => (v.brandId ?? null) === null && v.verdict !== 'cannot-tell')
  const own = counting.filter((v) => (v.brandId ?? null) === brandId)
  const isFirst = verdict === 'cannot-tell' ? own.length === 0 : own.every((v) => v.verdict === 'cannot-tell')
  if (brandId !== null && one.brandIds.includes(brandId) && !forAll && isFirst) return undefined
  return forAll && own.length === 0
    ? 'a verdict for all brands has decided the case; analysts may replace it or take it back'
    : 'verdicts have decided the case; name the one to replace in supersedes'
}

/** With it: the id, where it is one that this person may replace and nobody has replaced yet. */
function namedBy(found: ReviewSubject, work: Work, said: SaidOnCase): string | Settled {
  const { one, subject } = work
  const named = subject.verdicts.find((v) => v.verdictId === said.supersedes && sameCase(v, one))
  const { own } = said
  const foreign = own !== undefined && !own.some((brandId) => brandId === named?.brandId)
  if (named === undefined || foreign)
    return work.refuse(
      'invalid',
      'supersedes: must be a verdict on this case that the caller may replace',
      '/supersedes',
    )
  if (subject.verdicts.some((v) => v.supersedes === named.verdictId))
    return work.refuse('already-decided', 'another verdict has replaced that one')
  if (named.revision !== one.revision && said.verdict !== 'cannot-tell') {
    const first = replacedBy(found, work, said)
    if (typeof first === 'object' && first !== null) return first
    if (first !== null)
      return work.refuse(
        'already-decided',
        `verdict ${first} on revision ${one.revision} counts: replace that one, and take this one back with cannot-tell`,
      )
  }
  return named.verdictId
}

/** Confirmations of earlier revisions that still count, and that this person may take back. */
function earlierConfirmed({ one, subject }: Work, { own }: SaidOnCase): EarlierVerdict[] {
  return countingVerdicts(subject.verdicts.filter((v) => sameCase(v, one)))
    .filter((v) => v.verdict === 'confirmed' && v.revision < one.revision)
    .filter((v) => own === undefined || own.some((brandId) => brandId === v.brandId))
    .map(({ verdictId, revision, brandId }) => ({ verdictId, revision, brandId: brandId ?? null }))
}
