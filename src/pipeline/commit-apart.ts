// When the store cannot take what some record of a batch says: each record by itself, and the guilty one is a dead letter.
import type { Telemetry } from '../telemetry.ts'
import type { Outcome } from './outcome.ts'
import type { Batch, BatchResult, LogRecord } from './log/ports.ts'
import { refusedByStore } from './refused-by-store.ts'

interface Tried<T> {
  readonly record: LogRecord
  readonly partition: number
  readonly tried: Outcome<T>
}

/**
 * Commits the whole batch, or where that fails by what a record says (`isDataError`: not how it was said, so that trying
 * again as it is can never succeed) one record after the other. Any other failure is thrown on.
 */
export async function commitOrApart<T>(
  batch: Batch,
  records: readonly Tried<T>[],
  commit: (batch: Batch, records: readonly Tried<T>[]) => Promise<BatchResult>,
  options: { readonly telemetry: Telemetry; readonly isDataError: (error: unknown) => boolean },
): Promise<BatchResult> {
  try {
    return await commit(batch, records)
  } catch (error) {
    if (!options.isDataError(error)) throw error
  }
  let from = batch.from
  for (const [i, one] of records.entries()) {
    const next = i === records.length - 1 ? batch.next : one.record.offset + 1n
    const alone: Batch = { ...batch, from, next, records: [one.record] }
    let result: BatchResult
    try {
      result = await commit(alone, [one])
    } catch (error) {
      if (!options.isDataError(error)) throw error
      result = await commit(alone, [{ ...one, tried: refusedByStore(error, one.record, options.telemetry) }])
    }
    if (result === 'moved') return 'moved'
    from = next
  }
  return 'committed'
}
