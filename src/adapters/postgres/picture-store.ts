// Pictures that were judged, kept by their hash for who looks at the case, and cleaned away when nobody needs them any more.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { Outcome } from '../../domain/policy.ts'
import type { PictureStore, StandIn } from '../../pipeline/pictures/ports.ts'
import { queries } from './connect.ts'
import { writePictures } from './picture-rows.ts'
import { forgetShown, forgetUnproven, writeShown } from './shown-sets.ts'
import { widenShown } from './shown-widening.ts'
import { inTransaction, inTransactionFrom } from './transaction.ts'

/** Of each kind in one step: pictures are up to a hundred kilobytes, and whoever needs one waits as long as it takes. */
const BITE = 200
/** Hashes are small, and of everything that is tried somebody must ask a day later whether it was decided. */
const UNPROVEN_BITE = 1_000
/** Each is written into two large indexes, and a worker that meets one of them waits for the step. */
const WIDEN_BITE = 400

export function createPictureStore(pool: Pool): PictureStore {
  const db = queries(pool)
  return {
    async known(sha256s) {
      if (sha256s.length === 0) return new Set()
      // Locked in the one order, or two that touch the same pictures could wait for each other crosswise.
      const { rows } = await sql<{ sha256: string }>`
        update picture p set at = now()
        from (select sha256 from picture where sha256 = any(${sha256s}::text[]) order by sha256 for update) x
        where p.sha256 = x.sha256 returning p.sha256`.execute(db)
      return new Set(rows.map((row) => row.sha256))
    },

    async put(pictures) {
      if (pictures.length === 0) return
      await inTransactionFrom(pool, writePictures(pictures), () => Promise.resolve({ done: undefined }))
    },

    async noteShown(sets) {
      if (sets.length === 0) return
      for (const statement of writeShown(sets)) await statement.execute(db)
    },

    async glance(listingIds) {
      const { rows } = await sql<{
        listing_id: string
        outcome: Outcome | null
        sequence: number
        case_id: string | null
      }>`
        select listing_id, outcome, sequence, case_id from listing where listing_id = any(${listingIds}::text[])`.execute(
        db,
      )
      return new Map(
        rows.map((row) => [row.listing_id, { outcome: row.outcome, sequence: row.sequence, caseId: row.case_id }]),
      )
    },

    async standIns(listingId, revision) {
      const { rows } = await sql<StandIn & { ordinal: number }>`
        select c.ordinal, c.sha256, p.body from listing l
        join case_picture c on c.case_id = l.case_id and c.revision = l.revision and c.whole
        join picture p on p.sha256 = c.sha256
        where l.listing_id = ${listingId} and l.revision = ${revision}`.execute(db)
      return new Map(rows.map(({ ordinal, ...standIn }) => [ordinal, standIn]))
    },

    async prune(days) {
      const removed = await inTransaction(pool, async (tx) => {
        const removed = await tx.send([
          sql`
          with gone as (
            delete from case_picture x using (
              select p.case_id, p.revision, p.ordinal from case_picture p join review_case c on c.case_id = p.case_id
              where c.state <> 'open' and c.closed_at < now() - ${days} * interval '1 day' limit ${BITE}) old
            where x.case_id = old.case_id and x.revision = old.revision and x.ordinal = old.ordinal
            returning x.case_id, x.revision, x.ordinal, x.brand_ids)
          insert into case_picture_gone (case_id, revision, ordinal, brand_ids) select * from gone
          on conflict (case_id, revision, ordinal) do update set brand_ids = excluded.brand_ids`,
          // Asked about its age once more under its lock: whoever needs it touched it first.
          sql`
          delete from picture p using (
            select sha256 from picture o where at < now() - interval '1 day'
              and not exists (select from case_picture x where x.sha256 = o.sha256)
              and not exists (select from bank_image i where i.sha256 = o.sha256 and i.state <> 'removed')
            order by sha256 limit ${BITE}) unneeded
          where p.sha256 = unneeded.sha256 and p.at < now() - interval '1 day'`,
          forgetShown(BITE),
          forgetUnproven(UNPROVEN_BITE),
        ])
        return { done: removed.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0) }
      })
      // By itself: what is removed is not held for as long as that takes.
      const { rows } = await widenShown(WIDEN_BITE).execute(db)
      return removed + rows.length
    },
  }
}
