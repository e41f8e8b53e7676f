// Removes from the outbox what is published and old: a janitor's duty, never the publisher's, so that rows can be sent again.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { queries } from './connect.ts'
import { inTransaction } from './transaction.ts'

/**
 * Removes published rows older than `seconds`, at most `limit` per partition; returns how many. One partition per
 * transaction, so that a long clean-up holds little. The floor tells the feed what is gone.
 */
export async function pruneOutbox(pool: Pool, seconds: number, limit: number): Promise<number> {
  const { rows: places } = await sql<{ topic: string; part: number }>`
    select f.topic, f.part from outbox_floor f join outbox_tail t using (topic, part)
    where t.pos > f.pos order by f.topic, f.part`.execute(queries(pool))
  let removed = 0
  for (const { topic, part } of places) {
    removed += await inTransaction<number>(pool, async ({ db: tx }) => {
      const { rows } = await sql<{ upto: string | null }>`
        select max(o.pos) filter (where o.at < now() - ${seconds} * interval '1 second') as upto
        from (select pos from outbox_floor where topic = ${topic} and part = ${part} for update) f
        cross join (select pos from outbox_tail where topic = ${topic} and part = ${part} for share) t
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
