// Verdicts in the store: recorded once, in the transaction that moves the offset and decides anew.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { Decision } from '../../domain/decision.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { BatchResult } from '../../pipeline/log/ports.ts'
import type { KnownOfVerdicts, LookForOfficials, VerdictStore, VerdictSubject } from '../../pipeline/verdicts/ports.ts'
import { bankJoins } from './bank-joins.ts'
import { moveOffsets } from './input-offsets.ts'
import { lookAhead, type LookOptions } from './look-ahead.ts'
import { shownAt } from './of-case.ts'
import type { Outputs } from './outputs.ts'
import { assertWritable, writeSettlement } from './settlement.ts'
import { readStandings, standingsFrom } from './standings.ts'
import type { Statement } from './statement.ts'
import { inTransactionFrom } from './transaction.ts'
import type { Transaction } from './transaction.ts'
import { recordVerdicts, VERDICT, verdictOf, type VerdictRow } from './verdict-rows.ts'

export interface VerdictStoreOptions {
  readonly pool: Pool
  /** Where pictures are looked up before a verdict, so that nobody who decides waits for it; as long as not said `pool`. */
  readonly looking?: Pool
  /** The outputs that the gate's store was created with. */
  readonly outputs: Outputs
  /** Without it all is compared in the transaction: for few official pictures. */
  readonly officials?: LookForOfficials
  readonly elsewhere?: LookOptions
}

/** Locks in the order of the gate's store, whose `place` is also the one for verdicts; verdicts lie before the outbox. */
export function createVerdictStore({
  pool,
  looking = pool,
  outputs,
  officials,
  elsewhere,
}: VerdictStoreOptions): VerdictStore {
  return {
    async commit(batch, wanted, settle) {
      const confirmed = wanted.filter((one) => one.verdict === 'confirmed')
      const words = confirmed.map((one) => ({ ...one, byBrand: one.by.role === 'brand' }))
      const look = words.length === 0 ? undefined : await lookAhead(looking, shownAt(words), officials, elsewhere)
      const known = [...new Set(wanted.map((one) => one.listingId))]
      const first = [moveOffsets([batch]), lockKnown(known)] as const
      return await inTransactionFrom<BatchResult, typeof first>(pool, first, async (tx, [{ rows }, locked]) => {
        const now = rows[0]?.now
        if (now === undefined) return { undo: 'moved' }
        const ids = locked.rows.map((row) => row.listing_id)
        const settlement = settle(await readKnown(tx, ids, wanted), now)
        assertWritable(settlement, new Set(ids))
        if (!(await recordVerdicts(tx, settlement.verdicts))) return { undo: 'moved' }
        const { bankJoins: joins = [], bankLeaves: leaves = [], bankDisputes } = settlement
        const banks = bankJoins(joins, leaves, look, bankDisputes)
        return { done: 'committed', last: writeSettlement(settlement, outputs, banks) }
      })
    },
  }
}

type Wanted = Pick<Verdict, 'verdictId' | 'listingId' | 'revision' | 'decisionId' | 'supersedes'>

/** A verdict makes no listing: rows that are missing stay so. Locked in the order in which everyone locks listings. */
const lockKnown = (ids: readonly string[]): Statement<{ listing_id: string }> => sql<{ listing_id: string }>`
  select listing_id from listing where listing_id = any(${ids}::text[]) and revision > 0
  order by listing_id for update`

async function readKnown(
  tx: Transaction,
  locked: readonly string[],
  wanted: readonly Wanted[],
): Promise<KnownOfVerdicts> {
  const [same, rows, decisions, verdicts] = await tx.send([
    sql<{ body: Verdict }>`
      select body from verdict where verdict_id = any(${wanted.map((one) => one.verdictId)}::text[])`,
    readStandings(locked.map((listingId) => ({ listingId, revision: 0 }))),
    sql<{ body: Decision }>`
      select d.body from decision d
      where d.listing_id = any(${locked}::text[]) and (d.listing_id, d.decision_id) in
        (select * from unnest(${wanted.map((one) => one.listingId)}::text[], ${wanted.map((one) => one.decisionId)}::uuid[]))
      union all
      select d.body from listing l cross join lateral (
        (select body from decision where listing_id = l.listing_id and revision = l.revision order by sequence desc limit 1)
        union all
        (select body from decision where listing_id = l.listing_id and revision = l.revision and stage <> 'review'
         order by sequence desc limit 1)) d
      where l.listing_id = any(${locked}::text[])`,
    sql<VerdictRow>`
      select ${VERDICT} where v.listing_id = any(${locked}::text[]) and (
        (v.listing_id, v.revision) in (
          select listing_id, revision from listing where listing_id = any(${locked}::text[])
          union
          select * from unnest(${wanted.map((one) => one.listingId)}::text[], ${wanted.map((one) => one.revision)}::int[]))
        or v.verdict_id = any(${wanted.flatMap((one) => one.supersedes ?? [])}::text[])
        or v.body ->> 'supersedes' = any(${wanted.map((one) => one.verdictId)}::text[]))`,
  ])
  const recorded = new Map(same.rows.map(({ body }) => [body.verdictId, body]))
  const standings = standingsFrom(rows.rows)
  const subjects = new Map<string, VerdictSubject>()
  const decisionsOf = Map.groupBy(decisions.rows, ({ body }) => body.listingId)
  const verdictsOf = Map.groupBy(verdicts.rows, ({ body }) => body.listingId)
  for (const [listingId, standing] of standings) {
    // The same decision may be asked for, the last one and one that no person made.
    const bySequence = new Map((decisionsOf.get(listingId) ?? []).map(({ body }) => [body.sequence, body]))
    subjects.set(listingId, {
      standing,
      decisions: [...bySequence.values()].toSorted((a, b) => a.sequence - b.sequence),
      verdicts: (verdictsOf.get(listingId) ?? []).map(verdictOf),
    })
  }
  return { subjects, recorded }
}
