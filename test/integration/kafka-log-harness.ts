// A log on real Kafka brokers, and what the tests must be able to do to it.
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { createKafka } from '../../src/adapters/kafka-log/client.ts'
import type { KafkaConnection } from '../../src/adapters/kafka-log/connection.ts'
import { createKafkaLog } from '../../src/adapters/kafka-log/kafka-log.ts'
import type { LogHarness } from '../contracts/log.ts'

export interface KafkaLogHarness extends LogHarness {
  readonly connection: KafkaConnection
  readonly logger: pino.Logger
  /** Appends to one partition in transactions of the given sizes, one after the other, until all are marked; a negative size is aborted. */
  transact(topic: string, partition: number, sizes: readonly number[]): Promise<void>
  /** What the group committed to Kafka, by partition. */
  committed(group: string, topic: string): Promise<Map<number, bigint>>
  commit(group: string, topic: string, offsets: ReadonlyMap<number, bigint>): Promise<void>
  addPartitions(topic: string, count: number): Promise<void>
  deleteTopic(topic: string): Promise<void>
}

// Short, so that the tests of killed members do not wait long; the brokers of the tests take half a second and more.
const SESSION_MS = 1_000
// After each commit the next transaction is refused for some milliseconds.
const QUICK_RETRY = { initialRetryTime: 3, maxRetryTime: 300, retries: 30 }

export async function startKafkaLog(brokers: readonly string[]): Promise<KafkaLogHarness> {
  const connection = { brokers, clientId: 'touchstone-tests' }
  const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' })
  const kafka = createKafka(connection, logger)
  const admin = kafka.admin()
  await admin.connect()
  const producer = createKafka(connection, logger, { retry: QUICK_RETRY }).producer({
    transactionalId: `tests-${crypto.randomUUID()}`,
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: () => () => 0,
  })
  await producer.connect()

  const harness: KafkaLogHarness = {
    connection,
    logger,
    leaseMs: SESSION_MS,
    process: {
      module: new URL('kafka-log-process.ts', import.meta.url).href,
      argument: JSON.stringify({ connection, sessionTimeoutMs: SESSION_MS }),
    },
    open: async () => createKafkaLog({ connection, logger, sessionTimeoutMs: SESSION_MS }),
    async transact(topic, partition, sizes) {
      let sent = 0
      const end = async () =>
        BigInt((await admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition)?.high ?? 0)
      const before = await end()
      for (const size of sizes) {
        const transaction = await producer.transaction()
        const messages = Array.from({ length: Math.abs(size) }, () => ({
          partition,
          key: 'transacted',
          value: `${size < 0 ? 'aborted' : 'committed'}-${(sent += 1)}`,
        }))
        await transaction.send({ topic, messages })
        await (size < 0 ? transaction.abort() : transaction.commit())
      }
      // The broker answers before it has written the mark: who asked for the end now would be told of an earlier one.
      const marked = before + sizes.reduce((sum, size) => sum + BigInt(Math.abs(size)) + 1n, 0n)
      while ((await end()) < marked) await sleep(5)
    },
    // Two records that are aborted, and the control record that says so.
    leaveHole: async (topic, partition) => harness.transact(topic, partition, [-2]),
    async expire(topic, partition, before) {
      // kafkajs does not find the leader of a topic that this client never asked about.
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: before.toString() }] })
    },
    async committed(group, topic) {
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      return new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)]))
    },
    async commit(group, topic, offsets) {
      // `admin.setOffsets` takes five seconds: it waits for records that never come.
      // Should its leaving get lost, the group waits a second for it and not half a minute.
      let over = false
      const consumer = kafka.consumer({
        groupId: group,
        maxWaitTimeInMs: 10,
        // A fetch that fails because we leave makes kafkajs begin anew, and join again for good.
        retry: { restartOnFailure: async () => !over },
        sessionTimeout: SESSION_MS,
        heartbeatInterval: SESSION_MS / 5,
      })
      await consumer.connect()
      await consumer.subscribe({ topic })
      const joined = new Promise<void>((resolve) => void consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
      await consumer.run({ autoCommit: false, eachMessage: async () => undefined })
      await joined
      await consumer.commitOffsets(
        [...offsets].map(([partition, offset]) => ({ topic, partition, offset: offset.toString() })),
      )
      over = true
      await consumer.disconnect()
    },
    async addPartitions(topic, count) {
      await admin.createPartitions({ topicPartitions: [{ topic, count }] })
    },
    async deleteTopic(topic) {
      await admin.deleteTopics({ topics: [topic] })
    },
    async close() {
      await producer.disconnect()
      await admin.disconnect()
    },
  }
  return harness
}
