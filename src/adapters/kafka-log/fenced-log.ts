// Publishing to Kafka so that one writer a range is the only one: its transactional id fences all before it.
import type { FencedLog } from '../../pipeline/publishing/ports.ts'
import type { Logger } from '../../telemetry.ts'
import { BRIEF_RETRY, createKafka } from './client.ts'
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
  const fetcher = createFetcher({
    kafka: createKafka(connection, logger, { retry: BRIEF_RETRY }),
    patienceMs: PATIENCE_MS,
  })
  return {
    fence: (range) => openFencedWriter(connection, logger, `${prefix}-publisher-${range}`),
    lastPublished: (places) => lastPublished(fetcher, places),
    close: () => fetcher.close(),
  }
}
