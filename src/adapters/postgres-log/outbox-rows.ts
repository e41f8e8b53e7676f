// Publishing into this log: rows of an outbox in the same database become records in the transaction that marks them as sent.
import { TouchstoneError } from '../../errors.ts'
import type { NewRecord } from '../../pipeline/log/ports.ts'
import { appendPlaced, type Queryable } from './append.ts'

/** What an outbox hands over. Its own position is not needed, because the order of `rows` is kept. */
export interface PublishedRow extends NewRecord {
  readonly topic: string
  readonly partition: number
}

/**
 * Appends the rows with their keys, values and headers untouched, in their order per partition, on a client inside a
 * transaction. The partitions are locked until it ends, so let this be its last step but the marking. Throws `not-found`
 * for a topic that the log does not have; the transaction must then be rolled back.
 */
export async function appendOutboxRows(client: Queryable, rows: readonly PublishedRow[]): Promise<void> {
  if (rows.length === 0) return
  // Topics in one order everywhere, so that two publishers can never wait for each other.
  const byTopic = [...Map.groupBy(rows, (row) => row.topic)].sort(([a], [b]) => (a < b ? -1 : 1))
  const found = await client.query<{ name: string; topic_id: number }>(
    'select name, topic_id from touchstone_log.topic where name = any($1)',
    [byTopic.map(([topic]) => topic)],
  )
  const ids = new Map(found.rows.map((row) => [row.name, row.topic_id]))
  for (const [topic, own] of byTopic) {
    const topicId = ids.get(topic)
    if (topicId === undefined) throw new TouchstoneError('not-found', `The log has no topic ${topic}`)
    await appendPlaced(
      client,
      topicId,
      own.map((row) => ({ partition: row.partition, record: row })),
    )
  }
}
