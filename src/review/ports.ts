// What those who look at cases read of the store: the queue, and everything about one case, each cut to what the reader may see.
import type { CaseOpener, CaseState } from '../domain/case.ts'
import type { Decision, Reason } from '../domain/decision.ts'
import type { Price } from '../domain/listing.ts'
import type { Outcome } from '../domain/policy.ts'
import type { Verdict } from '../domain/verdict.ts'

/** Who reads. It goes into the queries: to a rights holder, other brands do not exist. */
export interface Reader {
  readonly subject: string
  /** undefined: all of them. */
  readonly brandIds: readonly string[] | undefined
}

export interface CaseQuery {
  readonly state?: CaseState | undefined
  readonly brandId?: string | undefined
  readonly marketplace?: string | undefined
  readonly openedBy?: CaseOpener | undefined
  /** That stands for the revision of the case. */
  readonly outcome?: Outcome | undefined
  /** By anyone whose claim has not ended, by the reader, or by nobody. */
  readonly claimed?: 'yes' | 'me' | 'no' | undefined
  /** What is due first, or what is riskiest first; or only what is not open, what was closed last first. */
  readonly sort: 'due' | 'risk' | 'closed'
  readonly limit: number
  /** The `next` of an earlier answer with the same order. */
  readonly after?: string | undefined
}

export interface CaseSummary {
  readonly caseId: string
  readonly listingId: string
  readonly revision: number
  readonly state: CaseState
  readonly openedBy: CaseOpener
  readonly marketplace: string | null
  /** Those that the reader may see. */
  readonly brandIds: readonly string[]
  readonly risk: number
  readonly outcome: Outcome
  /** The strongest of the decision that stands for its revision; undefined where nothing spoke against it. */
  readonly reason: Reason | undefined
  readonly sellerId: string
  readonly openedAt: string
  readonly dueAt: string | null
  readonly closedAt: string | null
  /** Of a claim that has not ended; who it is says only their own to rights holders. */
  readonly claim: { readonly by: string | null; readonly until: string } | null
  readonly appeals: number
  readonly title: string
  readonly brand: string | undefined
  readonly price: Price | undefined
}

export interface CaseDetails {
  readonly summary: CaseSummary
  /** The revision as it was recorded; `revision` is the case's. */
  readonly listing: unknown
  /** On the listing that name the case, oldest first. */
  readonly decisions: readonly Decision[]
  /** On the revision of the case; of a rights holder's reading, those for its brands and those for all. */
  readonly verdicts: readonly Verdict[]
  readonly appeals: readonly { readonly text: string; readonly at: string; readonly revision: number }[]
  readonly pictures: readonly {
    readonly revision: number
    readonly ordinal: number
    readonly sha256: string
    /** Other sellers had it on sale before, and still have; of an animation a frame of it. null: not known, or not asked. */
    readonly shownElsewhere: boolean | null
  }[]
  /** Of a case of a version that did not say it the first of which pictures are kept; null where none are. */
  readonly openedRevision: number | null
  /** By revision, how many were kept and are not any more. */
  readonly noLongerKept: readonly { readonly revision: number; readonly pictures: number }[]
}

export interface CaseReader {
  /** Throws `bad-cursor`. `next` is undefined where nothing follows. */
  list(query: CaseQuery, reader: Reader): Promise<{ items: CaseSummary[]; next: string | undefined }>
  /** undefined: there is none for this reader. */
  find(caseId: string, reader: Reader): Promise<CaseDetails | undefined>
}
