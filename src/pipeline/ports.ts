// What the shell needs of the world: a log, a store, an outbox to publish from, reference data. Adapters implement these.
import type { Decision } from '../domain/decision.ts'
import type { Listing } from '../domain/listing.ts'
import type { Outcome as DecisionOutcome } from '../domain/policy.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { HeaderValue } from '../events/header.ts'

// ---------------------------------------------------------------- the log

/** Kafka allows a header without a value, and a name more than once: its values are then a list, in their order. */
export type { HeaderValue }
export type Headers = Readonly<Record<string, HeaderValue>>

export interface NewRecord {
  /** Decides the partition, so all records of one key keep their order; null: any partition. */
  readonly key: Uint8Array | null
  /** null is a tombstone. */
  readonly value: Uint8Array | null
  readonly headers: Headers
}

export interface LogRecord extends NewRecord {
  readonly offset: bigint
  /** When the log took it, by the log's own clock. */
  readonly appendedAt: Date
}

export interface Appended {
  readonly partition: number
  readonly offset: bigint
}

export interface Batch {
  readonly topic: string
  readonly partition: number
  /** Where the fetch began. The store compares with this, never with the first record's offset: logs have holes. */
  readonly from: bigint
  /** Where the next fetch begins when all of this batch is committed. */
  readonly next: bigint
  /** One past the last record that the log holds, for the lag. */
  readonly end: bigint
  readonly records: readonly LogRecord[]
}

/** What the consumer did with a batch: `committed` (read on from `next`) or `moved` (someone else did: place again). */
export type BatchResult = 'committed' | 'moved'

export interface Consumer {
  /** Where to begin on a partition that was just assigned; asks the store. May be called again after `moved`. */
  place(topic: string, partition: number, low: bigint): Promise<bigint>
  /**
   * One batch at a time per partition. `lost` aborts when the partition is taken away or the subscription stops: give up
   * early, the store's compare-and-set keeps a late one harmless. A rejection stops the subscription loudly.
   */
  handle(batch: Batch, lost: AbortSignal): Promise<BatchResult>
}

export interface SubscriptionHealth {
  /** Milliseconds since the log last confirmed this member and its partitions; since the start when it never did. */
  readonly renewedMs: number
  /** Milliseconds since the log last answered what is new, or there was nothing to ask: no partition, no room. */
  readonly polledMs: number
}

export interface Subscription {
  /** Resolves when stopped; rejects when `handle`, `place` or the log failed for good (`offset-out-of-range` among them). */
  readonly done: Promise<void>
  /** Partitions held now. */
  assigned(): readonly number[]
  /** A log that is away is waited for and not thrown: here it shows. */
  health(): SubscriptionHealth
  /** Finishes the batches in hand, hands the partitions over, resolves `done`. */
  stop(): Promise<void>
}

export interface SubscribeOptions {
  readonly topic: string
  /** Members of one group share the partitions. */
  readonly group: string
  readonly maxRecords: number
  readonly maxBytes: number
  /** Partitions worked on at once. */
  readonly concurrency: number
}

export interface TopicOptions {
  readonly partitions: number
  readonly retentionHours: number
  /** Bytes that one record may have; a log without such a limit takes any. */
  readonly maxRecordBytes?: number
}

/** What lies ahead of a group on one partition. */
export interface Backlog {
  readonly partition: number
  /** Offsets from the asked one to the end; holes count. */
  readonly records: number
  /** Age of the first record of them by the log's own clock; 0 when there is none. */
  readonly seconds: number
  /** Whether a live member of the group holds the partition, as far as the log knows. */
  readonly held: boolean
}

/**
 * The durable log. Consequences that callers rely on (test/contracts/log.ts proves them for each adapter):
 * - `append` resolves only when every record is durable; records of one call with one key keep their order.
 * - A reader never passes an offset whose record may still appear: no record is ever skipped.
 * - Bytes of key, value and headers come back untouched.
 * - At most one live member of a group is given a partition; a frozen member may not know yet that it lost it.
 */
export interface Log {
  /** Create the topic if it is missing; an existing one keeps its partition count. */
  ensureTopic(topic: string, options: TopicOptions): Promise<void>
  append(topic: string, records: readonly NewRecord[]): Promise<Appended[]>
  subscribe(options: SubscribeOptions, consumer: Consumer): Subscription
  /** First offset held and one past the last, per partition. */
  ranges(topic: string): Promise<{ partition: number; low: bigint; high: bigint }[]>
  /**
   * What waits per partition from the given offsets on (without one: from the lowest held). Needs what reading and sharing
   * need, so that an answer means more than a connection, and gives up within seconds. Cheap: asked every few seconds.
   */
  backlog(topic: string, group: string, from: ReadonlyMap<number, bigint>): Promise<Backlog[]>
  /** Milliseconds that the oldest `append` of this process has been waiting for its answer; 0 when none waits. */
  appendWaitMs(): number
  /** Records from an offset without joining a group, for tools. */
  read(topic: string, partition: number, from: bigint, maxRecords: number): Promise<LogRecord[]>
  close(): Promise<void>
}

// ---------------------------------------------------------------- the store

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
  /** The open case. */
  readonly caseId: string | null
  /** Content hashes of the revisions that were asked for and are already decided. */
  readonly hashes: ReadonlyMap<number, string>
}

/** Row of a listing after a settlement. */
export interface StandingUpdate extends Omit<Standing, 'hashes'> {
  /** When the clock must decide a hold; null when there is nothing to wait for. */
  readonly holdUntil: string | null
}

export interface CaseChange {
  readonly caseId: string
  readonly listingId: string
  /** `open`: new; `carry`: an open case goes over to a newer revision; `reopened`: a verdict was taken back; the others close it. */
  readonly change: 'open' | 'carry' | 'reopened' | 'withdrawn' | 'released' | 'resolved'
  readonly revision: number
  readonly brandIds: readonly string[]
  readonly risk: number
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

/** Everything that one transaction writes besides the offset. */
export interface Settlement {
  readonly standings: readonly StandingUpdate[]
  readonly revisions: readonly {
    readonly listing: Listing
    readonly contentHash: string
    readonly submittedAt: string
  }[]
  readonly decisions: readonly Decision[]
  readonly cases: readonly CaseChange[]
  /** With the input coordinates that a waiting caller looks for. */
  readonly refusals: readonly {
    readonly refusal: Refusal
    readonly topic: string
    readonly partition: number
    readonly offset: bigint
  }[]
  readonly outbox: readonly OutboxRow[]
}

export interface DueHold {
  readonly standing: Standing
  /** The decision that holds it. */
  readonly decision: Decision
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
   * offset was not at `from`. Locks in one order everywhere: offset row, listings by id, outbox heads.
   */
  commit(
    batch: {
      readonly group: string
      readonly topic: string
      readonly partition: number
      readonly from: bigint
      readonly next: bigint
    },
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
  /** Publishes what waits and returns how much; 0 when nothing waits or another process holds the lease. */
  publish(): Promise<number>
  /** Rows that wait and the age in seconds of the oldest. */
  backlog(): Promise<{ readonly rows: number; readonly seconds: number }>
  /** Gives the lease up, so that another process takes over at once. */
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
  endOf(
    group: string,
    topic: string,
    record: Appended,
    identity: { listingId: string; revision: number },
  ): Promise<RecordEnd>
}
