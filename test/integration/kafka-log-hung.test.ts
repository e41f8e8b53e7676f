// Real: a Kafka of our own, and beside it what takes connections and never says a word, as a broker that swaps or is frozen.
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createFencedLog } from '../../src/adapters/kafka-log/fenced-log.ts'
import { createKafkaLog } from '../../src/adapters/kafka-log/kafka-log.ts'
import { client, createLedger, follow, record, topicOf } from '../contracts/log-support.ts'
import { kafkaOrSkip } from '../support/kafka/kafka.ts'
import { startKafkaLog, type KafkaLogHarness } from './kafka-log-harness.ts'

const brokers = kafkaOrSkip() ?? []
let harness: KafkaLogHarness
beforeAll(async () => {
  if (brokers.length > 0) harness = await startKafkaLog(brokers)
})
afterAll(async () => harness?.close())

async function mute(): Promise<string> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => void sockets.add(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`
}

describe.runIf(brokers.length > 0)('a broker that takes connections and says nothing', () => {
  test('costs seconds where it is named beside others: everything is read, appended and published by them', async () => {
    const direct = await client(harness)
    const topic = await topicOf(direct, 1)
    await direct.append(topic, [record('k', 'before')])
    // Each client begins with another one of the list: in two turns all kinds of them meet it.
    const connection = { brokers: [await mute(), ...brokers.slice(0, 1)], clientId: 'test' }
    const { logger } = harness
    for (let turn = 0; turn < connection.brokers.length; turn += 1) {
      const log = createKafkaLog({ connection, logger, sessionTimeoutMs: 1_000 })
      onTestFinished(async () => log.close())
      const ledger = createLedger()
      const subscription = follow(log, { topic, group: crypto.randomUUID() }, ledger)
      await Promise.race([ledger.until(() => ledger.values().length > turn), subscription.done])
      await log.append(topic, [record('k', `turn ${turn}`)])
      await log.backlog(topic, 'nobody', new Map(), 15_000)
    }
    const fenced = createFencedLog({ connection, logger, prefix: topic })
    onTestFinished(async () => fenced.close())
    for (let turn = 0; turn < connection.brokers.length; turn += 1) {
      const writer = await fenced.fence('0')
      expect(await fenced.lastPublished([{ topic, partition: 0 }])).toHaveLength(1)
      await writer.close()
    }
  }, 120_000)
})
