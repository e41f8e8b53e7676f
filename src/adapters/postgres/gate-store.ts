// Everything that decides: one transaction moves the input offset and writes what was decided, or nothing happens.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { Decision } from '../../domain/decision.ts'
import type { DueHold, GateStore } from '../../pipeline/ports.ts'
import { commitSpans } from './commit-spans.ts'
import { queries } from './connect.ts'
import { isAboutTheWrites } from './data-error.ts'
import { createGroupCommit } from './group-commit.ts'
import type { GroupCommitOptions } from './group-commit.ts'
import { prepareOutputs } from './outputs.ts'
import type { Outputs } from './outputs.ts'
import { assertWritable, writeSettlement } from './settlement.ts'
import { standingOf } from './standings.ts'
import type { StandingRow } from './standings.ts'
import type { Statement } from './statement.ts'
import { inTransactionFrom } from './transaction.ts'

export interface GateStoreOptions {
  readonly pool: Pool
  /** Partitions that the log has of every topic that settlements publish to; the store keeps the count it began with. */
  readonly outputs: Outputs
  /** Which commits share a transaction, for who commits several partitions at a time. */
  readonly grouping?: Pick<GroupCommitOptions, 'ofTurn' | 'maxRecords'>
}

/**
 * Guarantees: a batch takes effect once, because the offset moves by compare-and-set inside the transaction; no
 * deadlocks, because every transaction locks input offsets in one order, then listings by id, then outbox heads by topic and
 * partition; a rejected `commit` means that the outcome is unknown: place again and see. Commits that come while one
 * runs go together into the next transaction (group-commit.ts); none of these promises depends on who goes with whom.
 */
export async function createGateStore({ pool, outputs: found, grouping = {} }: GateStoreOptions): Promise<GateStore> {
  const db = queries(pool)
  const outputs = await prepareOutputs(pool, found)
  return {
    async place(group, topic, partition, low) {
      const row = { grp: group, topic, part: partition }
      await db
        .insertInto('input_offset')
        .values({ ...row, next: String(low) })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      const placed = await db.selectFrom('input_offset').select('next').where(at(row)).executeTakeFirstOrThrow()
      return BigInt(placed.next)
    },

    commit: createGroupCommit({
      commitTogether: (commits) => commitSpans(pool, outputs, commits),
      isAboutTheWrites,
      ...grouping,
    }),

    settleDue(limit, settle) {
      return inTransactionFrom(pool, [lockDue(limit)], async (tx, [{ rows }]) => {
        const [first] = rows
        if (first === undefined) return { undo: 0 }
        const [decisions] = await tx.send([readHolding(rows)])
        const settlement = settle(dueHolds(rows, decisions.rows), first.now)
        assertWritable(settlement, new Set(rows.map((row) => row.listing_id)))
        return { done: rows.length, last: writeSettlement(settlement, outputs) }
      })
    },

    async nextDeadline() {
      const { rows } = await sql<{ ms: number | null }>`
        select (extract(epoch from min(hold_until) - clock_timestamp()) * 1000)::float8 as ms
        from listing where hold_until is not null`.execute(db)
      const ms = rows[0]?.ms ?? undefined
      return ms === undefined ? undefined : Math.max(0, Math.ceil(ms))
    },
  }
}

const at = (row: { grp: string; topic: string; part: number }) =>
  sql<boolean>`grp = ${row.grp} and topic = ${row.topic} and part = ${row.part}`

type DueRow = StandingRow & { readonly now: Date }

/** Skipping what others hold never waits, so the order of deadlines may differ from the order of locks. */
const lockDue = (limit: number): Statement<DueRow> => sql<DueRow>`
  select listing_id, marketplace, seller_id, revision, sequence, outcome, withdrawn_revision, case_id, now() as now
  from listing where hold_until <= now() order by hold_until limit ${limit} for update skip locked`

/** The decisions that hold them. */
const readHolding = (rows: readonly DueRow[]): Statement<{ body: Decision }> => sql<{ body: Decision }>`
  select d.body from unnest(${rows.map((row) => row.listing_id)}::text[], ${rows.map((row) => row.revision)}::int[]) x (listing_id, revision)
  cross join lateral (
    select body from decision where listing_id = x.listing_id collate "C" and revision = x.revision
    order by sequence desc limit 1) d`

function dueHolds(rows: readonly DueRow[], decisions: readonly { readonly body: Decision }[]): DueHold[] {
  const holding = new Map(decisions.map(({ body }) => [body.listingId, body]))
  return rows.map((row) => {
    const decision = holding.get(row.listing_id)
    if (decision === undefined) throw new Error(`listing ${JSON.stringify(row.listing_id)} is held by no decision`)
    return { standing: standingOf(row, new Map([[decision.revision, decision.contentHash]])), decision }
  })
}
