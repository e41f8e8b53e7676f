// What the shell needs of the store: to decide in one transaction, to publish what was decided, to read it. The log is in log/ports.ts.
import type { CaseOpener } from '../domain/case.ts'
import type { Decision } from '../domain/decision.ts'
import type { Listing, ListingIdentity } from '../domain/listing.ts'
import type { Outcome as DecisionOutcome } from '../domain/policy.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { Appended, BatchResult, Headers } from './log/ports.ts'

// ---------------------------------------------------------------- the store

/** A marketplace's withdrawal of an id of which nothing is decided; null: it named none. */
export interface WithdrawnUnknown {
  readonly marketplace: string | null
  readonly revision: number
}

/** What is known of a listing, read under its row lock. */
export interface Standing {
  readonly listingId: string
  readonly marketplace: string | null
  readonly sellerId: string | null
  /** Highest decided revision; 0 when none is. */
  readonly revision: number
  /** Highest sequence given; 0 when none is. */
  readonly sequence: number
  /** Outcome that stands; null when nothing was decided. */
  readonly outcome: DecisionOutcome | null
  /** Highest revision withdrawn; 0 when none is. */
  readonly withdrawnRevision: number
  /** While nothing is decided: what other marketplaces than `marketplace` withdrew, the latest last. */
  readonly withdrawnByOthers?: readonly WithdrawnUnknown[]
  /** The open case. */
  readonly caseId: string | null
  /** The one that its seller's withdrawal closed and no word has settled, while nothing was decided since. Not said: none. */
  readonly withdrawnCaseId?: string | null
  /** Of the open case, or of the withdrawn one; where the listing stands held or blocked without either, of its last case, or of the decision that says so. Not said: none. */
  readonly caseBrandIds?: readonly string[]
  /** Content hashes of the revisions that were asked for and are already decided. */
  readonly hashes: ReadonlyMap<number, string>
}

/** Row of a listing after a settlement. */
export interface StandingUpdate extends Omit<Standing, 'hashes' | 'caseBrandIds' | 'withdrawnCaseId'> {
  /** When the clock must decide a hold; null when there is nothing to wait for. */
  readonly holdUntil: string | null
}

export interface CaseChange {
  readonly caseId: string
  readonly listingId: string
  /** `open`: new; `carry`: an open case goes over to a newer revision, or one that a withdrawal closed, which is open again; `reopened`: a verdict was taken back, or somebody asks again; the others close it. */
  readonly change: 'open' | 'carry' | 'reopened' | 'withdrawn' | 'released' | 'resolved'
  readonly revision: number
  readonly brandIds: readonly string[]
  readonly risk: number
  /** null: what it was. */
  readonly openedBy: CaseOpener | null
  readonly marketplace: string | null
  /** null: the one it had. */
  readonly dueAt: string | null
  readonly at: string
}

export interface OutboxRow {
  readonly topic: string
  /** Decides the output partition. */
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
  /** For the feed: the marketplace that may see it; null: only callers that are not bound to one. */
  readonly marketplace: string | null
}

/** A picture that was judged, of a revision whose case a person looks at; it is kept by its hash. */
export interface CasePicture {
  readonly caseId: string
  readonly revision: number
  /** Its place among the images of the listing, from 0. */
  readonly ordinal: number
  readonly sha256: string
  /** What is kept shows it as it was judged: it is no animation, whose frames are kept smaller, or not all. */
  readonly whole?: boolean
  /** That the decision on this revision names: their rights holders may see it. */
  readonly brandIds: readonly string[]
}

export interface WantedRescreen extends ListingIdentity {
  /** By their places, the sha256 of its pictures as they were when each was first seen; null: not seen yet. */
  readonly seen: readonly (string | null)[]
  /**
   * By their places, in base64, those that came inline (null: it has a URL): stored nowhere else, and here until it needs
   * not be tried again.
   */
  readonly inline?: readonly (string | null)[]
}

/** Everything that one transaction writes besides the offset. */
export interface Settlement {
  readonly standings: readonly StandingUpdate[]
  readonly revisions: readonly {
    readonly listing: Listing
    readonly contentHash: string
    readonly submittedAt: string
  }[]
  readonly decisions: readonly Decision[]
  /** By decisionId, the digest of what the listing was seen to show for it (pictures/shown.ts). */
  readonly shown?: ReadonlyMap<string, string>
  readonly cases: readonly CaseChange[]
  /** With the input coordinates that a waiting caller looks for. */
  readonly refusals: readonly {
    readonly refusal: Refusal
    readonly topic: string
    readonly partition: number
    readonly offset: bigint
  }[]
  readonly outbox: readonly OutboxRow[]
  readonly casePictures?: readonly CasePicture[]
  /** Revisions that were decided while something could not look, and that are to be tried again. */
  readonly rescreens?: readonly WantedRescreen[]
}

export interface DueHold {
  readonly standing: Standing
  /** The decision that holds it. */
  readonly decision: Decision
}

/** What a group reads of one partition in one step: the stored offset moves from `from` to `next`. */
export interface Span {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly from: bigint
  readonly next: bigint
}

/**
 * Everything that decides does so in one transaction of this store. `settle` runs inside it, under the row locks, and
 * must be synchronous: nothing is awaited while rows are locked. `now` is the database's clock: holds that one node sets
 * are ended by another.
 */
export interface GateStore {
  /** Offset to read next; writes `low` for a partition that was never read. */
  place(group: string, topic: string, partition: number, low: bigint): Promise<bigint>
  /**
   * Moves the offset from `from` to `next` and writes what `settle` returns, or does nothing and says `moved` when the
   * offset was not at `from`. Where `next` is `from` it stays: what is written comes again after a crash. Locks in one
   * order everywhere: offset row, listings by id, outbox heads.
   */
  commit(
    batch: Span,
    wanted: readonly { readonly listingId: string; readonly revision: number }[],
    settle: (standings: ReadonlyMap<string, Standing>, now: Date) => Settlement,
  ): Promise<BatchResult>
  /** Decides up to `limit` holds whose deadline passed by the database's clock; returns how many. Rows that another node holds are skipped. */
  settleDue(limit: number, settle: (due: readonly DueHold[], now: Date) => Settlement): Promise<number>
  /** Milliseconds until the next deadline by the database's clock; undefined when no hold waits. */
  nextDeadline(): Promise<number | undefined>
}

/** The outbox to its topics, once and in order. */
export interface Publisher {
  /** Where publishing costs the same whatever is in it: milliseconds from one time to the next, in which rows gather. */
  readonly gatherMs?: number
  /** Publishes what waits and returns how much; 0 when nothing waits or another process holds the lease. */
  publish(): Promise<number>
  /** Rows that wait and the age in seconds of the oldest. */
  backlog(): Promise<{ readonly rows: number; readonly seconds: number }>
  /** Gives the lease up, so that another process need not wait for its end. */
  release(): Promise<void>
}

// ---------------------------------------------------------------- reading what was decided

export interface FeedEntry {
  readonly cursor: string
  readonly type: string
  readonly data: unknown
}

export interface ListingHistory {
  readonly listingId: string
  readonly marketplace: string | null
  readonly current: {
    readonly revision: number
    readonly outcome: DecisionOutcome | null
    readonly caseId: string | null
    readonly withdrawnRevision: number
  }
  readonly revisions: readonly {
    readonly revision: number
    readonly contentHash: string
    readonly submittedAt: string
    readonly listing: unknown
  }[]
  readonly decisions: readonly Decision[]
  readonly refusals: readonly Refusal[]
}

/** What became of one input record, for a caller that waits. */
export type RecordEnd =
  | { readonly kind: 'pending' }
  | { readonly kind: 'decided'; readonly decision: Decision; readonly contentHash: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'gone' }

export interface AskedRevision {
  readonly listingId: string
  readonly revision: number
  readonly contentHash: string
}

export interface DecisionReader {
  /** Decisions and refusals in order per listing after a cursor (undefined: from the oldest held). Throws `bad-cursor`, `cursor-expired`. */
  feed(
    after: string | undefined,
    limit: number,
    marketplace: string | undefined,
  ): Promise<{ entries: FeedEntry[]; next: string }>
  /** A mark that is another one after every entry that the feed gets. Cheap, for many who wait. */
  feedMark(): Promise<string>
  history(listingId: string): Promise<ListingHistory | undefined>
  /** The decision that stands for one revision. */
  standing(listingId: string, revision: number): Promise<{ decision: Decision; contentHash: string } | undefined>
  /** The offset to read next of each partition that was read: what lies below has its end. Cheap, for many who wait. */
  passed(group: string, topic: string): Promise<ReadonlyMap<number, bigint>>
  /** Those of the asked that are decided with this very content, whether or not their record is passed. */
  decided<One extends AskedRevision>(asked: readonly One[]): Promise<readonly One[]>
  endOf(
    group: string,
    topic: string,
    record: Appended,
    identity: { listingId: string; revision: number },
  ): Promise<RecordEnd>
}
