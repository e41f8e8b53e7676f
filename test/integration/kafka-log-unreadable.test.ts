// Real: the Kafka of the run, a producer of kafkajs that compresses, and the log. A batch that unpacks to more than is read stops loudly, at its place.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { client, createLedger, follow, groupOf, record, string, topicOf } from '../contracts/log-support.ts'
import { sendBomb } from '../support/kafka/bomb.ts'
import { kafkaOrSkip } from '../support/kafka/kafka.ts'
import { startKafkaLog, type KafkaLogHarness } from './kafka-log-harness.ts'

const brokers = kafkaOrSkip() ?? []
let harness: KafkaLogHarness
beforeAll(async () => {
  if (brokers.length > 0) harness = await startKafkaLog(brokers)
})
afterAll(async () => harness?.close())

describe.runIf(brokers.length > 0)('a batch that cannot be read', () => {
  test('stops the reading by its place when everything before it is committed; behind it reading goes on', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 2)
    // Keys that fall on 0 and on 1.
    const [zero, one] = ['k3', 'k0'] as const
    for (const value of ['a1', 'a2']) await log.append(topic, [record(zero, value)])
    await sendBomb(brokers, { topic, partition: 0 })
    const appended = await log.append(topic, [record(zero, 'b1'), record(one, 'c1')])
    expect(appended.map(({ partition }) => partition)).toEqual([0, 1])

    const ledger = createLedger()
    const refusal = {
      code: 'log-unreadable',
      message: expect.stringContaining(`The offsets 2 to 2 of ${topic}[0] are one batch that cannot be read: `),
    }
    const first = follow(
      log,
      { topic },
      {
        place: ledger.place,
        // Also what takes long, while the next fetch has long met the batch, and partition 1 in the same answer.
        handle: async (batch, lost) => {
          if (batch.partition === 0) {
            await ledger.until(() => ledger.values(1).length === 1)
            await new Promise((resolve) => setTimeout(resolve, 1_000))
          }
          return lost.aborted ? 'moved' : ledger.handle(batch, lost)
        },
      },
    )
    await expect(first.done).rejects.toMatchObject(refusal)
    expect([ledger.values(0), ledger.values(1)]).toEqual([['a1', 'a2'], ['c1']])

    // Whoever begins at it is told the same, and so is who only asks.
    await expect(follow(log, { topic }, ledger).done).rejects.toMatchObject(refusal)
    await expect(log.read(topic, 0, 2n, 10)).rejects.toMatchObject(refusal)
    const ahead = await log.backlog(topic, groupOf(topic), new Map([[0, 2n]]), 15_000)
    expect(ahead[0]).toMatchObject({ records: 2, unreadable: { next: 3n, reason: refusal.message } })
    expect(ahead[0]?.seconds).toBeGreaterThan(0)
    expect(ahead[1]).not.toHaveProperty('unreadable')
    expect((await log.read(topic, 0, 3n, 10)).map(({ value }) => string(value))).toEqual(['b1'])
  })

  test('stops nobody when its transaction was aborted', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 1)
    await log.append(topic, [record('k', 'before')])
    await sendBomb(brokers, { topic, partition: 0 }, 'abort')
    await log.append(topic, [record('k', 'behind')])
    const ledger = createLedger()
    follow(log, { topic }, ledger)
    await ledger.until(() => ledger.values().length === 2)
    expect(ledger.values()).toEqual(['before', 'behind'])
    expect((await log.read(topic, 0, 1n, 10)).map(({ value }) => string(value))).toEqual(['behind'])
  })
})
