// From the outbox to its topics, once and in order: one process at a time drains it, in a transaction with the append.
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { decodeHeaders } from './bytes.ts'
import { queries } from './connect.ts'
import type { Tables } from './tables.ts'
import { inTransaction } from './transaction.ts'

export interface OutboxRecord {
  readonly topic: string
  readonly partition: number
  /** Dense per topic and partition, from 1. */
  readonly position: bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, Uint8Array>>
}

/** Appends rows to their topics on the connection it is given, so that append and mark are one transaction. */
export type Send = (rows: readonly OutboxRecord[], tx: PoolClient) => Promise<void>

export interface OutboxOptions {
  readonly pool: Pool
  /** Names this process among those that share the outbox, made up when not given. */
  readonly owner?: string
  /** How long others wait for an owner that is gone. */
  readonly leaseMs?: number
}

export interface Outbox {
  /**
   * Sends up to `limit` rows in the order of their positions, moves the mark and returns how many; 0 when nothing waits
   * or another process has the lease. What `send` appended and the mark are committed together or not at all.
   */
  drain(limit: number, send: Send): Promise<number>
  /** Rows that wait and the age in seconds of the oldest. */
  backlog(): Promise<{ rows: number; seconds: number }>
  /** Gives the lease up, so that another process takes over at once. */
  release(): Promise<void>
  /** Removes published rows older than `seconds`, at most `limit` per partition; returns how many. */
  prune(seconds: number, limit?: number): Promise<number>
}

const LEASE = 'outbox'

export function createOutbox({ pool, owner = randomUUID(), leaseMs = 3_000 }: OutboxOptions): Outbox {
  const db = queries(pool)
  return {
    async drain(limit, send) {
      // An idle outbox costs one read and no transaction.
      if ((await waiting(db)).length === 0) return 0
      return inTransaction<number>(pool, async ({ client, db: tx }) => {
        if (!(await takeLease(tx, owner, leaseMs))) return { undo: 0 }
        const share = shareOut(await waiting(tx), limit)
        if (share.length === 0) return { undo: 0 }
        const rows = await readRows(tx, share)
        assertDense(rows, share)
        await send(rows, client)
        await moveTails(tx, share)
        return { done: rows.length }
      })
    },

    async backlog() {
      const { rows } = await sql<{ rows: number; seconds: number }>`
        select coalesce(sum(h.pos - t.pos), 0)::float8 as rows,
               coalesce(extract(epoch from clock_timestamp() - min(o.at)), 0)::float8 as seconds
        from outbox_head h join outbox_tail t using (topic, part)
        left join outbox o on o.topic = h.topic and o.part = h.part and o.pos = t.pos + 1
        where h.pos > t.pos`.execute(db)
      return { rows: rows[0]?.rows ?? 0, seconds: Math.max(0, rows[0]?.seconds ?? 0) }
    },

    async release() {
      await sql`update outbox_lease set until = '-infinity' where name = ${LEASE} and owner = ${owner}`.execute(db)
    },

    prune: (seconds, limit = 10_000) => prune(pool, seconds, limit),
  }
}

interface Waiting {
  readonly topic: string
  readonly part: number
  readonly tail: bigint
  readonly head: bigint
}

async function waiting(db: Kysely<Tables>): Promise<Waiting[]> {
  const { rows } = await sql<{ topic: string; part: number; tail: string; head: string }>`
    select h.topic, h.part, t.pos as tail, h.pos as head
    from outbox_head h join outbox_tail t using (topic, part) where h.pos > t.pos order by h.topic, h.part`.execute(db)
  return rows.map((row) => ({ topic: row.topic, part: row.part, tail: BigInt(row.tail), head: BigInt(row.head) }))
}

/**
 * The lease keeps the work with one process while it lives; what keeps two from publishing the same rows is the lock on
 * the lease's row, held until the transaction ends. Whoever finds it locked does not wait: somebody is publishing.
 */
async function takeLease(tx: Kysely<Tables>, owner: string, leaseMs: number): Promise<boolean> {
  const find = sql<{ mine: boolean; free: boolean; fresh: boolean }>`
    select owner = ${owner} as mine, until < clock_timestamp() as free,
           until > clock_timestamp() + ${leaseMs / 2} * interval '1 ms' as fresh
    from outbox_lease where name = ${LEASE} for update skip locked`
  let row = (await find.execute(tx)).rows[0]
  if (row === undefined) {
    await sql`insert into outbox_lease (name, owner, epoch, until) values (${LEASE}, ${owner}, 0, '-infinity') on conflict do nothing`.execute(
      tx,
    )
    row = (await find.execute(tx)).rows[0]
  }
  if (row === undefined || !(row.mine || row.free)) return false
  if (row.mine && row.fresh) return true
  await sql`
    update outbox_lease set owner = ${owner}, epoch = epoch + (owner <> ${owner} or until < clock_timestamp())::int,
      until = clock_timestamp() + ${leaseMs} * interval '1 ms' where name = ${LEASE}`.execute(tx)
  return true
}

type Share = Waiting & { readonly to: bigint }

/** Splits `limit` over the partitions: short backlogs whole, the rest evenly, so that a long one starves nobody. */
function shareOut(partitions: readonly Waiting[], limit: number): Share[] {
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

async function readRows(tx: Kysely<Tables>, share: readonly Share[]): Promise<OutboxRecord[]> {
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
    cross join lateral (
      select * from outbox where topic = x.topic collate "C" and part = x.part and pos > x.tail and pos <= x.upto
      order by pos) o`.execute(tx)
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.part,
    position: BigInt(row.pos),
    key: row.key,
    value: row.value,
    headers: decodeHeaders(row.headers),
  }))
}

/** Every position from the mark on is there exactly once: a hole would be a decision that nobody ever hears of. */
function assertDense(rows: readonly OutboxRecord[], share: readonly Share[]): void {
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
    if (reached.get(name) !== one.to) {
      throw new Error(
        `the outbox has a hole: ${name} ends at position ${reached.get(name)} instead of ${one.to}; publishing stops`,
      )
    }
  }
}

async function moveTails(tx: Kysely<Tables>, share: readonly Share[]): Promise<void> {
  const moved = await sql`
    update outbox_tail t set pos = x.upto
    from unnest(${share.map((s) => s.topic)}::text[], ${share.map((s) => s.part)}::int[],
                ${share.map((s) => String(s.tail))}::bigint[], ${share.map((s) => String(s.to))}::bigint[]) x (topic, part, tail, upto)
    where t.topic = x.topic and t.part = x.part and t.pos = x.tail`.execute(tx)
  if (moved.numAffectedRows !== BigInt(share.length))
    throw new Error('the mark of the outbox was moved by somebody without the lease')
}

/** One partition per transaction, so that a long clean-up holds little. The floor tells the feed what is gone. */
async function prune(pool: Pool, seconds: number, limit: number): Promise<number> {
  const { rows: places } = await sql<{ topic: string; part: number }>`
    select f.topic, f.part from outbox_floor f join outbox_tail t using (topic, part)
    where t.pos > f.pos order by f.topic, f.part`.execute(queries(pool))
  let removed = 0
  for (const { topic, part } of places) {
    removed += await inTransaction<number>(pool, async ({ db: tx }) => {
      const { rows } = await sql<{ upto: string | null }>`
        select max(o.pos) filter (where o.at < now() - ${seconds} * interval '1 second') as upto
        from (select pos from outbox_floor where topic = ${topic} and part = ${part} for update) f
        cross join (select pos from outbox_tail where topic = ${topic} and part = ${part}) t
        cross join lateral (
          select pos, at from outbox
          where topic = ${topic} and part = ${part} and pos > f.pos and pos <= least(t.pos, f.pos + ${limit})) o`.execute(
        tx,
      )
      const upto = rows[0]?.upto ?? null
      if (upto === null) return { undo: 0 }
      const gone =
        await sql`delete from outbox where topic = ${topic} and part = ${part} and pos <= ${upto}::bigint`.execute(tx)
      await sql`update outbox_floor set pos = ${upto}::bigint where topic = ${topic} and part = ${part}`.execute(tx)
      return { done: Number(gone.numAffectedRows ?? 0n) }
    })
  }
  return removed
}
