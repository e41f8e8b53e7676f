// The wire on which tests lose and hold single answers, between a real broker and a real client.
import { Kafka, logLevel, type KafkaConfig, type Producer } from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startCluster, type KafkaCluster } from '../support/kafka/broker.ts'
import { freshTopic, ownBrokersOrSkip, withAdmin } from '../support/kafka/kafka.ts'
import { startProxy, type KafkaProxy } from '../support/kafka/proxy.ts'

describe.runIf(ownBrokersOrSkip())('a wire to a broker', () => {
  let cluster: KafkaCluster
  let proxy: KafkaProxy
  let topic: string
  const open: Producer[] = []

  beforeAll(async () => {
    proxy = await startProxy()
    cluster = await startCluster({ advertise: [proxy.address] })
    proxy.target(cluster.behind[0] ?? '')
    topic = await freshTopic(cluster.brokers)
  })
  afterEach(async () => {
    proxy.restore()
    await Promise.all(open.splice(0).map((producer) => producer.disconnect()))
  })
  afterAll(async () => {
    await proxy.close()
    await cluster.stop()
  })

  /** One that says at once what went wrong, unless told to try again. */
  async function producer(retries = 0, more: { transactionalId?: string } = {}): Promise<Producer> {
    const config: KafkaConfig = { brokers: [proxy.address], clientId: 'behind', logLevel: logLevel.NOTHING }
    const kafka = new Kafka({ ...config, retry: { retries, initialRetryTime: 20, maxRetryTime: 100 } })
    const one = kafka.producer({ maxInFlightRequests: 1, ...more })
    await one.connect()
    open.push(one)
    return one
  }
  const send = (one: Pick<Producer, 'send'>, value: string) =>
    one.send({ topic, acks: -1, messages: [{ partition: 0, value }] })
  /** One past the last record, asked past the proxy. */
  const high = () =>
    withAdmin(cluster.brokers, async (admin) => Number((await admin.fetchTopicOffsets(topic))[0]?.high))

  test('loses an answer: the broker has the record and its sender knows nothing', async () => {
    const before = await high()
    const one = await producer()
    await send(one, 'first')
    const lost = proxy.next('Produce').dropAnswer()
    await expect(send(one, 'second')).rejects.toThrow('Closed connection')
    expect((await lost).clientId).toBe('behind')
    expect(await high()).toBe(before + 2)
  })

  test('loses a request: the broker never had it', async () => {
    const before = await high()
    const one = await producer()
    const lost = proxy.next('Produce').dropRequest()
    await expect(send(one, 'never')).rejects.toThrow('Closed connection')
    await lost
    expect(await high()).toBe(before)
  })

  test('loses the answer of a commit that has happened', async () => {
    const before = await high()
    const one = await producer(5, { transactionalId: 'commits' })
    const transaction = await one.transaction()
    await send(transaction, 'committed')
    const lost = proxy.next('EndTxn').dropAnswer()
    await transaction.commit().catch(() => undefined)
    await lost
    // The record, and the mark of the commit after it.
    await expect.poll(high).toBe(before + 2)
  })

  test('holds an answer until told, and counts from the one it is asked for', async () => {
    const before = await high()
    const one = await producer()
    const holding = proxy.next('Produce', 2).holdAnswer()
    await send(one, 'passes')
    let resolved = false
    const held = send(one, 'held').then(() => (resolved = true))
    const answer = await holding
    expect(await high()).toBe(before + 2)
    expect(resolved).toBe(false)
    answer.release()
    await held
    expect(proxy.count('Produce')).toBeGreaterThanOrEqual(2)
  })

  test('a held answer can be lost after all', async () => {
    const one = await producer()
    const holding = proxy.next('Produce').holdAnswer()
    const sending = send(one, 'held and lost')
    sending.catch(() => undefined)
    ;(await holding).drop()
    await expect(sending).rejects.toThrow('Closed connection')
  })

  test('delays an answer', async () => {
    const one = await producer()
    const late = proxy.next('Produce').delayAnswer(300)
    const began = performance.now()
    await send(one, 'late')
    await late
    expect(performance.now() - began).toBeGreaterThan(290)
  })

  test('says something else than the broker, who did it', async () => {
    const one = await producer()
    const before = await high()
    // Of one partition the answer ends with error, offset, time and first offset, and the time that is to be waited.
    const altered = proxy
      .next('Produce')
      .alterAnswer((frame) => void frame.writeInt16BE(6, frame.length - 4 - 8 - 8 - 8 - 2))
    await expect(send(one, 'altered')).rejects.toThrow(/leader|retries/i)
    await altered
    expect(await high()).toBe(before + 1)
  })

  test('picks by client, and tells when a request arrived', async () => {
    const one = await producer()
    const nobody = proxy.next('Produce', 1, ({ clientId }) => clientId === 'somebody else').arrived()
    const mine = proxy.next('Produce', 1, ({ clientId }) => clientId === 'behind').arrived()
    await send(one, 'mine')
    expect((await mine).apiKey).toBe(0)
    expect(await Promise.race([nobody, Promise.resolve('not yet')])).toBe('not yet')
  })

  test('cuts every connection; new ones work', async () => {
    const before = await high()
    const one = await producer(5)
    await send(one, 'before')
    proxy.cut()
    await send(one, 'after')
    expect(await high()).toBe(before + 2)
  })

  test('falls silent, and lets through later what was said meanwhile', async () => {
    const before = await high()
    const one = await producer()
    await send(one, 'before')
    proxy.silence()
    let resolved = false
    const sending = send(one, 'meanwhile').then(() => (resolved = true))
    // Asked on another way, so the broker had its time.
    expect(await high()).toBe(before + 1)
    expect(resolved).toBe(false)
    proxy.restore()
    await sending
    expect(await high()).toBe(before + 2)
  })

  test('lets a record of megabytes through', async () => {
    const big = await freshTopic(cluster.brokers, { settings: { 'max.message.bytes': '8000000' } })
    const one = await producer()
    await one.send({ topic: big, acks: -1, messages: [{ value: Buffer.alloc(6_000_000, 1) }] })
  })
})
