// Reads records: several partitions in one statement, bounded in records, bytes and partitions, all of one snapshot.
import type { Pool, QueryArrayConfig } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import type { Batch, LogRecord } from '../../pipeline/ports.ts'
import { decodeHeaders } from './frame.ts'
import type { Topic } from './topics.ts'

export interface Position {
  readonly partition: number
  readonly position: bigint
}

export interface FetchLimits {
  /** Batches in the answer, the first of `positions` that have something. */
  readonly batches: number
  readonly maxRecords: number
  /** Per batch; one record that is larger comes alone. */
  readonly maxBytes: number
}

// A partition whose end is the position has nothing to say and is not in the answer. Low, end and records are one snapshot,
// and offsets are visible in their order, so nothing between position and end can appear later.
const FETCH = `
with asked as (
  select w.nth, w.partition, w.position, p.low, p.next
  from unnest($2::int[], $3::bigint[]) with ordinality as w(partition, position, nth)
  join touchstone_log.partition p on p.topic_id = $1 and p.partition = w.partition
  where p.next <> w.position order by w.nth limit $4
)
select a.partition, a.position, a.low, a.next, r.record_offset, date_part('epoch', r.appended_at), r.key, r.value, r.headers
from asked a left join lateral (
  select * from (
    select record_offset, appended_at, key, value, headers, bytes,
      sum(bytes) over (order by record_offset rows unbounded preceding) as total
    from touchstone_log.record where topic_id = $1 and partition = a.partition and record_offset >= a.position
    order by record_offset limit $5
  ) c where c.total <= $6 or c.total = c.bytes
) r on true
order by a.nth, r.record_offset`

/** Throws `offset-out-of-range` when a position is below what is held or beyond the end. */
export async function fetchBatches(
  pool: Pool,
  topic: Topic,
  positions: readonly Position[],
  limits: FetchLimits,
): Promise<Batch[]> {
  const partitions = `{${positions.map((p) => p.partition).join()}}`
  const offsets = `{${positions.map((p) => p.position).join()}}`
  const { rows } = await pool.query<Row>(
    plain('touchstone-log-fetch', FETCH, [
      topic.topicId,
      partitions,
      offsets,
      limits.batches,
      limits.maxRecords,
      limits.maxBytes,
    ]),
  )
  const batches: Batch[] = []
  for (let i = 0; i < rows.length;) {
    const first = rows[i]
    if (first === undefined) break
    const [partition, position, low, next] = first
    const records: LogRecord[] = []
    for (; i < rows.length && rows[i]?.[0] === partition; i += 1) {
      const row = rows[i]
      if (row !== undefined && row[4] !== null) records.push(recordOf(row[4], row[5], row[6], row[7], row[8]))
    }
    batches.push(batchOf(topic.name, Number(partition), BigInt(position), BigInt(low), BigInt(next), records))
  }
  return batches
}

function batchOf(
  topic: string,
  partition: number,
  from: bigint,
  low: bigint,
  end: bigint,
  records: LogRecord[],
): Batch {
  if (from < low || from > end) {
    throw new TouchstoneError(
      'offset-out-of-range',
      `${topic}[${partition}] holds ${low} to ${end}, but reading is to go on at ${from}`,
    )
  }
  const last = records.at(-1)
  // Nothing up to the end although the end is further: a hole, which is passed over.
  return { topic, partition, from, next: last === undefined ? end : last.offset + 1n, end, records }
}

const READ = `
select record_offset, date_part('epoch', appended_at), key, value, headers
from touchstone_log.record where topic_id = $1 and partition = $2 and record_offset >= $3 order by record_offset limit $4`

export async function readRecords(
  pool: Pool,
  topic: Topic,
  partition: number,
  from: bigint,
  maxRecords: number,
): Promise<LogRecord[]> {
  const { rows } = await pool.query<[string, string, string | null, string | null, string]>(
    plain('touchstone-log-read', READ, [topic.topicId, partition, from.toString(), maxRecords]),
  )
  return rows.map((row) => recordOf(...row))
}

type Row = [
  partition: string,
  position: string,
  low: string,
  next: string,
  offset: string | null,
  seconds: string,
  key: string | null,
  value: string | null,
  headers: string,
]

function recordOf(
  offset: string,
  seconds: string,
  key: string | null,
  value: string | null,
  headers: string,
): LogRecord {
  return {
    offset: BigInt(offset),
    appendedAt: new Date(Math.round(Number(seconds) * 1000)),
    key: bytesOf(key),
    value: bytesOf(value),
    headers: headers === '\\x' ? {} : decodeHeaders(Buffer.from(headers.slice(2), 'hex')),
  }
}

const bytesOf = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex.slice(2), 'hex'))

// Rows as arrays of the server's text: nothing is parsed that is not needed.
function plain(name: string, text: string, values: unknown[]): QueryArrayConfig & { name: string } {
  return { name, text, values, rowMode: 'array', types: { getTypeParser: () => (value: string) => value } }
}
