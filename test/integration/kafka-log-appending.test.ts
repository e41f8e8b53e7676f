// Real: Kafka, and the log on it; between them, where it says so, a wire that loses the one answer that the test names.
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createKafka } from '../../src/adapters/kafka-log/client.ts'
import { createKafkaLog, type KafkaLogOptions } from '../../src/adapters/kafka-log/kafka-log.ts'
import { createWriter } from '../../src/adapters/kafka-log/producing.ts'
import { messageOf } from '../../src/adapters/kafka-log/records.ts'
import type { Log, NewRecord } from '../../src/pipeline/log/ports.ts'
import { record, string, text } from '../contracts/log-support.ts'
import { startCluster } from '../support/kafka/broker.ts'
import { partitionsOf } from '../support/kafka/frames.ts'
import { freshTopic, kafkaOrSkip, ownBrokersOrSkip, uniqueName } from '../support/kafka/kafka.ts'
import { startProxy, type KafkaProxy } from '../support/kafka/proxy.ts'

const brokers = kafkaOrSkip()
const logger = pino({ level: 'silent' })

function open(at: readonly string[], more: Partial<KafkaLogOptions> = {}): Log {
  const log = createKafkaLog({ connection: { brokers: at, clientId: 'test' }, logger, ...more })
  onTestFinished(async () => log.close())
  return log
}

const values = async (log: Log, topic: string, partition: number): Promise<(string | null)[]> =>
  (await log.read(topic, partition, 0n, 1_000)).map((one) => string(one.value))

describe.runIf(ownBrokersOrSkip())('an answer that is lost', () => {
  let wire: { readonly proxy: KafkaProxy; readonly address: string }
  let end = async (): Promise<void> => undefined
  beforeAll(async () => {
    const proxy = await startProxy()
    const cluster = await startCluster({ advertise: [proxy.address] })
    proxy.target(cluster.behind[0] ?? '')
    wire = { proxy, address: proxy.address }
    end = async () => void (await Promise.all([proxy.close(), cluster.stop()]))
  })
  afterAll(async () => end())

  test('nothing is lost and the order per key stays, whether the broker had written it or not', async () => {
    const { proxy, address } = wire
    const log = open([address])
    const topic = uniqueName('lost')
    await log.ensureTopic(topic, { partitions: 2, retentionHours: 1 })
    await log.append(topic, [record('a', 'first')])
    const appended: bigint[] = []
    for (let i = 0; i < 12; i += 1) {
      const fault =
        i % 3 === 0 ? proxy.next('Produce').dropAnswer() : i % 3 === 1 ? proxy.next('Produce').dropRequest() : undefined
      const [one] = await log.append(topic, [record('a', `a${i}`)])
      await fault
      appended.push(one?.offset ?? -1n)
    }
    const ranges = await log.ranges(topic)
    const partition = ranges.find(({ high }) => high > 0n)?.partition ?? 0
    const seen = (await values(log, topic, partition)).slice(1)
    // A try again may write twice; what counts is the first of each, and that no batch behind it was swallowed as a repeat.
    expect([...new Set(seen)]).toEqual(Array.from({ length: 12 }, (_, i) => `a${i}`))
    expect(appended).toEqual([...appended].sort((a, b) => (a < b ? -1 : 1)))
    for (const [i, offset] of appended.entries())
      expect(string((await log.read(topic, partition, offset, 1))[0]?.value ?? null)).toBe(`a${i}`)
  })

  test('a producer whose send failed never sends again: it would be told that the next batch is written, and it is not', async () => {
    const { proxy, address } = wire
    const log = open([address])
    const topic = uniqueName('failed')
    await log.ensureTopic(topic, { partitions: 1, retentionHours: 1 })
    const retry = { initialRetryTime: 10, maxRetryTime: 10, retries: 1 }
    const writer = createWriter(createKafka({ brokers: [address], clientId: 'test' }, logger, { retry }))
    onTestFinished(async () => writer.close())
    const write = async (value: string, ms: number) =>
      writer.write(topic, 0, [messageOf(record('k', value), 0)], performance.now() + ms)

    let over = false
    const storm = (async () => {
      while (!over) await proxy.next('Produce').dropAnswer()
    })()
    // It is written, but every answer is lost, and the time is over before one comes through.
    await expect(write('unknown', 700)).rejects.toMatchObject({ code: 'log-unavailable' })
    over = true
    const offset = await write('after', 10_000)
    await storm
    const seen = await values(log, topic, 0)
    // The last try of what was given up may be on its way yet: it comes before or after, never instead.
    expect(seen[0]).toBe('unknown')
    expect(seen.filter((value) => value === 'after')).not.toEqual([])
    expect(string((await log.read(topic, 0, offset, 1))[0]?.value ?? null)).toBe('after')
  })

  test('a request is for one partition, whatever an append is for', async () => {
    const { proxy, address } = wire
    const log = open([address])
    const topic = uniqueName('single')
    await log.ensureTopic(topic, { partitions: 3, retentionHours: 1 })
    const requests = [1, 2, 3].map(async (nth) => proxy.next('Produce', nth).arrived())
    const keys = Array.from({ length: 60 }, (_, i) => record(`key-${i}`, 'x'))
    const appended = await log.append(topic, keys)
    expect(new Set(appended.map((one) => one.partition)).size).toBe(3)
    expect((await Promise.all(requests)).map(partitionsOf)).toEqual([1, 1, 1])
  })

  test('what waits for an answer shows, and while one partition waits others are written', async () => {
    const { proxy, address } = wire
    const log = open([address])
    const topic = uniqueName('waiting')
    await log.ensureTopic(topic, { partitions: 4, retentionHours: 1 })
    const keys = new Map<number, string>()
    for (let i = 0; keys.size < 4; i += 1) {
      const [one] = await log.append(topic, [record(`key-${i}`, 'warm')])
      if (one !== undefined) keys.set(one.partition, `key-${i}`)
    }
    const [slow = '', ...others] = keys.values()
    const held = proxy.next('Produce').holdAnswer()
    const waiting = log.append(topic, [record(slow, 'slow')])
    const { release } = await held
    await Promise.all(others.map(async (key) => log.append(topic, [record(key, 'fast')])))
    expect(log.appendWaitMs()).toBeGreaterThan(0)
    release()
    await waiting
    expect(log.appendWaitMs()).toBe(0)
  })
})

describe.runIf(brokers !== undefined)('what a topic takes', () => {
  const at = brokers ?? []
  const large = (bytes: number): NewRecord => ({ key: text('k'), value: new Uint8Array(bytes).fill(7), headers: {} })

  test('a record that is too large is refused and hurts none that is sent with it', async () => {
    const log = open(at)
    const topic = uniqueName('large')
    await log.ensureTopic(topic, { partitions: 1, retentionHours: 1, maxRecordBytes: 2 << 20 })
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 8 }, async (_, i) => log.append(topic, [record('k', `before ${i}`)])),
      log.append(topic, [large((2 << 20) + 2_000)]),
      ...Array.from({ length: 8 }, async (_, i) => log.append(topic, [record('k', `after ${i}`)])),
      log.append(topic, [large((2 << 20) - 1_000)]),
    ])
    const refused = outcomes.filter((one) => one.status === 'rejected')
    expect(refused.map((one) => one.reason as unknown)).toMatchObject([{ code: 'too-large' }])
    expect(outcomes[8]?.status).toBe('rejected')
    const back = await log.read(topic, 0, 0n, 100)
    expect(back.slice(0, 16).map((one) => string(one.value))).toEqual([
      ...Array.from({ length: 8 }, (_, i) => `before ${i}`),
      ...Array.from({ length: 8 }, (_, i) => `after ${i}`),
    ])
    expect(back.map((one) => one.value?.length).at(-1)).toBe((2 << 20) - 1_000)
  })

  test('records that are each small enough are written although together they are larger than a batch may be', async () => {
    const log = open(at)
    const topic = await freshTopic(at, { settings: { 'max.message.bytes': '60000' } })
    const appended = await log.append(
      topic,
      Array.from({ length: 40 }, () => large(20_000)),
    )
    expect(appended.map((one) => one.offset)).toEqual(Array.from({ length: 40 }, (_, i) => BigInt(i)))
    expect((await log.read(topic, 0, 0n, 100)).map((one) => one.value?.length)).toEqual(new Array(40).fill(20_000))
  })
})

describe.runIf(brokers !== undefined)('brokers that are not there', () => {
  test('an append is given up in time and says so, and the log closes all the same', async () => {
    const log = open(['127.0.0.1:1'], { appendTimeoutMs: 500 })
    const began = performance.now()
    await expect(log.backlog('t', 'g', new Map())).rejects.toMatchObject({ code: 'log-unavailable' })
    expect(performance.now() - began).toBeLessThan(8_000)
    await log.close()
    await expect(log.append('t', [record('k', 'v')])).rejects.toMatchObject({ code: 'not-ready' })
  })
})
