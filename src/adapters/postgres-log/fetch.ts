// Reads records: several partitions in one statement, bounded in records, bytes and partitions, all of one snapshot.
import type { Pool } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import type { Batch, LogRecord } from '../../pipeline/log/ports.ts'
import { decodeRecords } from './frame.ts'
import type { Topic } from './topics.ts'

export interface Position {
  readonly partition: number
  readonly position: bigint
}

export interface FetchLimits {
  /** Batches in the answer: of the first of `positions` that have something. */
  readonly batches: number
  readonly maxRecords: number
  /** Per batch; one record that is larger comes alone. */
  readonly maxBytes: number
}

// A partition whose end is the position has nothing to say and is not in the answer. Low, end and records are one snapshot,
// and offsets are visible in their order, so nothing between position and end can appear later.
// All records of a batch are one value: pg reads every value as text, and a few long ones cost half of many short ones.
const FETCH = `
with asked as (
  select w.nth, w.partition, w.position, p.low, p.next
  from unnest($2::int[], $3::bigint[]) with ordinality as w(partition, position, nth)
  join touchstone_log.partition p on p.topic_id = $1 and p.partition = w.partition
  where p.next <> w.position order by w.nth limit $4
)
select a.partition, a.position, a.low, a.next, r.records
from asked a left join lateral (
  select string_agg(record_send(row(c.record_offset, c.appended_at, c.key, c.value, c.headers)), ''::bytea) as records
  from (
    select record_offset, appended_at, key, value, headers, bytes,
      sum(bytes) over (order by record_offset rows unbounded preceding) as total
    from touchstone_log.record where topic_id = $1 and partition = a.partition and record_offset >= a.position
    order by record_offset limit $5
  ) c where c.total <= $6 or c.total = c.bytes
) r on true
order by a.nth`

// A value of PostgreSQL ends at 1 GB, and hexadecimal doubles it.
const MOST_BYTES = 128 * 1024 * 1024

interface Row {
  readonly partition: number
  readonly position: string
  readonly low: string
  readonly next: string
  readonly records: Buffer | null
}

export interface Fetched {
  readonly batch: Batch
  /** The lowest offset that the partition held then. */
  readonly low: bigint
}

export async function fetchBatches(
  pool: Pool,
  topic: Topic,
  positions: readonly Position[],
  limits: FetchLimits,
): Promise<Fetched[]> {
  const { rows } = await pool.query<Row>({
    name: 'touchstone-log-fetch',
    text: FETCH,
    values: [
      topic.topicId,
      `{${positions.map((p) => p.partition).join()}}`,
      `{${positions.map((p) => p.position).join()}}`,
      limits.batches,
      limits.maxRecords,
      Math.min(limits.maxBytes, MOST_BYTES),
    ],
  })
  return rows.map((row) => batchOf(topic.name, row))
}

function batchOf(topic: string, row: Row): Fetched {
  const [from, low, end] = [BigInt(row.position), BigInt(row.low), BigInt(row.next)]
  const records = row.records === null ? [] : decodeRecords(row.records)
  const last = records.at(-1)
  // Nothing up to the end although the end is further: a hole, which is passed over.
  const next = last === undefined ? end : last.offset + 1n
  return { low, batch: { topic, partition: row.partition, from, next, end, records } }
}

/** Throws `offset-out-of-range` when the fetch began below what was held or beyond the end: what is missing is never jumped. */
export function assertInRange({ batch: { topic, partition, from, end }, low }: Fetched): void {
  if (from >= low && from <= end) return
  const held = `${topic}[${partition}] holds ${low} to ${end}`
  throw new TouchstoneError('offset-out-of-range', `${held}, but reading is to go on at ${from}`)
}

const READ_BYTES = 8 * 1024 * 1024

/** Records from `from`, or from the lowest that is held; fewer than `maxRecords` only at the end. */
export async function readRecords(
  pool: Pool,
  topic: Topic,
  partition: number,
  from: bigint,
  low: bigint,
  maxRecords: number,
): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  let position = from > low ? from : low
  while (records.length < maxRecords) {
    const limits = { batches: 1, maxRecords: maxRecords - records.length, maxBytes: READ_BYTES }
    const [fetched] = await fetchBatches(pool, topic, [{ partition, position }], limits)
    if (fetched === undefined) break
    for (const record of fetched.batch.records) records.push(record)
    position = fetched.batch.next
  }
  return records
}
