// What reviewing needs of the store: one transaction that knows a case under its listing's lock and writes what follows.
import type { CaseOpener, CaseState } from '../../domain/case.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { JoinedPictures, VerdictSettlement, VerdictSubject } from '../verdicts/ports.ts'

export interface ReviewCase {
  readonly caseId: string
  readonly listingId: string
  /** The revision that it went over to last. */
  readonly revision: number
  readonly state: CaseState
  readonly openedBy: CaseOpener
  readonly brandIds: readonly string[]
  /**
   * What is kept of its pictures by their places in the listing from 0: of that revision all, of earlier ones what the
   * caller may see; newest revision first, and no more than so many besides those that it was opened with.
   */
  readonly pictures: readonly { readonly revision: number; readonly ordinal: number; readonly sha256: string }[]
}

/** The seller's answer to a hold or a block. */
export interface Appeal {
  readonly appealId: string
  readonly caseId: string
  readonly listingId: string
  readonly revision: number
  readonly text: string
  readonly by: string
}

/**
 * What is known of a listing and one of its cases, read under the listing's row lock. Its `verdicts` are also those on every
 * other revision of the case.
 */
export interface ReviewSubject extends VerdictSubject {
  /** The one that was asked for, or the last one of the revision that stands; undefined where it never had one. */
  readonly one: ReviewCase | undefined
  /** By id, of the ids that were asked for. */
  readonly recorded: ReadonlyMap<string, Verdict>
  /** Of `verdicts`, those that were recorded before the case was opened the last time. */
  readonly before: ReadonlySet<string>
  /** Ids of the appeals on the case. */
  readonly appeals: ReadonlySet<string>
}

export interface ReviewSettlement extends VerdictSettlement {
  readonly appeals: readonly Appeal[]
}

/** What is answered, and written where it is said. */
export interface Settlement<T> {
  readonly answer: T
  readonly writes?: ReviewSettlement | undefined
  /** The answer in its place where pictures were to join banks, for each of `bankJoins` in any order. */
  readonly joined?: ((pictures: readonly JoinedPictures[]) => T) | undefined
}

/** Which case or listing, and who may see it: to anyone else it does not exist. */
export type About =
  | { readonly caseId: string; /** undefined: whatever the brands. */ readonly brandIds: readonly string[] | undefined }
  | { readonly listingId: string; /** undefined: whatever the marketplace. */ readonly marketplace: string | undefined }

export type ClaimEnd =
  | { readonly kind: 'claimed'; readonly until: string | null }
  /** Somebody else's until then. */
  | { readonly kind: 'taken'; readonly until: string }
  | { readonly kind: 'closed'; readonly state: CaseState }

export interface ReviewStore {
  /**
   * One transaction: locks the listing, reads, and writes what `settle` returns, or nothing where that is undefined.
   * `settle` must be synchronous, only computes, and may run more than once. undefined: there is no such case or listing
   * for this caller. `now` is the database's clock under the lock, so that later transactions have later times.
   */
  settle<T>(
    about: About,
    asked: {
      readonly verdictIds: readonly string[]
      readonly decisionId?: string | undefined
      /** What it returns may let pictures join banks: what others show is then looked up before. */
      readonly confirms: boolean
      /** For which brand, and of which pictures, by place in the listing or sha256: these are looked up; null: it does not say. */
      readonly brandId?: string | null
      readonly pictures?: readonly (number | string)[] | null
    },
    settle: (subject: ReviewSubject, now: Date) => Settlement<T>,
  ): Promise<T | undefined>
  /**
   * Gives an open case to one person for so many seconds, or on, or back with 0; an end that has passed counts as none.
   * undefined: there is no such case for these brands.
   */
  claim(
    caseId: string,
    by: string,
    seconds: number,
    brandIds: readonly string[] | undefined,
  ): Promise<ClaimEnd | undefined>
}
