// What a verdict means for its listing, decided under the listing's row lock: pure, synchronous, one record after the other.
import type { Decision } from '../../domain/decision.ts'
import { shortened } from '../../domain/schema-issues.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { ErrorCode } from '../../errors.ts'
import type { TopicNames } from '../../events/topics.ts'
import { sameVerdict } from '../../review/parse-verdict.ts'
import { deadLetterRow } from '../dead-letter.ts'
import type { Outcome } from '../outcome.ts'
import type { LogRecord } from '../log/ports.ts'
import { SettlementDraft } from '../settlement.ts'
import { addBankEffects, type BankEffects } from './bank-effects.ts'
import { decideByVerdicts, faultOf } from './decide.ts'
import type { KnownOfVerdicts, VerdictSettlement } from './ports.ts'
import { caseOf, openSubject } from './subject.ts'

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

/**
 * Settles a batch in log order.
 *
 * - an id that is known with the same content is a duplicate, with other content `verdict-reused`;
 * - a verdict on a decision or case that is not known here is `unknown-decision`: nobody could say later what was meant;
 * - on a revision that no longer stands it is recorded and decides nothing;
 * - else what all verdicts on the revision mean together decides: confirmed blocks, rejected allows, and where nothing is
 *   settled any more, because a verdict was taken back, what stood before anyone had looked stands again. A decision is
 *   written when the outcome changes, and when the case closes or opens again;
 * - a withdrawn revision gets no decision: what is said of it is a label and fills the banks, and what was confirmed of it
 *   is not forgotten when it comes back.
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
  const subjects = new Map([...known.subjects].map(([listingId, subject]) => [listingId, openSubject(subject)]))
  const recorded = new Map(known.recorded)
  const verdicts: Verdict[] = []
  const effects: BankEffects = { bankJoins: [], bankLeaves: [], bankDisputes: [] }
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
    addBankEffects(effects, verdict, subject)
    const row = draft.of(verdict.listingId)
    subject.verdicts.push({ ...verdict, caseId: caseOf(verdict, subject) })
    if (verdict.revision !== row.revision) continue
    const decision = decideByVerdicts(draft, row, subject, { said: verdict.verdict, now })
    if (decision === undefined) continue
    subject.decisions.push(decision)
    tally.decided.push(decision)
  }
  return { settlement: { ...draft.done(), verdicts, ...effects }, tally }
}
