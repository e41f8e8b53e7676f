// Topics by name: created once, remembered, and what each partition holds.
import type { Pool } from 'pg'
import { TouchstoneError } from '../../errors.ts'

export interface Topic {
  readonly topicId: number
  readonly name: string
  readonly partitions: number
}

export interface Range {
  readonly partition: number
  readonly low: bigint
  readonly high: bigint
}

export interface Topics {
  ensure(name: string, options: { partitions: number; retentionHours: number }): Promise<void>
  /** Throws `not-found` for a topic that nobody created. */
  get(name: string): Promise<Topic>
  ranges(name: string): Promise<Range[]>
}

export function createTopics(pool: Pool): Topics {
  // A topic's id and partition count never change, so what was found once stays true.
  const known = new Map<string, Topic>()

  async function get(name: string): Promise<Topic> {
    const topic = known.get(name) ?? (await find(pool, name))
    if (topic === undefined) throw new TouchstoneError('not-found', `The log has no topic ${name}`)
    known.set(name, topic)
    return topic
  }

  return {
    get,
    async ensure(name, { partitions, retentionHours }) {
      await pool.query(ENSURE, [name, partitions, retentionHours])
      await get(name)
    },
    async ranges(name) {
      const { topicId } = await get(name)
      const { rows } = await pool.query<{ partition: number; low: string; next: string }>(
        'select partition, low, next from touchstone_log.partition where topic_id = $1 order by partition',
        [topicId],
      )
      return rows.map((row) => ({ partition: row.partition, low: BigInt(row.low), high: BigInt(row.next) }))
    },
  }
}

// One statement, so a topic is never seen without its partitions. An existing topic keeps its count; how long it holds
// records is a setting and follows the newest.
const ENSURE = `
with topic as (
  insert into touchstone_log.topic (name, partitions, retention_hours) values ($1, $2, $3)
  on conflict (name) do update set retention_hours = excluded.retention_hours
  returning topic_id, partitions
)
insert into touchstone_log.partition (topic_id, partition)
select topic_id, generate_series(0, partitions - 1) from topic
on conflict do nothing`

async function find(pool: Pool, name: string): Promise<Topic | undefined> {
  const { rows } = await pool.query<{ topic_id: number; partitions: number }>(
    'select topic_id, partitions from touchstone_log.topic where name = $1',
    [name],
  )
  const row = rows[0]
  return row && { topicId: row.topic_id, name, partitions: row.partitions }
}
