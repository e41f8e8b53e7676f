// What a verdict means for its listing, decided under the listing's row lock: pure, synchronous, one record after the other.
import type { Decision, Reason } from '../../domain/decision.ts'
import type { Outcome as DecisionOutcome } from '../../domain/policy.ts'
import { shortened } from '../../domain/schema-issues.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { ErrorCode } from '../../errors.ts'
import type { TopicNames } from '../../events/topics.ts'
import { sameVerdict } from '../../review/parse-verdict.ts'
import { weighVerdicts } from '../../review/weigh-verdicts.ts'
import { deadLetterRow } from '../dead-letter.ts'
import { decisionId } from '../ids.ts'
import type { Outcome } from '../outcome.ts'
import type { LogRecord } from '../log/ports.ts'
import { SettlementDraft, type Draft } from '../settlement.ts'
import type { KnownOfVerdicts, VerdictSettlement, VerdictSubject } from './ports.ts'

/** `own`: this gate wrote it, and recorded it when it did. */
export type ReadVerdict = { readonly kind: 'own' } | { readonly kind: 'verdict'; readonly verdict: Verdict }

export interface TriedVerdict {
  readonly record: LogRecord
  readonly partition: number
  readonly tried: Outcome<ReadVerdict>
}

/** How each record of a batch ended; every record is counted under exactly one of the last three. */
export interface VerdictTally {
  readonly decided: Decision[]
  readonly verdicts: Verdict['verdict'][]
  readonly deadLetters: ErrorCode[]
  duplicates: number
}

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

/**
 * Settles a batch in log order.
 *
 * - an id that is known with the same content is a duplicate, with other content `verdict-reused`;
 * - a verdict on a decision or case that is not known here is `unknown-decision`: nobody could say later what was meant;
 * - on a revision that no longer stands it is recorded and decides nothing;
 * - else what all verdicts on the revision mean together decides: confirmed blocks, rejected allows, and where nothing is
 *   settled any more, because a verdict was taken back, what stood before anyone had looked stands again. A decision is
 *   written when the outcome changes, and when the case closes or opens again;
 * - a withdrawn revision is never put back on sale by a verdict.
 */
export function settleVerdicts(
  records: readonly TriedVerdict[],
  known: KnownOfVerdicts,
  context: {
    readonly topics: TopicNames
    readonly topic: string
    readonly now: Date
    /** What the topic of the dead letters takes as one record. */
    readonly maxDeadLetterBytes: number
  },
): { settlement: VerdictSettlement; tally: VerdictTally } {
  const { topics, topic, now, maxDeadLetterBytes: maxBytes } = context
  const draft = new SettlementDraft(
    new Map([...known.subjects].map(([listingId, { standing }]) => [listingId, standing])),
    topics,
  )
  const subjects = new Map([...known.subjects].map(([listingId, subject]) => [listingId, open(subject)]))
  const recorded = new Map(known.recorded)
  const verdicts: Verdict[] = []
  const tally: VerdictTally = { decided: [], verdicts: [], deadLetters: [], duplicates: 0 }

  for (const { record, partition, tried } of records) {
    const dead = (why: { code: ErrorCode; message: string; stage: string; attempts: number }) => {
      draft.deadLetter(deadLetterRow(record, why, { topic, partition, offset: record.offset }, { now, maxBytes }))
      tally.deadLetters.push(why.code)
    }
    if (tried.kind !== 'ok') {
      if (tried.kind === 'refuse') throw new Error('a verdict is never refused')
      dead(tried)
      continue
    }
    if (tried.value.kind === 'own') {
      tally.duplicates += 1
      continue
    }
    const { verdict } = tried.value
    const before = recorded.get(verdict.verdictId)
    if (before !== undefined) {
      if (sameVerdict(before, verdict)) tally.duplicates += 1
      else {
        const message = `verdictId ${shortened(verdict.verdictId)} was recorded before with other content`
        dead({ code: 'verdict-reused', message, stage: 'settle', attempts: 1 })
      }
      continue
    }
    const subject = subjects.get(verdict.listingId)
    const fault = faultOf(verdict, subject)
    if (subject === undefined || fault !== undefined) {
      dead({ code: 'unknown-decision', message: fault ?? '', stage: 'settle', attempts: 1 })
      continue
    }
    recorded.set(verdict.verdictId, verdict)
    verdicts.push(verdict)
    tally.verdicts.push(verdict.verdict)
    const row = draft.of(verdict.listingId)
    if (verdict.revision !== row.revision) continue
    subject.verdicts.push(verdict)
    const decision = decide(draft, row, subject, now)
    if (decision === undefined) continue
    subject.decisions.push(decision)
    tally.decided.push(decision)
  }
  return { settlement: { ...draft.done(), verdicts }, tally }
}

interface OpenSubject {
  readonly decisions: Decision[]
  readonly verdicts: Verdict[]
}

const open = (subject: VerdictSubject): OpenSubject => ({
  decisions: subject.decisions.toSorted((a, b) => a.sequence - b.sequence),
  verdicts: [...subject.verdicts],
})

/** What the verdict names and nobody here knows, in words; undefined when all of it is known. */
function faultOf(verdict: Verdict, subject: OpenSubject | undefined): string | undefined {
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

/** The decision that the verdicts on the standing revision call for; undefined when what stands says it already. */
function decide(draft: SettlementDraft, row: Draft, subject: OpenSubject, now: Date): Decision | undefined {
  const own = subject.decisions.filter((d) => d.revision === row.revision)
  const stands = own.at(-1)
  const unreviewed = own.findLast((d) => d.stage !== 'review')
  if (stands === undefined || unreviewed === undefined)
    throw new Error(`listing ${JSON.stringify(row.listingId)} stands at a revision without a decision`)
  const weighed = weighVerdicts(subject.verdicts, stands.brandIds)
  const outcome = outcomeOf(weighed, unreviewed)
  const withdrawn = row.withdrawnRevision >= row.revision
  if (withdrawn && outcome !== 'block') return undefined
  const caseOf = stands.caseId ?? null
  const closes = weighed !== undefined && row.caseId !== null
  const reopens = weighed === undefined && outcome !== 'allow' && row.caseId === null && caseOf !== null && !withdrawn
  if (outcome === row.outcome && !closes && !reopens) return undefined

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
    reasons: reasonsFor(weighed, outcome, unreviewed),
    ...(hold === undefined ? {} : { hold }),
  }
  draft.decision(decision)
  if (caseOf !== null && (weighed !== undefined || reopens)) {
    draft.case({
      caseId: caseOf,
      listingId: row.listingId,
      change: weighed === undefined ? 'reopened' : 'resolved',
      revision: row.revision,
      brandIds: stands.brandIds,
      risk: stands.risk,
      openedBy: null,
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
