// The log in tables of the store's PostgreSQL: what is published and its mark are one transaction.
import { explained, isTransient } from '../adapters/postgres-log/connection.ts'
import { createPostgresLog } from '../adapters/postgres-log/postgres-log.ts'
import type { LogOptions, OpenLog } from './open-log.ts'

/** Rows that one publishing transaction moves at most. */
const PUBLISH_ROWS = 2_000

export function openPostgresLog({ url, onError }: LogOptions): OpenLog {
  const log = createPostgresLog({ url, onError })
  return {
    log,
    isTransient,
    explained,
    prune: () => log.prune(),
    async publishers({ outbox }) {
      return {
        publisher: {
          async publish() {
            const touched = new Set<string>()
            const published = await outbox.drain(PUBLISH_ROWS, async (rows, client) => {
              for (const [topic, some] of Map.groupBy(rows, (row) => row.topic)) {
                await log.appendInTransaction(
                  client,
                  topic,
                  some.map((row) => ({ partition: row.partition, record: row })),
                )
                touched.add(topic)
              }
            })
            if (touched.size > 0) await log.appended(touched)
            return published
          },
          backlog: () => outbox.backlog(),
          release: () => outbox.release(),
        },
      }
    },
    close: () => log.close(),
  }
}
