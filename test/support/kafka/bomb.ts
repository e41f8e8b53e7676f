// A batch that no reader of ours unpacks, as a stranger may write it: small in the log, and larger in memory than is allowed.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import kafkajs, { CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs'

// Above the 128 MiB that a batch may unpack to; a few hundred KiB as the broker gets it.
const BOMB = Buffer.alloc(140 * 1024 * 1024, ' ')

/** One record in a batch of its own: outside of transactions, or in one that ends as is told. */
export async function sendBomb(
  brokers: readonly string[],
  place: { readonly topic: string; readonly partition: number },
  ended?: 'commit' | 'abort',
): Promise<void> {
  const { topic, partition } = place
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const createPartitioner = Partitioners.DefaultPartitioner
  const producer = kafka.producer(
    ended === undefined
      ? { createPartitioner }
      : { createPartitioner, transactionalId: crypto.randomUUID(), maxInFlightRequests: 1 },
  )
  await producer.connect()
  const { CompressionCodecs: codecs } = kafkajs
  const before = codecs[CompressionTypes.GZIP]
  // The log's own codecs write nothing; reading asks for none of these meanwhile.
  codecs[CompressionTypes.GZIP] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => promisify(gzip)(buffer, { level: 1 }),
    decompress: async () => Promise.reject(new Error('Nobody reads here')),
  })
  try {
    const transaction = ended === undefined ? undefined : await producer.transaction()
    await (transaction ?? producer).send({
      topic,
      compression: CompressionTypes.GZIP,
      messages: [{ partition, value: BOMB }],
    })
    if (ended !== undefined) await transaction?.[ended]()
  } finally {
    if (before !== undefined) codecs[CompressionTypes.GZIP] = before
    await producer.disconnect()
  }
}
