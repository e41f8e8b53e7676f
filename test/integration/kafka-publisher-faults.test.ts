// The publisher over a wire on which one answer of the broker is lost, and over a broker that is killed. PostgreSQL and Kafka are real.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../contracts/store-samples.ts'
import { startCluster, type KafkaCluster } from '../support/kafka/broker.ts'
import { partitionsOf } from '../support/kafka/frames.ts'
import { ownBrokersOrSkip } from '../support/kafka/kafka.ts'
import { startProxy, type KafkaProxy } from '../support/kafka/proxy.ts'
import { publishingWorld, upTo, type Process, type PublishingWorld } from './kafka-publisher-world.ts'

// Kafka's number for it (https://kafka.apache.org/protocol#protocol_error_codes).
const CONCURRENT_TRANSACTIONS = 51
const NOT_LEADER = 6
const TOPIC_AUTHORIZATION_FAILED = 29
const NOT_ATTEMPTED = 55
// From the end of an answer to a produce, version 7: 4 bytes of throttling, and before it the last partition's number (4
// bytes), error (2) and three times 8 bytes.
const LAST_PARTITION = 4 + 30
const LAST_ERROR = 4 + 26
const TALK = ['FindCoordinator', 'AddPartitionsToTxn', 'Produce', 'EndTxn'] as const

describe.runIf(ownBrokersOrSkip())('publishing to Kafka, when the wire or the broker fails', () => {
  let proxy: KafkaProxy
  let cluster: KafkaCluster
  let w: PublishingWorld
  const open: PublishingWorld[] = []
  beforeAll(async () => {
    proxy = await startProxy()
    cluster = await startCluster({ advertise: [proxy.address] })
    proxy.target(cluster.behind[0] ?? '')
  })
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })
  afterAll(async () => {
    await cluster.stop()
    await proxy.close()
  })
  const start = async (): Promise<Process> => {
    w = await publishingWorld([proxy.address], { direct: cluster.brokers })
    open.push(w)
    return w.process('one')
  }
  const visible = async () => (await w.positions()).flat().length

  it('the answer to a commit is lost: it was committed, and nothing is sent twice', async () => {
    const { publishers, drain } = await start()
    await w.commit(w.many('a', 40))
    await drain()
    const before = await visible()
    await w.commit(w.many('b', 40))
    const lost = proxy.next('EndTxn').dropAnswer()
    await expect(publishers[0]?.publish()).rejects.toMatchObject({ code: 'log-unavailable' })
    await lost
    expect(await visible()).toBeGreaterThan(before)
    await drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })

  it('a commit is lost on its way: nothing is seen of it until the next try', async () => {
    const { publishers, drain } = await start()
    await w.commit(w.many('a', 40))
    await drain()
    await w.commit(w.many('b', 40))
    const lost = proxy.next('EndTxn').dropRequest()
    await expect(publishers[0]?.publish()).rejects.toMatchObject({ code: 'log-unavailable' })
    await lost
    expect(await visible()).toBe(40)
    await drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })

  it('the answer to a batch is lost: it is written once', async () => {
    const { drain } = await start()
    await w.commit(w.many('a', 40))
    await drain()
    await w.commit(w.many('b', 400))
    const lost = proxy.next('Produce', 2).dropAnswer()
    for (let tries = 0; tries < 3; tries++) await drain().catch(() => undefined)
    await lost
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })

  it('who holds an open transaction is fenced by the next, and nothing of it is ever seen', async () => {
    const one = await start()
    await w.commit(w.many('a', 40))
    await one.drain()
    await w.commit(w.many('b', 40))
    // Its rows are in the log and its commit is under way when the next one fences it.
    const underWay = proxy.next('Produce').holdAnswer()
    const late = one.publishers[0]?.publish().catch((error: unknown) => error)
    const held = await underWay
    await w.expire()
    const next = await w.process('next', undefined, cluster.brokers)
    await next.drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
    held.release()
    expect(await late).toBeInstanceOf(Error)
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })

  it('a transaction is three requests, whatever partitions it is for', async () => {
    const { publishers, drain } = await start()
    await w.commit(w.many('a', 40))
    await drain()
    await w.commit(w.many('b', 40))
    const request = proxy.next('Produce').arrived()
    const before = TALK.map((api) => proxy.count(api))
    expect(await publishers[0]?.publish()).toBeGreaterThan(1)
    // A range has two of the six partitions.
    expect(partitionsOf(await request)).toBe(2)
    expect(TALK.map((api, i) => proxy.count(api) - (before[i] ?? 0))).toEqual([0, 1, 1, 1])
  })

  it.each([
    [
      'refuses one of the partitions',
      (frame: Buffer) => void frame.writeInt16BE(NOT_LEADER, frame.length - LAST_ERROR),
    ],
    [
      'says nothing of one of the partitions',
      (frame: Buffer) => void frame.writeInt32BE(99, frame.length - LAST_PARTITION),
    ],
  ])('an answer that %s ends the writer, and nothing is lost or comes twice', async (_, alter) => {
    const { publishers, drain } = await start()
    await w.commit(w.many('a', 40))
    await drain()
    await w.commit(w.many('b', 40))
    // The broker has written both: what the answer says of one of them must be believed all the same.
    const altered = proxy.next('Produce').alterAnswer(alter)
    await expect(publishers[0]?.publish()).rejects.toMatchObject({ code: 'log-unavailable' })
    await altered
    expect(await visible()).toBe(40)
    await drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })

  it('of the partitions of a transaction the one is named that was refused, not those that were not tried for its sake', async () => {
    const { publishers, drain } = await start()
    await w.commit(w.many('a', 40))
    await drain()
    await w.commit(w.many('b', 40))
    // What a broker says that lets us write to all but the last: number and error of each partition, at the end of the answer.
    const altered = proxy.next('AddPartitionsToTxn').alterAnswer((frame) => {
      frame.writeInt16BE(NOT_ATTEMPTED, frame.length - 2 - 6)
      frame.writeInt16BE(TOPIC_AUTHORIZATION_FAILED, frame.length - 2)
    })
    await expect(publishers[0]?.publish()).rejects.toMatchObject({ code: 'log-forbidden' })
    await altered
    await drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })

  it('a transaction that is refused while the brokers end the one before tries again at once', async () => {
    const { log, outbox } = await start()
    const writer = await log.fence('0')
    const row = { topic: w.topic, partition: 0, key: null, value: utf8('x'), headers: {} }
    const took: number[] = []
    for (let position = 1n; position <= 5n; position++) {
      // What each says now and then after a commit: the answer is for one partition and ends with its error.
      const refused = proxy
        .next('AddPartitionsToTxn')
        .alterAnswer((frame) => void frame.writeInt16BE(CONCURRENT_TRANSACTIONS, frame.length - 2))
      const began = performance.now()
      await writer.write([{ ...row, position }], outbox.storeId)
      took.push(performance.now() - began)
      await refused
    }
    await writer.close()
    // With the pause that kafkajs makes by itself none would take less than 240 ms.
    expect(Math.min(...took)).toBeLessThan(240)
    expect((await w.positions())[0]).toEqual([1, 2, 3, 4, 5])
  })

  it('a broker that is killed and started again costs time and nothing else', async () => {
    const { publishers } = await start()
    const [node] = cluster.nodes
    let writing = true
    const run = publishers.map(async (publisher) => {
      while (writing) await publisher.publish().catch(() => undefined)
    })
    for (let i = 0; i < 5; i++) await w.commit(w.many(`a${i}`, 100))
    await node?.kill()
    for (let i = 0; i < 5; i++) await w.commit(w.many(`b${i}`, 100))
    await node?.start()
    const total = (await w.heads()).reduce((sum, head) => sum + head, 0)
    await expect.poll(visible, { timeout: 25_000, interval: 200 }).toBe(total)
    writing = false
    await Promise.all(run)
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  }, 60_000)
})
