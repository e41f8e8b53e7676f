// From the outbox to its topics, once and in order: one process at a time drains it, in a transaction with the append.
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import type { OutboxRecord } from '../../pipeline/publishing/ports.ts'
import { queries } from './connect.ts'
import { pruneOutbox } from './outbox-retention.ts'
import { assertDense, readBacklog, readRows, readWaiting, shareOut } from './outbox-rows.ts'
import type { Share } from './outbox-rows.ts'
import type { Tables } from './tables.ts'
import { inTransaction } from './transaction.ts'

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
  /** Gives the lease up, so that another process need not wait for its end. */
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
      if ((await readWaiting(db)).length === 0) return 0
      return inTransaction<number>(pool, async ({ client, db: tx }) => {
        if (!(await takeLease(tx, owner, leaseMs))) return { undo: 0 }
        const share = shareOut(await readWaiting(tx), limit)
        if (share.length === 0) return { undo: 0 }
        const rows = await readRows(tx, share)
        assertDense(rows, share, true)
        await send(rows, client)
        await moveTails(tx, share)
        return { done: rows.length }
      })
    },

    backlog: () => readBacklog(db),

    async release() {
      await sql`update outbox_lease set until = '-infinity' where name = ${LEASE} and owner = ${owner}`.execute(db)
    },

    prune: (seconds, limit = 10_000) => pruneOutbox(pool, seconds, limit),
  }
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

async function moveTails(tx: Kysely<Tables>, share: readonly Share[]): Promise<void> {
  const moved = await sql`
    update outbox_tail t set pos = x.upto
    from unnest(${share.map((s) => s.topic)}::text[], ${share.map((s) => s.part)}::int[],
                ${share.map((s) => String(s.tail))}::bigint[], ${share.map((s) => String(s.to))}::bigint[]) x (topic, part, tail, upto)
    where t.topic = x.topic and t.part = x.part and t.pos = x.tail`.execute(tx)
  if (moved.numAffectedRows !== BigInt(share.length))
    throw new Error('the mark of the outbox was moved by somebody without the lease')
}
