// What publishing needs where the log is not the store: an outbox whose ranges are leased, and a log that fences.
import type { NewRecord } from '../log/ports.ts'

/** An output partition. */
export interface Place {
  readonly topic: string
  readonly partition: number
}

export interface OutboxRecord extends NewRecord, Place {
  /** Dense per place, from 1. */
  readonly position: bigint
}

export interface Mark extends Place {
  /** Last position given. */
  readonly head: bigint
  /** Last position known to be published. */
  readonly tail: bigint
  /** Last position that was removed; rows are kept for hours after they were published. */
  readonly floor: bigint
}

/** The outbox in ranges of places. A lease is for liveness only: what protects is the fence of the log. */
export interface RangeOutbox {
  /** Made with the store, for good: every record that is published names it. */
  readonly storeId: string
  /** Every output partition there is. */
  readonly places: readonly Place[]
  /**
   * Takes or renews the lease; undefined while another owner has it, and for a moment while this one holds others and the
   * lease is free, so that ranges spread. `epoch` is another one whenever it was not held without a break. `validMs`
   * counts from before the question was asked.
   */
  lease(range: string): Promise<{ readonly epoch: bigint; readonly validMs: number } | undefined>
  /** Gives it up, so that another process takes over within its next question and not after the lease. */
  release(range: string): Promise<void>
  marks(places: readonly Place[]): Promise<readonly Mark[]>
  /**
   * Rows beyond the given positions in order per place, at most `limit` in all, shared so that a long backlog starves
   * nobody; fewer where they are large, but one at least of each place that has a share. Rejects when a position is missing.
   */
  after(from: readonly (Place & { readonly position: bigint })[], limit: number): Promise<readonly OutboxRecord[]>
  /** Moves the tails by compare-and-set, all or none; false when one was not at `from`. Also backwards. */
  mark(moves: readonly Move[]): Promise<boolean>
  /** Rows that wait, of all ranges, and the age in seconds of the oldest. */
  backlog(): Promise<{ readonly rows: number; readonly seconds: number }>
}

export interface Move extends Place {
  readonly from: bigint
  readonly to: bigint
}

export interface PublishedPosition extends Place {
  /** Undefined with the position 0. */
  readonly storeId: string | undefined
  /** 0: all that was ever written is still there, and nothing of it is ours. */
  readonly position: bigint
  /** Of the record that carries it: a store that gave the position to another row is not the one that published it. */
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** A log on which one writer a range can be made the only one. */
export interface FencedLog {
  /** Once it resolves no earlier writer of the range can make anything visible any more, and nothing of theirs is pending. */
  fence(range: string): Promise<FencedWriter>
  /** What readers of committed records see last on each place, of records that carry a position; to be asked after fencing. Nothing is said of a place where removed records may have been ours. `progressed` is called while it gets on: strangers may have written much behind our last record. */
  lastPublished(places: readonly Place[], progressed?: () => void): Promise<readonly PublishedPosition[]>
}

export interface FencedWriter {
  /**
   * All or nothing for readers of committed records, in order per place, each record with its position and the store's id.
   * A rejection leaves the outcome unknown: close this writer, fence anew and look at the end.
   */
  write(records: readonly OutboxRecord[], storeId: string): Promise<void>
  /** Never rejects. */
  close(): Promise<void>
}
