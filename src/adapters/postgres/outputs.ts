// How many partitions each output topic has for us: pinned in the store, because a key must never change its partition.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import { inTransaction } from './transaction.ts'

/** Partitions per topic that may be published to. */
export type Outputs = Readonly<Record<string, number>>

// Any constant that other programs in the same database are unlikely to use.
const LOCK = 7_046_029_255

/**
 * Makes the counters of every output partition and returns how many there are per topic; safe to call from many
 * processes. `outputs` is what the log has. A topic keeps the number it had when the store first saw it: two workers
 * that disagree would put the decisions of one listing into two partitions, where nobody can order them. So partitions
 * that were added to a topic later stay empty, and a topic with fewer than before is refused (`outputs-shrunk`).
 */
export function prepareOutputs(pool: Pool, outputs: Outputs): Promise<Outputs> {
  return inTransaction<Outputs>(pool, async ({ db }) => {
    // Two processes that start with different counts must agree on one of them, and neither sees what the other inserts.
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(db)
    const { rows } = await sql<{ topic: string; partitions: number }>`
      select topic, count(*)::int as partitions from outbox_head
      where topic = any(${Object.keys(outputs)}::text[]) group by topic`.execute(db)
    const known = new Map(rows.map((row) => [row.topic, row.partitions]))
    for (const [topic, partitions] of known) {
      if ((outputs[topic] ?? 0) >= partitions) continue
      throw new TouchstoneError(
        'outputs-shrunk',
        `${topic} has ${outputs[topic]} partitions in the log, and the store has published to ${partitions}`,
      )
    }
    const pinned = Object.fromEntries(
      Object.entries(outputs).map(([topic, partitions]) => [topic, known.get(topic) ?? partitions]),
    )
    for (const table of ['outbox_head', 'outbox_tail', 'outbox_floor']) {
      await sql`
        insert into ${sql.table(table)} (topic, part)
        select x.topic, part from unnest(${Object.keys(pinned)}::text[], ${Object.values(pinned)}::int[]) x (topic, partitions)
        cross join lateral generate_series(0, x.partitions - 1) part
        order by 1, 2 on conflict do nothing`.execute(db)
    }
    return { done: pinned }
  })
}
