// Publishing into this log: rows of an outbox in the same database become records in the transaction that marks them as sent.
import type { NewRecord } from '../../pipeline/ports.ts'
import type { Queryable } from './append.ts'
import { appendPlaced } from './append.ts'
import type { Topics } from './topics.ts'

/** What an outbox hands over; its own position is not needed, because the order of `rows` is kept. */
export interface PublishedRow extends NewRecord {
  readonly topic: string
  readonly partition: number
}

/** Topics in one order everywhere, so that two publishers can never wait for each other. */
export async function appendRows(topics: Topics, client: Queryable, rows: readonly PublishedRow[]): Promise<void> {
  const byTopic = Map.groupBy(rows, (row) => row.topic)
  for (const name of [...byTopic.keys()].sort()) {
    const { topicId } = await topics.get(name)
    await appendPlaced(
      client,
      topicId,
      (byTopic.get(name) ?? []).map((row) => ({ partition: row.partition, record: row })),
    )
  }
}
