// One batch in one transaction of the store, whatever is in it: the offset moves and what was settled is written, then told.
import type { Telemetry } from '../telemetry.ts'
import type { Batch, BatchResult } from './log/ports.ts'
import type { Span } from './ports.ts'

export interface CommitOptions<One, Wanted, Known, Writes, Tally> {
  readonly store: {
    commit(span: Span, wanted: readonly Wanted[], settle: (known: Known, now: Date) => Writes): Promise<BatchResult>
  }
  readonly group: string
  readonly telemetry: Telemetry
  /** What settling must know of the records. */
  readonly wanted: (records: readonly One[]) => readonly Wanted[]
  /** Runs inside the transaction, perhaps more than once: it only computes. */
  readonly settle: (
    records: readonly One[],
    known: Known,
    at: { readonly topic: string; readonly now: Date },
  ) => { readonly settlement: Writes; readonly tally: Tally }
  /** After a commit that took effect. */
  readonly told: (tally: Tally, records: readonly One[]) => void
}

export function createCommit<One, Wanted, Known, Writes, Tally>({
  store,
  group,
  telemetry,
  wanted,
  settle,
  told,
}: CommitOptions<One, Wanted, Known, Writes, Tally>): (
  batch: Batch,
  records: readonly One[],
  tell?: (tally: Tally) => void,
) => Promise<BatchResult> {
  return async ({ topic, partition, from, next }, records, tell) => {
    let settled: { readonly tally: Tally } | undefined
    const result = await store.commit({ group, topic, partition, from, next }, wanted(records), (known, now) => {
      const { settlement, tally } = settle(records, known, { topic, now })
      settled = { tally }
      return settlement
    })
    telemetry.metrics.touchstone_batches_total.inc({ result })
    if (result === 'committed' && settled !== undefined) {
      told(settled.tally, records)
      tell?.(settled.tally)
    }
    return result
  }
}
