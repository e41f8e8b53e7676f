// What `topics` and `doctor` ask of the log's tables: which topics are there, with how many partitions and for how long.
import type { Pool } from 'pg'

export interface FoundTopic {
  readonly partitions: number
  readonly retentionHours: number
}

/** Topics by name, of those that are asked for; none where the log has no tables yet. */
export async function findTopics(pool: Pool, names: readonly string[]): Promise<ReadonlyMap<string, FoundTopic>> {
  const there = await pool.query<{ prepared: boolean }>(
    `select to_regclass('touchstone_log.topic') is not null as prepared`,
  )
  if (there.rows[0]?.prepared !== true) return new Map()
  const { rows } = await pool.query<{ name: string; partitions: number; hours: number }>(
    'select name, partitions, retention_hours::float8 as hours from touchstone_log.topic where name = any($1::text[])',
    [names],
  )
  return new Map(rows.map((row) => [row.name, { partitions: row.partitions, retentionHours: row.hours }]))
}

/** One past the last record ever taken, by partition; none where the log has no such topic. */
export async function readEnds(pool: Pool, topic: string): Promise<ReadonlyMap<number, bigint>> {
  const there = await findTopics(pool, [topic])
  if (there.size === 0) return new Map()
  const { rows } = await pool.query<{ partition: number; next: string }>(
    'select p.partition, p.next from touchstone_log.partition p join touchstone_log.topic using (topic_id) where name = $1',
    [topic],
  )
  return new Map(rows.map(({ partition, next }) => [partition, BigInt(next)]))
}
