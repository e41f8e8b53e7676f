// One writer of a range: making it fences its predecessor, and its first failure is its end.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { TouchstoneError } from '../../errors.ts'
import type { Logger } from '../../telemetry.ts'
import type { FencedWriter, OutboxRecord } from '../../pipeline/publishing/ports.ts'
import { BRIEF_RETRY, createKafka, hangUp } from './client.ts'
import type { KafkaConnection } from './connection.ts'
import { explained, isTooLarge, rootOf, typeOf } from './errors.ts'
import { publishedMessage, sizeOf } from './fenced-records.ts'
import { clusterOf, refusedIn } from './internals.ts'
import { createTransactions, type PartitionBatch } from './transactions.ts'

/**
 * The brokers abort a transaction of a writer that is gone after this; a successor's fence aborts it at once. Readers of
 * committed records wait for it, so it is short, but longer than an election.
 */
export const TRANSACTION_MS = 10_000
/** Whatever took longer is aborted by then: waiting on would only hold up the recovery. */
const WRITE_MS = 12_000
/** An open transaction of the predecessor is aborted within 0.5 s; a broker that comes back takes about 5 s. */
const FENCE_MS = 15_000
/** A dead broker is not waited for when a writer is thrown away. */
const FAREWELL_MS = 1_000
/** A batch must fit into `max.message.bytes` of its topic, 1 MiB unless somebody set it; a larger record goes alone. */
const BATCH_BYTES = 512 * 1024
/** kafkajs copies what it has with every message of a batch that it adds. */
const BATCH_RECORDS = 500

/** `clients` has the writer's own as long as it may connect. */
export async function openFencedWriter(
  connection: KafkaConnection,
  logger: Logger,
  transactionalId: string,
  clients: Set<Kafka>,
): Promise<FencedWriter> {
  // What is tried again is tried here: nothing of a write ever is.
  const kafka = createKafka(connection, logger, { retry: BRIEF_RETRY, requestTimeoutMs: TRANSACTION_MS })
  clients.add(kafka)
  const cluster = clusterOf(kafka)
  const transactions = createTransactions(cluster, transactionalId, TRANSACTION_MS)
  const close = async (): Promise<void> => {
    const gone = cluster.disconnect().catch(() => undefined)
    await Promise.race([gone, sleep(FAREWELL_MS, undefined, { ref: false })])
    // What still runs behind our back after a limit was reached ends here.
    hangUp(kafka)
    clients.delete(kafka)
  }

  try {
    await inTime(FENCE_MS, 'fence', () => transactions.fence(performance.now() + FENCE_MS))
  } catch (error) {
    await close()
    throw said(error)
  }

  let dead = false
  return {
    async write(records, storeId) {
      if (dead) throw new Error('a writer that failed is not used again')
      try {
        await inTime(WRITE_MS, 'write', () => transactions.write(batchesOf(records, storeId)))
      } catch (error) {
        // Nobody knows what the brokers have of it.
        dead = true
        throw said(isTooLarge(error) ? tooSmall(error, records) : error)
      }
    },
    async close() {
      dead = true
      await close()
    },
  }
}

/** Whoever made the topic must mend it: nothing of the range goes past it, and it goes on by itself then. */
function tooSmall(error: unknown, records: readonly OutboxRecord[]): TouchstoneError {
  const refused = refusedIn(rootOf(error)).map((place) => {
    const rows = records.filter((row) => row.topic === place.topic && row.partition === place.partition)
    const largest = Math.max(0, ...batchesOf(rows, '').map((batch) => batch.bytes))
    return `${place.topic}[${place.partition}] does not take a batch of up to ${largest} bytes`
  })
  return new TouchstoneError(
    'topics-wrong',
    `${refused.join(', ')}: its max.message.bytes is smaller than \`touchstone topics\` makes it`,
    { cause: error },
  )
}

/** In order per place, as large as a topic takes them. */
function batchesOf(records: readonly OutboxRecord[], storeId: string): PartitionBatch[] {
  return [...Map.groupBy(records, (row) => `${row.topic}/${row.partition}`).values()].flatMap((rows) =>
    cut(rows).map((some) => ({
      topic: some[0].topic,
      partition: some[0].partition,
      messages: some.map((row) => publishedMessage(row, storeId)),
      bytes: some.reduce((sum, row) => sum + sizeOf(row), 0),
    })),
  )
}

function cut(rows: readonly OutboxRecord[]): [OutboxRecord, ...OutboxRecord[]][] {
  const batches: [OutboxRecord, ...OutboxRecord[]][] = []
  let room = 0
  for (const row of rows) {
    const size = sizeOf(row)
    const last = batches.at(-1)
    if (last === undefined || size > room || last.length >= BATCH_RECORDS) {
      batches.push([row])
      room = BATCH_BYTES - size
    } else {
      last.push(row)
      room -= size
    }
  }
  return batches
}

function said(error: unknown): unknown {
  const type = typeOf(error)
  if (type === 'INVALID_PRODUCER_EPOCH' || type === 'PRODUCER_FENCED')
    return new Error('fenced: another process publishes this range by now, or the transaction took too long', {
      cause: error,
    })
  if (type !== 'INVALID_TRANSACTION_TIMEOUT') return explained(error)
  return new TouchstoneError(
    'transactions-refused',
    `The brokers do not allow transactions of ${TRANSACTION_MS} ms (transaction.max.timeout.ms)`,
    { cause: error },
  )
}

async function inTime<T>(ms: number, what: string, work: () => Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = async (): Promise<never> => {
    await sleep(ms, undefined, { signal: over.signal })
    throw new TouchstoneError('log-unavailable', `The brokers did not end a ${what} within ${ms / 1_000} s`)
  }
  try {
    return await Promise.race([work(), late()])
  } finally {
    over.abort()
  }
}
