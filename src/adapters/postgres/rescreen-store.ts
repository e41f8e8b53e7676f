// Listings that are tried again: claimed by their time, and decided in one transaction under their locks.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { Decision } from '../../domain/decision.ts'
import type { Listing } from '../../domain/listing.ts'
import type { RescreenStore, RescreenSubject } from '../../pipeline/rescreening/ports.ts'
import { queries } from './connect.ts'
import type { Outputs } from './outputs.ts'
import { assertWritable, writeSettlement } from './settlement.ts'
import { lockListings, readStandings, standingsFrom } from './standings.ts'
import type { Statement } from './statement.ts'
import { inTransactionFrom } from './transaction.ts'

export interface RescreenStoreOptions {
  readonly pool: Pool
  /** The outputs that the gate's store was created with. */
  readonly outputs: Outputs
}

/** Locks in the order of the gate's store; rows of `rescreen` lie behind those of their listings. */
export function createRescreenStore({ pool, outputs }: RescreenStoreOptions): RescreenStore {
  const db = queries(pool)
  return {
    async claim(limit, pauses) {
      const { rows } = await sql<{ listing: Listing; attempts: number }>`
        with claimed as (
          update rescreen r set attempts = r.attempts + 1,
            due_at = now() + (${pauses}::int[])[least(r.attempts + 1, ${pauses.length})] * interval '1 second'
          from (select listing_id from rescreen where due_at <= now() order by due_at limit ${limit}
                for update skip locked) due
          where r.listing_id = due.listing_id
          returning r.listing_id, r.revision, r.attempts)
        select v.listing, c.attempts from claimed c
        join revision v on v.listing_id = c.listing_id and v.revision = c.revision`.execute(db)
      return rows
    },

    async settle(listingIds, settle) {
      if (listingIds.length === 0) return
      const wanted = listingIds.map((listingId) => ({ listingId, revision: 0 }))
      const first = [lockListings(listingIds), readStandings(wanted), readDecisions(listingIds), NOW] as const
      await inTransactionFrom(pool, first, (_tx, [, rows, decisions, at]) => {
        const decisionsOf = Map.groupBy(decisions.rows, ({ body }) => body.listingId)
        const known = new Map<string, RescreenSubject>()
        for (const [listingId, standing] of standingsFrom(rows.rows)) {
          const own = (decisionsOf.get(listingId) ?? []).map(({ body }) => body)
          known.set(listingId, { standing, decisions: own.toSorted((a, b) => a.sequence - b.sequence) })
        }
        const { settlement, ended } = settle(known, at.rows[0]?.now ?? new Date())
        assertWritable(settlement, known)
        const last = writeSettlement(settlement, outputs, forget(ended))
        return Promise.resolve({ done: undefined, last })
      })
    },
  }
}

/** Of the revision that stands. */
const readDecisions = (ids: readonly string[]): Statement<{ body: Decision }> => sql<{ body: Decision }>`
  select d.body from listing l join decision d on d.listing_id = l.listing_id and d.revision = l.revision
  where l.listing_id = any(${ids}::text[])`

const NOW: Statement<{ now: Date }> = sql<{ now: Date }>`select clock_timestamp() as now`

/** A row that a newer revision has taken over meanwhile stays. */
const forget = (ended: readonly { readonly listingId: string; readonly revision: number }[]): Statement[] =>
  ended.length === 0
    ? []
    : [
        sql`
        delete from rescreen r
        using unnest(${ended.map((e) => e.listingId)}::text[], ${ended.map((e) => e.revision)}::int[]) x (listing_id, revision)
        where r.listing_id = x.listing_id collate "C" and r.revision <= x.revision`,
      ]
