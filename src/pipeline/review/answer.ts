// What became of a person's word on a case: recorded, known already, or refused with what stands instead.
import type { CaseState } from '../../domain/case.ts'
import type { Decision } from '../../domain/decision.ts'
import type { Outcome } from '../../domain/policy.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { ErrorCode } from '../../errors.ts'
import type { TopicNames } from '../../events/topics.ts'
import { decisionId } from '../ids.ts'
import { SettlementDraft, type Draft } from '../settlement.ts'
import { addBankEffects, type BankEffects } from '../verdicts/bank-effects.ts'
import type { JoinedPictures } from '../verdicts/ports.ts'
import { openSubject, type OpenSubject } from '../verdicts/subject.ts'
import type { ReviewCase, ReviewSettlement, ReviewSubject, Settlement } from './ports.ts'

/** What stands for the listing after the request, whoever decided it. */
export interface Stands {
  readonly caseId: string
  readonly state: CaseState
  readonly listingId: string
  readonly revision: number
  /** The last one on the listing. */
  readonly decisionId: string
  readonly outcome: Outcome | null
  readonly sequence: number
  /** Its seller has taken it back: it is not on sale, whatever the outcome. */
  readonly withdrawn: boolean
}

/** A confirmation of an earlier revision that still counts: its pictures are in the bank until it is taken back. */
export interface EarlierVerdict {
  readonly verdictId: string
  readonly revision: number
  readonly brandId: string | null
}

/**
 * What became of the pictures of a listing whose case was confirmed: together they are all that its revision lists, and of
 * those that the case keeps of earlier revisions the ones that are not blank and that this one has not.
 */
export interface PicturesOfVerdict {
  readonly bankId: string
  readonly joined: number
  /** Which. */
  readonly which: JoinedPictures['which']
  /** Of these: as a rights holder's word alone, since other sellers show them on sale too, or nobody could look that up, or another brand rejects that revision; or as nobody's, since only a revision in between showed them. */
  readonly limited: number
  readonly leftOut: {
    /** Like one of a genuine or an allowed bank. */
    readonly official: number
    /** Shown by other sellers' listings on sale too. */
    readonly elsewhere: number
    /** Nobody could look up in time whether others show them, and the verdict does not name them. */
    readonly notLookedUp: number
    /** The verdict names others. */
    readonly unnamed: number
    /** Of earlier revisions that it does not speak of: see `OF_CASE` in bank-joins.ts. */
    readonly earlier: number
    readonly blank: number
    readonly repeated: number
    readonly noLongerKept: number
    /** Could not be looked at, or not be kept in time. */
    readonly neverKept: number
  }
  /** Those of them that can be looked at: not blank, not repeated, and kept. */
  readonly leftOutWhich: JoinedPictures['leftOutWhich']
}

export type ReviewAnswer =
  | {
      readonly kind: 'recorded'
      readonly verdicts: readonly Verdict[]
      readonly decisions: readonly Decision[]
      readonly appeals: number
      readonly earlier: readonly EarlierVerdict[]
      /** undefined: nothing was confirmed. */
      readonly pictures: PicturesOfVerdict | undefined
      readonly stands: Stands
    }
  /** The same request was taken before: nothing is written again. */
  | { readonly kind: 'known'; readonly stands: Stands }
  | {
      readonly kind: 'refused'
      readonly code: ErrorCode
      readonly message: string
      readonly path?: string
      readonly stands: Stands | undefined
    }

export type Settled = Settlement<ReviewAnswer>

/** One request on a case while it is settled: its listing's draft, and what is written so far. */
export interface Work {
  readonly one: ReviewCase
  readonly draft: SettlementDraft
  readonly row: Draft
  readonly subject: OpenSubject
  record(verdict: Verdict): void
  /** The settlement with everything in the draft. */
  recorded(more?: Pick<ReviewSettlement, 'appeals'> & { readonly earlier?: readonly EarlierVerdict[] }): Settled
  known(): Settled
  refuse(code: ErrorCode, message: string, path?: string): Settled
}

/** Its revision, or a later one, was taken back by the seller. */
export const isWithdrawn = ({ one, row }: Pick<Work, 'one' | 'row'>): boolean =>
  one.state === 'withdrawn' || row.withdrawnRevision >= one.revision

export function startWork(found: ReviewSubject, one: ReviewCase, topics: TopicNames): Work {
  const { listingId } = one
  const draft = new SettlementDraft(new Map([[listingId, found.standing]]), topics)
  const row = draft.of(listingId)
  const subject = openSubject(found)
  const verdicts: Verdict[] = []
  const effects: BankEffects = { bankJoins: [], bankLeaves: [], bankDisputes: [] }
  const stands = (state: CaseState): Stands => ({
    caseId: one.caseId,
    state,
    listingId,
    revision: row.revision,
    decisionId: decisionId(listingId, row.revision, row.sequence),
    outcome: row.outcome,
    sequence: row.sequence,
    withdrawn: row.withdrawnRevision >= row.revision,
  })
  return {
    one,
    draft,
    row,
    subject,
    record(verdict) {
      addBankEffects(effects, verdict, subject)
      subject.verdicts.push(verdict)
      verdicts.push(verdict)
      draft.verdict(verdict)
    },
    recorded({ earlier = [], ...more } = { appeals: [] }) {
      const done = draft.done()
      const change = done.cases.findLast((c) => c.caseId === one.caseId)?.change
      const state = change === undefined ? one.state : change === 'resolved' || change === 'withdrawn' ? change : 'open'
      const answer = (pictures: PicturesOfVerdict | undefined): ReviewAnswer => ({
        kind: 'recorded',
        verdicts,
        decisions: done.decisions,
        appeals: more.appeals.length,
        earlier,
        pictures,
        stands: stands(state),
      })
      return {
        answer: answer(undefined),
        writes: { ...done, verdicts, ...effects, ...more },
        // One request confirms one case for one brand, or for all.
        joined: ([pictures]) => answer(pictures && picturesOf(pictures)),
      }
    },
    known: () => ({ answer: { kind: 'known', stands: stands(one.state) } }),
    refuse: (code, message, path) => ({
      answer: { kind: 'refused', code, message, ...(path === undefined ? {} : { path }), stands: stands(one.state) },
    }),
  }
}

function picturesOf({
  bankId,
  joined,
  which,
  limited,
  official,
  elsewhere,
  notLookedUp,
  unnamed,
  earlier,
  blank,
  repeated,
  gone,
  goneEarlier,
  kept,
  listed,
  leftOutWhich,
}: JoinedPictures): PicturesOfVerdict {
  return {
    bankId,
    joined,
    which,
    limited,
    leftOut: {
      official,
      elsewhere,
      notLookedUp,
      unnamed,
      earlier,
      blank,
      repeated,
      noLongerKept: gone + goneEarlier,
      neverKept: Math.max(0, listed - kept - gone),
    },
    leftOutWhich,
  }
}
