// What the shell needs of a log: append durably, share the partitions, read on from where the store stands.
import type { HeaderValue } from '../../events/header.ts'

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
  /** When the log took it, by the log's own clock; where the log does not say, what the producer said, never later than now. */
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
   *
   * `waits`: from now on this batch waits for somebody else, so it takes no lane of `concurrency`, and the next batches of
   * its partition may be handed over before it ends. Whoever says so bounds how many wait. After a `moved` nothing more of
   * the partition is handed over until all that is in hand of it has ended, and it is placed again.
   */
  handle(batch: Batch, lost: AbortSignal, waits?: () => void): Promise<BatchResult>
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
  /** Batches worked on at once, of different partitions; those that wait are not counted. */
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
  /** Age of the first record of them, from when the log took it; 0 when there is none. */
  readonly seconds: number
  /** Whether a live member of the group holds the partition, as far as the log knows. */
  readonly held: boolean
  /** Where the first of them cannot be read, and reading stands still: why, and the first offset behind what cannot. */
  readonly unreadable?: { readonly reason: string; readonly next: bigint }
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
   * need, so that an answer means more than a connection, and gives up within seconds, or `patienceMs`. Cheap: asked every few seconds.
   */
  backlog(topic: string, group: string, from: ReadonlyMap<number, bigint>, patienceMs?: number): Promise<Backlog[]>
  /** Milliseconds that the oldest `append` of this process has been waiting for its answer; 0 when none waits. */
  appendWaitMs(): number
  /** Records from an offset without joining a group, for tools. */
  read(topic: string, partition: number, from: bigint, maxRecords: number): Promise<LogRecord[]>
  close(): Promise<void>
}
