// Real: the Kafka of the run, a producer of kafkajs that compresses, and the log. A batch that unpacks to more than is read stops loudly, at its place.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import kafkajs, { CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { client, createLedger, follow, groupOf, string, topicOf } from '../contracts/log-support.ts'
import { kafkaOrSkip } from '../support/kafka/kafka.ts'
import { startKafkaLog, type KafkaLogHarness } from './kafka-log-harness.ts'

const brokers = kafkaOrSkip() ?? []
let harness: KafkaLogHarness
beforeAll(async () => {
  if (brokers.length > 0) harness = await startKafkaLog(brokers)
})
afterAll(async () => harness?.close())

// Above the 128 MiB that a batch may unpack to; a few hundred KiB as the broker gets it.
const BOMB = Buffer.alloc(140 * 1024 * 1024, ' ')

describe.runIf(brokers.length > 0)('a batch that cannot be read', () => {
  test('stops the reading by its place when everything before it is committed; behind it reading goes on', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 2)
    const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    // The log's own codecs write nothing; they stay what they are for reading.
    const { CompressionCodecs: codecs } = kafkajs
    const reading = codecs[CompressionTypes.GZIP] as () => object
    codecs[CompressionTypes.GZIP] = () => ({
      ...reading(),
      compress: async ({ buffer }: { buffer: Buffer }) => promisify(gzip)(buffer),
    })
    onTestFinished(async () => producer.disconnect())
    const send = async (partition: number, value: string | Buffer, compression = CompressionTypes.None) =>
      producer.send({ topic, compression, messages: [{ partition, value }] })
    await send(0, 'a1')
    await send(0, 'a2')
    await send(0, BOMB, CompressionTypes.GZIP)
    codecs[CompressionTypes.GZIP] = reading
    await send(0, 'b1')
    await send(1, 'c1')

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
    const ahead = await log.backlog(topic, groupOf(topic), new Map([[0, 2n]]))
    expect(ahead[0]).toMatchObject({ records: 2, unreadable: { next: 3n, reason: refusal.message } })
    expect(ahead[0]?.seconds).toBeGreaterThan(0)
    expect(ahead[1]).not.toHaveProperty('unreadable')
    expect((await log.read(topic, 0, 3n, 10)).map(({ value }) => string(value))).toEqual(['b1'])
  })
})
