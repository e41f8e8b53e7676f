// One transactional producer of a range: making it fences its predecessor, and its first failure is its end.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import type { Kafka, Message, Producer, Transaction } from 'kafkajs'
import { TouchstoneError } from '../../errors.ts'
import type { Logger } from '../../telemetry.ts'
import type { FencedWriter, OutboxRecord } from '../../pipeline/publishing/ports.ts'
import { createKafka, hangUp, TRANSACTION_RETRY } from './client.ts'
import type { KafkaConnection } from './connection.ts'
import { explained, isTooLarge, typeOf } from './errors.ts'
import { publishedMessage, sizeOf } from './fenced-records.ts'

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
  const kafka = createKafka(connection, logger, { retry: TRANSACTION_RETRY, requestTimeoutMs: TRANSACTION_MS })
  clients.add(kafka)
  const producer = kafka.producer({
    transactionalId,
    transactionTimeout: TRANSACTION_MS,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  const close = async (): Promise<void> => {
    const gone = producer.disconnect().catch(() => undefined)
    await Promise.race([gone, sleep(FAREWELL_MS, undefined, { ref: false })])
    // What still runs behind our back after a limit was reached ends here.
    hangUp(kafka)
    clients.delete(kafka)
  }

  try {
    await inTime(FENCE_MS, 'fence', async () => {
      await producer.connect()
      // Connecting fences nobody; the first transaction does, and waits until the predecessor's is aborted or complete.
      const first = await producer.transaction()
      await first.abort()
    })
  } catch (error) {
    await close()
    throw said(error)
  }

  let dead = false
  return {
    async write(records, storeId) {
      if (dead) throw new Error('a writer that failed is not used again')
      try {
        await inTime(WRITE_MS, 'write', () => writeAll(producer, records, storeId))
      } catch (error) {
        // After a failed send kafkajs counts on as if nothing had been written; after a failed commit it is stuck.
        dead = true
        throw said(error)
      }
    },
    async close() {
      dead = true
      await close()
    },
  }
}

async function writeAll(producer: Producer, records: readonly OutboxRecord[], storeId: string): Promise<void> {
  const transaction = await producer.transaction()
  const places = [...Map.groupBy(records, (row) => `${row.topic}/${row.partition}`).values()]
  const sends = places.map((rows) => sendInOrder(transaction, rows, storeId))
  // All must have ended, well or not, before anybody may think that nothing is under way any more.
  const results = await Promise.allSettled(sends)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  await transaction.commit()
}

/** One partition a send: of several, kafkajs forgets those whose leader moves meanwhile, and says that all is well. */
async function sendInOrder(transaction: Transaction, rows: readonly OutboxRecord[], storeId: string): Promise<void> {
  for (const batch of batchesOf(rows)) {
    const [first] = batch
    if (first === undefined) continue
    const messages: Message[] = batch.map((row) => publishedMessage(row, storeId))
    const sent = transaction.send({ topic: first.topic, acks: -1, messages })
    const answers = await sent.catch((error: unknown) => {
      throw isTooLarge(error) ? tooSmall(first, batch) : error
    })
    const [answer] = answers
    if (answers.length !== 1 || answer?.partition !== first.partition || answer.errorCode !== 0) {
      throw new TouchstoneError(
        'log-unavailable',
        `Kafka did not confirm what was sent to ${first.topic}[${first.partition}]`,
      )
    }
  }
}

/** Whoever made the topic must mend it: nothing of the range goes past it, and it goes on by itself then. */
function tooSmall({ topic, partition }: OutboxRecord, batch: readonly OutboxRecord[]): TouchstoneError {
  const bytes = batch.reduce((sum, row) => sum + sizeOf(row), 0)
  const what = batch.length === 1 ? 'a record' : `${batch.length} records`
  return new TouchstoneError(
    'topics-wrong',
    `${topic}[${partition}] does not take ${what} of ${bytes} bytes: its max.message.bytes is smaller than \`touchstone topics\` makes it`,
  )
}

function batchesOf(rows: readonly OutboxRecord[]): OutboxRecord[][] {
  const batches: OutboxRecord[][] = []
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
