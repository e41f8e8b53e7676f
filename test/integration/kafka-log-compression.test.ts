// Real: Kafka, its own Java client as producer, and the log that reads what it compressed.
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createKafkaLog } from '../../src/adapters/kafka-log/kafka-log.ts'
import { text } from '../contracts/log-support.ts'
import { produceWithJava, type JavaRecord } from '../support/kafka/java.ts'
import { freshTopic, javaOrSkip, kafkaOrSkip } from '../support/kafka/kafka.ts'

const brokers = kafkaOrSkip() ?? []
// Below the size of the large values: they only fit when they are compressed.
const LIMIT = 300_000

describe.runIf(brokers.length > 0 && javaOrSkip())('what the Java client compressed', () => {
  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s comes back untouched', async (compression) => {
    const topic = await freshTopic(brokers, { settings: { 'max.message.bytes': String(LIMIT) } })
    const records = recordsOf()
    await produceWithJava({ brokers, topic, compression, records })
    const log = createKafkaLog({ connection: { brokers, clientId: 'test' }, logger: pino({ level: 'silent' }) })
    onTestFinished(async () => log.close())
    const back = await log.read(topic, 0, 0n, 1_000)
    expect(back.map((one) => Number(one.offset))).toEqual(records.map((_, i) => i))
    for (const [i, record] of records.entries()) {
      const got = back[i]
      // Not by toEqual: it would compare megabytes byte by byte.
      expect(same(got?.key, record.key) && same(got?.value, record.value), `record ${i}`).toBe(true)
    }
    const headers = back[2]?.headers ?? {}
    expect(Object.keys(headers)).toEqual(['twice', 'none', 'constructor'])
    expect(headers['twice']).toEqual([Buffer.from('1'), Buffer.from('2')])
    expect([headers['none'], headers['constructor']]).toEqual([null, Buffer.from('c')])
  })
})

/** Small ones that share a batch, large ones of many blocks that repeat at all distances, and some that cannot be packed. */
function recordsOf(): JavaRecord[] {
  const phrase = 'a listing with a title that says little and a description that says the same again; '
  const long = (n: number) => text(Array.from({ length: n }, (_, i) => `${i % 977} ${phrase}`).join(''))
  const noise = new Uint8Array(70_000)
  for (let i = 0, x = 1; i < noise.length; i += 1) noise[i] = (x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0) >>> 24
  return [
    { key: text('k'), value: text('{"a":1}') },
    { key: null, value: null },
    {
      key: text('headers'),
      value: text(''),
      headers: [
        ['twice', text('1')],
        ['none', null],
        ['twice', text('2')],
        ['constructor', text('c')],
      ],
    },
    ...Array.from({ length: 200 }, (_, i) => ({ key: text(`key-${i}`), value: text(`${i} ${phrase}`) })),
    { key: text('large'), value: long(15_000) },
    { key: text('noise'), value: noise },
    { key: text('both'), value: Buffer.concat([noise, long(5_000), noise]) },
  ]
}

const same = (a: Uint8Array | null | undefined, b: Uint8Array | null): boolean =>
  a === b || (a !== null && a !== undefined && b !== null && Buffer.compare(a, b) === 0)
