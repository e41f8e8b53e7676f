// What waits in the outbox and how it is read: shared by the publisher inside the store's transaction and the one beside it.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { OutboxRecord } from '../../pipeline/publishing/ports.ts'
import { decodeHeaders } from './bytes.ts'
import type { Tables } from './tables.ts'

/** Positions after `tail` up to `head` of one output partition. */
export interface Waiting {
  readonly topic: string
  readonly part: number
  readonly tail: bigint
  readonly head: bigint
}

export type Share = Waiting & { readonly to: bigint }

export async function readWaiting(db: Kysely<Tables>): Promise<Waiting[]> {
  const { rows } = await sql<{ topic: string; part: number; tail: string; head: string }>`
    select h.topic, h.part, t.pos as tail, h.pos as head
    from outbox_head h join outbox_tail t using (topic, part) where h.pos > t.pos order by h.topic, h.part`.execute(db)
  return rows.map((row) => ({ topic: row.topic, part: row.part, tail: BigInt(row.tail), head: BigInt(row.head) }))
}

/** Splits `limit` over the partitions: short backlogs whole, the rest evenly, so that a long one starves nobody. */
export function shareOut(partitions: readonly Waiting[], limit: number): Share[] {
  let left = BigInt(Math.max(1, limit))
  const bySize = [...partitions].sort((a, b) => Number(a.head - a.tail - (b.head - b.tail)))
  const shares: Share[] = []
  for (const [i, one] of bySize.entries()) {
    const even = left / BigInt(bySize.length - i) || (left > 0n ? 1n : 0n)
    const take = one.head - one.tail < even ? one.head - one.tail : even
    left -= take
    if (take > 0n) shares.push({ ...one, to: one.tail + take })
  }
  return shares
}

/** The rows of the shares in order per partition; with `maxBytes` of each partition only as many as fit, but one at least. */
export async function readRows(
  db: Kysely<Tables>,
  share: readonly Share[],
  maxBytes?: number,
): Promise<OutboxRecord[]> {
  const fits =
    maxBytes === undefined
      ? sql`select x.upto`
      : sql`
      select max(pos) as upto from (
        select pos, sum(coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0) + octet_length(headers))
                      over (order by pos) as bytes
        from outbox where topic = x.topic collate "C" and part = x.part and pos > x.tail and pos <= x.upto) sized
      where bytes <= ${maxBytes} or pos = x.tail + 1`
  const { rows } = await sql<{
    topic: string
    part: number
    pos: string
    key: Buffer | null
    value: Buffer | null
    headers: Buffer
  }>`
    select o.topic, o.part, o.pos, o.key, o.value, o.headers
    from unnest(${share.map((s) => s.topic)}::text[], ${share.map((s) => s.part)}::int[],
                ${share.map((s) => String(s.tail))}::bigint[], ${share.map((s) => String(s.to))}::bigint[]) x (topic, part, tail, upto)
    cross join lateral (${fits}) fits
    cross join lateral (
      select * from outbox where topic = x.topic collate "C" and part = x.part and pos > x.tail and pos <= fits.upto
      order by pos) o`.execute(db)
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.part,
    position: BigInt(row.pos),
    key: row.key,
    value: row.value,
    headers: decodeHeaders(row.headers),
  }))
}

/**
 * Every position from the mark on is there exactly once: a hole would be a decision that nobody ever hears of. `whole`:
 * each share must be there to its end; else a beginning of each is enough.
 */
export function assertDense(rows: readonly OutboxRecord[], share: readonly Share[], whole: boolean): void {
  const reached = new Map(share.map((one) => [`${one.topic}/${one.part}`, one.tail]))
  for (const row of rows) {
    const name = `${row.topic}/${row.partition}`
    const before = reached.get(name)
    if (before === undefined || row.position !== before + 1n) {
      throw new Error(
        `the outbox has a hole: ${name} goes from position ${before} to ${row.position}; publishing stops`,
      )
    }
    reached.set(name, row.position)
  }
  for (const one of share) {
    const name = `${one.topic}/${one.part}`
    const end = reached.get(name)
    if (whole ? end !== one.to : end === one.tail) {
      throw new Error(`the outbox has a hole: ${name} ends at position ${end} instead of ${one.to}; publishing stops`)
    }
  }
}

/**
 * Rows that wait and the age in seconds of the oldest; of these topics only, where they are given: what waits under another
 * prefix than ours is published by nobody of us.
 */
export async function readBacklog(
  db: Kysely<Tables>,
  topics?: readonly string[],
): Promise<{ rows: number; seconds: number }> {
  const ours = topics === undefined ? sql`true` : sql`h.topic = any(${topics}::text[])`
  const { rows } = await sql<{ rows: number; seconds: number }>`
    select coalesce(sum(h.pos - t.pos), 0)::float8 as rows,
           coalesce(extract(epoch from clock_timestamp() - min(o.at)), 0)::float8 as seconds
    from outbox_head h join outbox_tail t using (topic, part)
    left join outbox o on o.topic = h.topic and o.part = h.part and o.pos = t.pos + 1
    where h.pos > t.pos and ${ours}`.execute(db)
  return { rows: rows[0]?.rows ?? 0, seconds: Math.max(0, rows[0]?.seconds ?? 0) }
}
