// Listings that are tried again: claimed by their time, and decided in one transaction under their locks.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { Decision } from '../../domain/decision.ts'
import type {
  DueRescreen,
  RescreenSettlement,
  RescreenStore,
  RescreenSubject,
} from '../../pipeline/rescreening/ports.ts'
import { queueDeparted } from './bank-departures.ts'
import { unpackInline } from './case-pictures.ts'
import { queries } from './connect.ts'
import type { Outputs } from './outputs.ts'
import { assertWritable, writeSettlement } from './settlement.ts'
import { lockListings, readStandings, standingsFrom } from './standings.ts'
import type { WantedRescreen } from '../../pipeline/ports.ts'
import type { Statement } from './statement.ts'
import { inTransactionFrom } from './transaction.ts'

export interface RescreenStoreOptions {
  readonly pool: Pool
  /** The outputs that the gate's store was created with. */
  readonly outputs: Outputs
}

type DueRow = Omit<DueRescreen, 'afterChange' | 'inline'> & { after_change: string; inline: Buffer | null }

/** Of inline pictures that are claimed at once, and one listing more; the others are due still. */
const MOST_BYTES = 16 << 20

/** Locks in the order of the gate's store; rows of `rescreen` lie behind those of their listings. */
export function createRescreenStore({ pool, outputs }: RescreenStoreOptions): RescreenStore {
  const db = queries(pool)
  return {
    async claim(limit, { after, beforeDeadline }, banksAt) {
      const { rows } = await sql<DueRow>`
        with locked as (
          select listing_id, due_at, attempts + 1 as attempts, coalesce(octet_length(inline), 0) as bytes,
            now() + (${after}::int[])[least(attempts + 1, ${after.length})] * interval '1 second' as next
          from rescreen where due_at <= now() and after_change <= ${String(banksAt)}::bigint order by due_at limit ${limit} for update skip locked),
        due as (
          select * from (
            select *, sum(bytes) over (order by due_at, listing_id) - bytes as before from locked) l
          where before < ${MOST_BYTES}),
        claimed as (
          update rescreen r set attempts = due.attempts,
            due_at = case when hold.last_look > now() and (hold.last_look < due.next or due.attempts > ${after.length})
                     then hold.last_look else due.next end
          from due left join (
            select listing_id, hold_until - ${beforeDeadline} * interval '1 second' as last_look from listing) hold
            on hold.listing_id = due.listing_id
          where r.listing_id = due.listing_id
          returning r.listing_id, r.revision, r.attempts, r.seen, r.after_change, r.inline)
        select v.listing, c.attempts, c.seen, c.after_change, c.inline from claimed c
        join revision v on v.listing_id = c.listing_id and v.revision = c.revision`.execute(db)
      return rows.map(({ after_change, inline, ...one }) => ({
        ...one,
        ...unpackInline(inline, one.listing.revision),
        afterChange: BigInt(after_change),
      }))
    },

    queueDeparted: (limit) => queueDeparted(pool, limit),

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
        const { settlement, ended, waiting } = settle(known, at.rows[0]?.now ?? new Date())
        assertWritable(settlement, known)
        const last = writeSettlement(settlement, outputs, [...forget(ended), ...remember(waiting)])
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

/** A row that a newer revision has taken over meanwhile stays, and one for which another picture left its bank. */
const forget = (ended: RescreenSettlement['ended']): Statement[] =>
  ended.length === 0
    ? []
    : [
        sql`
        delete from rescreen r
        using unnest(${ended.map((e) => e.listingId)}::text[], ${ended.map((e) => e.revision)}::int[],
                     ${ended.map((e) => String(e.afterChange))}::bigint[]) x (listing_id, revision, after_change)
        where r.listing_id = x.listing_id collate "C" and r.revision <= x.revision and r.after_change <= x.after_change`,
      ]

/** A row that a newer revision has taken over meanwhile stays as it is. */
const remember = (waiting: readonly WantedRescreen[]): Statement[] =>
  waiting.length === 0
    ? []
    : [
        sql`
        update rescreen r set seen = x.seen::jsonb
        from unnest(${waiting.map((w) => w.listingId)}::text[], ${waiting.map((w) => w.revision)}::int[],
                    ${waiting.map((w) => JSON.stringify(w.seen))}::text[]) x (listing_id, revision, seen)
        where r.listing_id = x.listing_id collate "C" and r.revision = x.revision and r.seen <> x.seen::jsonb`,
      ]
