// What trying a listing again means for it, decided under its row lock: a decision only if the revision still stands as it was. Pure.
import { picturesNamed } from '../../domain/bank-evidence.ts'
import type { Decision, Reason } from '../../domain/decision.ts'
import type { TopicNames } from '../../events/topics.ts'
import { sha256sOf } from '../../imaging/picture.ts'
import { severity } from '../../policy/compile.ts'
import { mayBeMended, mayBeSeenLater, type Assessment } from '../assess.ts'
import { caseId, decisionId } from '../ids.ts'
import type { Keepsake, Kept } from '../pictures/keeping.ts'
import { assessed, EDITED } from '../assessed.ts'
import { closeCaseOf, openCaseOf } from '../case-of-decision.ts'
import { SettlementDraft, type Draft } from '../settlement.ts'
import type { WantedRescreen } from '../ports.ts'
import type { DueRescreen, RescreenSettlement, RescreenSubject } from './ports.ts'

export interface Rescreened extends DueRescreen, Keepsake {
  readonly assessment: Assessment
}

/** With the pauses between them half a day: what has not come back by then does not come back by waiting. */
const MOST_ATTEMPTS = 8
/** A hold is tried once more before it ends: time for the attempt and for a person who sees what it found. */
export const LAST_LOOK_SECONDS = 900

const TAKEN_BACK: Reason = {
  code: 'known-picture-taken-back',
  text: 'What had been said of a picture like one of the listing was taken back, so the listing was tried again.',
}

/**
 * - a revision that no longer stands, was withdrawn, or that a person has decided is left alone;
 * - tried in vain again it says nothing new: nothing is written, and it is tried once more while that may help, at last
 *   shortly before its hold ends;
 * - where everything could be looked at, and the pictures that had been seen are the same bytes again, a decision is
 *   written. Hold and case follow it; a hold keeps its deadline, and what was held because of an edit is never decided
 *   better than hold;
 * - that also where nothing was amiss but a picture that stopped the listing has left its bank since. What is on sale then
 *   stays as it is: nobody asked for another look at it;
 * - what is in the store by now of its pictures joins the case, also what was not seen before, whatever else is written;
 * - otherwise one is written only where what was seen speaks more strongly against it: a host that is silent first and
 *   then shows other pictures buys nothing, and neither does a picture that stays away.
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
  const ended: RescreenSettlement['ended'][number][] = []
  const waiting: WantedRescreen[] = []
  const decided: Decision[] = []
  for (const one of tried) {
    const { listing, afterChange } = one
    const { listingId, revision } = listing
    const row = draft.of(listingId)
    const decisions = known.get(listingId)?.decisions ?? []
    const stands = decisions.at(-1)
    const isOver =
      stands === undefined ||
      row.revision !== revision ||
      row.withdrawnRevision >= revision ||
      decisions.some((d) => d.stage === 'review')
    const { swapped, seen } = compared(one, decisions)
    const openCase = isOver ? null : row.caseId
    const whole = !one.assessment.answer.degraded && !swapped
    const lookedOften =
      one.attempts >= MOST_ATTEMPTS && (stands?.hold === undefined || !isBeforeLastLook(stands.hold.until, now))
    // A host that shows other pictures now may show the same ones again, as a shop's that sends them in several formats does.
    const age = (now.getTime() - Date.parse(decisions[0]?.decidedAt ?? now.toISOString())) / 1_000
    const goesOn = swapped || mayBeMended(one.assessment, listing, age)
    const isWanted = stands?.degraded === true || (afterChange > 0n && row.outcome !== 'allow')
    const isLacking = openCase !== null && (one.isLacking === true || mayBeSeenLater(one.assessment, listing, age))
    const saysMore = isWanted && goesOn && !whole
    if (isOver || lookedOften || !(saysMore || isLacking)) ended.push({ listingId, revision, afterChange })
    else waiting.push({ listingId, revision, seen })
    if (isOver) continue
    if (!isWanted || !(whole || (stands.degraded && speaksMoreAgainst(one.assessment, stands)))) {
      // Where it is decided anew the new decision's case has them.
      if (openCase !== null)
        for (const picture of keptAsSeen(one.kept, seen))
          draft.casePicture({ caseId: openCase, revision, brandIds: stands.brandIds, ...picture })
      continue
    }
    const edited = decisions.some((d) => d.stage === 'screening' && d.reasons.some((r) => r.code === EDITED.code))
    decided.push(decideAgain(draft, row, one, { stands, edited, swapped, now }))
  }
  return { settlement: draft.done(), ended, waiting, decided }
}

/** What was evidence was seen, whether or not it could be kept. */
function compared(
  { seen, assessment }: Rescreened,
  decisions: readonly Decision[],
): { swapped: boolean; seen: WantedRescreen['seen'] } {
  const now = sha256sOf(assessment.pictures)
  const bound = new Map(decisions.flatMap((decision) => [...picturesNamed(decision)]))
  seen.forEach((sha256, image) => sha256 !== null && bound.set(image, sha256))
  const swapped = [...bound].some(([image, sha256]) => (now[image] ?? null) !== sha256)
  return { swapped, seen: now.map((sha256, image) => bound.get(image) ?? sha256) }
}

/** As each was when it was first seen: what is another picture by now is not what the case is about. */
const keptAsSeen = (kept: Kept = [], seen: WantedRescreen['seen']): Kept =>
  kept.filter(({ ordinal, sha256 }) => seen[ordinal] === sha256)

const isBeforeLastLook = (until: string, now: Date): boolean =>
  Date.parse(until) - LAST_LOOK_SECONDS * 1000 > now.getTime()

/** By what was seen alone: that something could not look again is nothing new. */
function speaksMoreAgainst({ answer, risk }: Assessment, stands: Decision): boolean {
  const { seenAlone } = answer
  return seenAlone !== 'allow' && severity(seenAlone) >= severity(stands.outcome) && risk.risk > stands.risk
}

function decideAgain(
  draft: SettlementDraft,
  row: Draft,
  { assessment, afterChange, kept, shown }: Rescreened,
  {
    stands,
    edited,
    swapped,
    now,
  }: { readonly stands: Decision; readonly edited: boolean; readonly swapped: boolean; readonly now: Date },
): Decision {
  const { answer } = assessment
  const outcome = edited && answer.outcome === 'allow' ? 'hold' : answer.outcome
  const sequence = row.sequence + 1
  // An open case of a listing on sale is a sample, which goes on whatever the signals say.
  const wasSample = row.caseId !== null && row.outcome === 'allow'
  const audit = outcome === 'allow' && wasSample
  const looked = outcome !== 'allow' || audit
  const openCase = looked ? (row.caseId ?? caseId(row.listingId, row.revision, sequence)) : null
  const later = new Date(now.getTime() + answer.deadlineSeconds * 1000).toISOString()
  const until = row.outcome === 'hold' ? (stands.hold?.until ?? later) : later
  const { hold: _, caseId: __, modelParts: ___, ...rest } = stands
  const said = assessed(assessment, { outcome, openCase, inReview: edited, waiting: stands.brandIds })
  const isMilder = row.outcome !== null && severity(outcome) < severity(row.outcome)
  const decision: Decision = {
    ...rest,
    decisionId: decisionId(row.listingId, row.revision, sequence),
    sequence,
    stage: 'rescreen',
    decidedAt: now.toISOString(),
    ...said,
    reasons: afterChange > 0n && isMilder ? [...said.reasons, TAKEN_BACK] : said.reasons,
    ...(outcome === 'hold'
      ? { hold: { until, onDeadline: edited || swapped ? ('block' as const) : answer.onDeadline } }
      : {}),
    degraded: answer.degraded || swapped,
    audit,
  }
  draft.decision(decision, shown)
  openCaseOf(decision, row, draft, { dueAt: until, kept })
  if (openCase === null && row.caseId !== null)
    closeCaseOf(decision, row, draft, { caseId: row.caseId, change: 'released', at: decision.decidedAt })
  row.sequence = sequence
  row.outcome = outcome
  row.caseId = openCase
  row.holdUntil = outcome === 'hold' ? until : null
  row.changed = true
  return decision
}
