// Everything that decides: one transaction moves the input offset and writes what was decided, or nothing happens.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { Decision } from '../../domain/decision.ts'
import type { Outcome } from '../../domain/policy.ts'
import type { BatchResult } from '../../pipeline/log/ports.ts'
import type { DueHold, GateStore, Standing } from '../../pipeline/ports.ts'
import { queries } from './connect.ts'
import { prepareOutputs } from './outputs.ts'
import type { Outputs } from './outputs.ts'
import { writeSettlement } from './settlement.ts'
import type { Tables } from './tables.ts'
import { inTransaction } from './transaction.ts'

export interface GateStoreOptions {
  readonly pool: Pool
  /** Partitions that the log has of every topic that settlements publish to; the store keeps the count it began with. */
  readonly outputs: Outputs
}

/**
 * Guarantees: a batch takes effect once, because the offset moves by compare-and-set inside the transaction; no
 * deadlocks, because every transaction locks the input offset, then listings by id, then outbox heads by topic and
 * partition; a rejected `commit` means that the outcome is unknown: place again and see.
 */
export async function createGateStore({ pool, outputs: found }: GateStoreOptions): Promise<GateStore> {
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

    commit(batch, wanted, settle) {
      return inTransaction<BatchResult>(pool, async ({ db: tx }) => {
        const now = await moveOffset(tx, batch)
        if (now === undefined) return { undo: 'moved' }
        const ids = new Set(wanted.map((one) => one.listingId))
        await lockListings(tx, [...ids])
        const standings = await readStandings(tx, [...ids], wanted)
        await writeSettlement(tx, settle(standings, now), ids, outputs)
        return { done: 'committed' }
      })
    },

    settleDue(limit, settle) {
      return inTransaction<number>(pool, async ({ db: tx }) => {
        const { due, now } = await lockDue(tx, limit)
        if (due.length === 0) return { undo: 0 }
        await writeSettlement(tx, settle(due, now), new Set(due.map((hold) => hold.standing.listingId)), outputs)
        return { done: due.length }
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

/** The time by the database's clock, or undefined when the offset was not at `from`. */
export async function moveOffset(
  tx: Kysely<Tables>,
  batch: Parameters<GateStore['commit']>[0],
): Promise<Date | undefined> {
  const moved = await tx
    .updateTable('input_offset')
    .set({ next: String(batch.next) })
    .where(at({ grp: batch.group, topic: batch.topic, part: batch.partition }))
    .where('next', '=', String(batch.from))
    .returning(sql<Date>`clock_timestamp()`.as('now'))
    .executeTakeFirst()
  return moved?.now
}

const at = (row: { grp: string; topic: string; part: number }) =>
  sql<boolean>`grp = ${row.grp} and topic = ${row.topic} and part = ${row.part}`

/**
 * Locks the rows of all listings, and makes those that are missing, in one statement and so in one order: locking first
 * and inserting afterwards can deadlock. The condition is never true, so an existing row is locked and not written.
 */
async function lockListings(tx: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await sql`
    insert into listing as l (listing_id)
    select id from unnest(${ids}::text[]) x (id) order by id collate "C"
    on conflict (listing_id) do update set listing_id = l.listing_id where false`.execute(tx)
}

interface StandingRow {
  listing_id: string
  marketplace: string | null
  seller_id: string | null
  revision: number
  sequence: number
  outcome: Outcome | null
  withdrawn_revision: number
  case_id: string | null
}

const standingOf = (row: StandingRow, hashes: ReadonlyMap<number, string>): Standing => ({
  listingId: row.listing_id,
  marketplace: row.marketplace,
  sellerId: row.seller_id,
  revision: row.revision,
  sequence: row.sequence,
  outcome: row.outcome,
  withdrawnRevision: row.withdrawn_revision,
  caseId: row.case_id,
  hashes,
})

/** Of listings whose rows are locked, with the hashes of the wanted revisions. */
export async function readStandings(
  tx: Kysely<Tables>,
  ids: readonly string[],
  wanted: readonly { readonly listingId: string; readonly revision: number }[],
): Promise<Map<string, Standing>> {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<StandingRow>`
    select listing_id, marketplace, seller_id, revision, sequence, outcome, withdrawn_revision, case_id
    from listing where listing_id = any(${ids}::text[])`.execute(tx)
  // A listing that was never decided has no hashes to look for; most batches are all new.
  const decided = new Set(rows.filter((row) => row.revision > 0).map((row) => row.listing_id))
  const asked = wanted.filter((one) => decided.has(one.listingId))
  const hashes = new Map<string, Map<number, string>>()
  if (asked.length > 0) {
    const found = await sql<{ listing_id: string; revision: number; content_hash: string }>`
      select r.listing_id, r.revision, r.content_hash from revision r
      where (r.listing_id, r.revision) in
        (select * from unnest(${asked.map((one) => one.listingId)}::text[], ${asked.map((one) => one.revision)}::int[]))`.execute(
      tx,
    )
    for (const row of found.rows) {
      const known = hashes.get(row.listing_id) ?? new Map<number, string>()
      hashes.set(row.listing_id, known.set(row.revision, row.content_hash))
    }
  }
  return new Map(
    rows.map((row) => [row.listing_id, standingOf(row, hashes.get(row.listing_id) ?? new Map<number, string>())]),
  )
}

/** Skipping what others hold never waits, so the order of deadlines may differ from the order of locks. */
async function lockDue(tx: Kysely<Tables>, limit: number): Promise<{ due: DueHold[]; now: Date }> {
  const { rows } = await sql<StandingRow & { now: Date }>`
    select listing_id, marketplace, seller_id, revision, sequence, outcome, withdrawn_revision, case_id, now() as now
    from listing where hold_until <= now() order by hold_until limit ${limit} for update skip locked`.execute(tx)
  const first = rows[0]
  if (first === undefined) return { due: [], now: new Date(0) }
  const decisions = await sql<{ body: Decision }>`
    select d.body from unnest(${rows.map((row) => row.listing_id)}::text[], ${rows.map((row) => row.revision)}::int[]) x (listing_id, revision)
    cross join lateral (
      select body from decision where listing_id = x.listing_id collate "C" and revision = x.revision
      order by sequence desc limit 1) d`.execute(tx)
  const standing = new Map(decisions.rows.map(({ body }) => [body.listingId, body]))
  const due = rows.map((row) => {
    const decision = standing.get(row.listing_id)
    if (decision === undefined) throw new Error(`listing ${JSON.stringify(row.listing_id)} is held by no decision`)
    return { standing: standingOf(row, new Map([[decision.revision, decision.contentHash]])), decision }
  })
  return { due, now: first.now }
}
