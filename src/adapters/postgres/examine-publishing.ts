// What `doctor` asks of the outbox: what waits, who publishes, and the number of output partitions that the store keeps.
import type { Pool } from 'pg'
import { queries, SCHEMA } from './connect.ts'
import { readBacklog } from './outbox-rows.ts'

export interface PublishingExamination {
  /** Rows that wait, and the age in seconds of the oldest; 0 where none waits. */
  readonly waiting: { readonly rows: number; readonly seconds: number }
  /** Whoever published last, by lease; `live` is false when the lease ran out. */
  readonly leases: readonly { readonly name: string; readonly owner: string; readonly live: boolean }[]
  /** Partitions that the store gives positions on, by topic. */
  readonly outputs: ReadonlyMap<string, number>
}

/** For a store whose tables are there; `topics` are those that are published to. */
export async function examinePublishing(pool: Pool, topics: readonly string[]): Promise<PublishingExamination> {
  const leases = await pool.query<{ name: string; owner: string; live: boolean }>(
    `select name, owner, until > clock_timestamp() as live from ${SCHEMA}.outbox_lease order by name`,
  )
  const outputs = await pool.query<{ topic: string; partitions: number }>(
    `select topic, count(*)::int as partitions from ${SCHEMA}.outbox_head group by topic`,
  )
  return {
    waiting: await readBacklog(queries(pool), topics),
    leases: leases.rows,
    outputs: new Map(outputs.rows.map((row) => [row.topic, row.partitions])),
  }
}
