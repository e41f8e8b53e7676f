// Writes records: offsets are taken under the partition's row lock, in the statement and the transaction that writes the records.
import type { Client, ClientBase, Pool } from 'pg'
import type { Appended } from '../../pipeline/log/ports.ts'
import { frame, type Placed } from './frame.ts'

/** What runs SQL: a pool (each statement its own transaction) or a caller's client inside its transaction. */
export type Queryable = Pool | Client | ClientBase

// Rows are locked in the order of their numbers, so that two appends can never wait for each other. The lock lasts until the
// commit: offsets become visible in their order and a reader cannot pass one that is still to come, as it could with a sequence.
// `locked` returns the newest version of a row that it had to wait for; the clock is read after the lock, so times rise too.
const APPEND = `
with want as (
  select * from unnest($2::int[], $3::int[]) as w(partition, n)
), locked as materialized (
  select p.partition, p.next from touchstone_log.partition p
  where p.topic_id = $1 and p.partition = any($2::int[]) order by p.partition for update
), taken as (
  update touchstone_log.partition p set next = l.next + w.n from locked l join want w on w.partition = l.partition
  where p.topic_id = $1 and p.partition = l.partition returning p.partition, l.next as first
), written as (
  insert into touchstone_log.record (topic_id, partition, record_offset, appended_at, bytes, key, value, headers)
  select $1, r.partition, t.first + r.nth, clock_timestamp(),
    greatest(r.key_length, 0) + greatest(r.value_length, 0) + r.headers_length,
    case when r.key_length >= 0 then substring($4::bytea from r.start for r.key_length) end,
    case when r.value_length >= 0 then substring($4::bytea from r.start + greatest(r.key_length, 0) for r.value_length) end,
    substring($4::bytea from r.start + greatest(r.key_length, 0) + greatest(r.value_length, 0) for r.headers_length)
  from unnest($5::int[], $6::int[], $7::int[], $8::int[], $9::int[], $10::int[])
    as r(partition, nth, start, key_length, value_length, headers_length)
  join taken t on t.partition = r.partition
)
select partition, first from taken`

/**
 * Appends in one statement; durable when the surrounding transaction is (with a pool: when this resolves).
 * Answers in the order of `records`. Throws when a partition does not exist, after which the transaction must be rolled back.
 */
export async function appendPlaced(
  client: Queryable,
  topicId: number,
  records: readonly Placed[],
): Promise<Appended[]> {
  if (records.length === 0) return []
  const f = frame(records)
  const { rows } = await client.query<{ partition: number; first: string }>({
    name: 'touchstone-log-append',
    text: APPEND,
    values: [
      topicId,
      ints(f.partitions),
      ints(f.counts),
      f.blob,
      ints(f.partition),
      ints(f.nth),
      ints(f.start),
      ints(f.keyLength),
      ints(f.valueLength),
      ints(f.headersLength),
    ],
  })
  const first = new Map(rows.map((row) => [row.partition, BigInt(row.first)]))
  return f.partition.map((partition, i) => {
    const base = first.get(partition)
    if (base === undefined) throw new Error(`The topic has no partition ${partition}`)
    return { partition, offset: base + BigInt(f.nth[i] ?? 0) }
  })
}

// The text of a PostgreSQL array; pg would quote and escape every number.
const ints = (numbers: readonly number[]): string => `{${numbers.join()}}`
