// Real: the Kafka of the run. What transactions that were aborted leave in the log is read by nobody.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createKafka, hangUp } from '../../src/adapters/kafka-log/client.ts'
import { client, createLedger, eventually, follow, record, topicOf } from '../contracts/log-support.ts'
import { kafkaOrSkip } from '../support/kafka/kafka.ts'
import { startKafkaLog, type KafkaLogHarness } from './kafka-log-harness.ts'

const brokers = kafkaOrSkip() ?? []
let harness: KafkaLogHarness
beforeAll(async () => {
  if (brokers.length > 0) harness = await startKafkaLog(brokers)
})
afterAll(async () => harness?.close())

describe.runIf(brokers.length > 0)('aborted transactions', () => {
  test('nothing of aborted transactions that lie in each other is read, nor of those whose keys look like the end of one', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 1)
    const kafka = createKafka(harness.connection, harness.logger, { retry: { initialRetryTime: 3, retries: 30 } })
    onTestFinished(() => hangUp(kafka))
    const begin = async () => {
      const producer = kafka.producer({ transactionalId: crypto.randomUUID(), maxInFlightRequests: 1 })
      await producer.connect()
      return producer.transaction()
    }
    const [outer, inner] = [await begin(), await begin()]
    const send = async (transaction: typeof outer, value: string, key: Buffer | null = null) =>
      transaction.send({ topic, messages: [{ partition: 0, key, value }] })
    await send(outer, 'aborted 1', Buffer.alloc(4))
    await send(inner, 'aborted 2', Buffer.alloc(4))
    await send(inner, 'aborted 3')
    await send(outer, 'aborted 4')
    // Who ended first is told first.
    await inner.abort()
    await outer.abort()
    await log.append(topic, [record('key', 'committed')])
    await eventually(async () => (await log.read(topic, 0, 0n, 10)).length > 0)
    for (const from of [0n, 1n, 2n])
      expect((await log.read(topic, 0, from, 10)).map(({ value }) => String(value))).toEqual(['committed'])
    const ledger = createLedger()
    follow(log, { topic }, ledger)
    await ledger.until(() => ledger.values().includes('committed'))
    expect(ledger.values()).toEqual(['committed'])
  })
})
