// What `doctor` asks of the outbox: what waits, who publishes, and the number of output partitions that the store keeps.
import type { Pool } from 'pg'
import { SCHEMA } from './connect.ts'

export interface PublishingExamination {
  /** Rows that wait, and the age in seconds of the oldest; 0 where none waits. */
  readonly waiting: { readonly rows: number; readonly seconds: number }
  /** Whoever published last, by lease; `live` is false when the lease ran out. */
  readonly leases: readonly { readonly name: string; readonly owner: string; readonly live: boolean }[]
  /** Partitions that the store gives positions on, by topic. */
  readonly outputs: ReadonlyMap<string, number>
}

/** For a store whose tables are there. */
export async function examinePublishing(pool: Pool): Promise<PublishingExamination> {
  const waiting = await pool.query<{ rows: number; seconds: number }>(
    `select coalesce(sum(h.pos - t.pos), 0)::float8 as rows,
            coalesce(extract(epoch from clock_timestamp() - min(o.at)), 0)::float8 as seconds
     from ${SCHEMA}.outbox_head h join ${SCHEMA}.outbox_tail t using (topic, part)
     left join ${SCHEMA}.outbox o on o.topic = h.topic and o.part = h.part and o.pos = t.pos + 1
     where h.pos > t.pos`,
  )
  const leases = await pool.query<{ name: string; owner: string; live: boolean }>(
    `select name, owner, until > clock_timestamp() as live from ${SCHEMA}.outbox_lease order by name`,
  )
  const outputs = await pool.query<{ topic: string; partitions: number }>(
    `select topic, count(*)::int as partitions from ${SCHEMA}.outbox_head group by topic`,
  )
  const first = waiting.rows[0]
  return {
    waiting: { rows: first?.rows ?? 0, seconds: Math.max(0, first?.seconds ?? 0) },
    leases: leases.rows,
    outputs: new Map(outputs.rows.map((row) => [row.topic, row.partitions])),
  }
}
