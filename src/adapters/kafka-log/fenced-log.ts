// Publishing to Kafka so that one writer a range is the only one: its transactional id fences all before it.
import type { Kafka } from 'kafkajs'
import type { FencedLog } from '../../pipeline/publishing/ports.ts'
import type { Logger } from '../../telemetry.ts'
import { BRIEF_RETRY, createKafka, hangUp } from './client.ts'
import type { KafkaConnection } from './connection.ts'
import { lastPublished } from './fenced-end.ts'
import { openFencedWriter } from './fenced-writer.ts'
import { createFetcher } from './fetch.ts'

export interface FencedLogOptions {
  readonly connection: KafkaConnection
  readonly logger: Logger
  /** Of the topics: two deployments on the same brokers must not fence each other. */
  readonly prefix: string
}

/** Brokers that are away are asked again for this long; then the whole recovery begins anew anyway. */
const PATIENCE_MS = 10_000

/** The transactional ids are `PREFIX-publisher-RANGE`: an ACL must allow Write and Describe on them. */
export function createFencedLog({
  connection,
  logger,
  prefix,
}: FencedLogOptions): FencedLog & { close(): Promise<void> } {
  /** Of the writers, also of those that still fence, and of looks at the end. */
  const clients = new Set<Kafka>()
  return {
    fence: (range) => openFencedWriter(connection, logger, `${prefix}-publisher-${range}`, clients),
    async lastPublished(places, progressed) {
      // A client of its own each time: one that knows the leaders of half a minute ago may ask a broker that was frozen
      // meanwhile, and that one does not know yet what others have written since.
      const kafka = createKafka(connection, logger, { retry: BRIEF_RETRY })
      clients.add(kafka)
      const fetcher = createFetcher({ kafka, patienceMs: PATIENCE_MS })
      try {
        return await lastPublished(fetcher, places, { progressed })
      } finally {
        await fetcher.close()
        hangUp(kafka)
        clients.delete(kafka)
      }
    },
    async close() {
      for (const client of clients) hangUp(client)
    },
  }
}
