// Real: a Kafka of our own that is killed and frozen, and a wire in between that loses answers. What a reader does then.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createKafkaLog } from '../../src/adapters/kafka-log/kafka-log.ts'
import type { Batch } from '../../src/pipeline/log/ports.ts'
import { client, createLedger, eventually, follow, record, topicOf } from '../contracts/log-support.ts'
import { startCluster, type KafkaCluster } from '../support/kafka/broker.ts'
import { ownBrokersOrSkip } from '../support/kafka/kafka.ts'
import { startProxy, type KafkaProxy } from '../support/kafka/proxy.ts'
import { startKafkaLog, type KafkaLogHarness } from './kafka-log-harness.ts'

const possible = ownBrokersOrSkip()
let cluster: KafkaCluster
let proxy: KafkaProxy
let harness: KafkaLogHarness
beforeAll(async () => {
  if (!possible) return
  proxy = await startProxy()
  cluster = await startCluster({ advertise: [proxy.address] })
  proxy.target(cluster.behind[0] ?? '')
  harness = await startKafkaLog(cluster.brokers)
})
afterAll(async () => {
  await harness?.close()
  await proxy?.close()
  await cluster?.stop()
})

const SESSION_MS = 1_000
const numbered = (count: number, from: number) =>
  Array.from({ length: count }, (_, i) => record(`key-${from + i}`, String(from + i)))

/** A client whose connections go through the wire. */
function wired(sessionTimeoutMs = SESSION_MS) {
  const connection = { brokers: [proxy.address], clientId: 'wired' }
  const log = createKafkaLog({ connection, logger: harness.logger, sessionTimeoutMs })
  onTestFinished(async () => {
    proxy.restore()
    await log.close()
  })
  return log
}

describe.runIf(possible)('a reader whose brokers fail', () => {
  test('answers that are lost cost time and nothing else', async () => {
    const direct = await client(harness)
    const topic = await topicOf(direct, 3)
    const log = wired()
    const ledger = createLedger()
    const subscription = follow(log, { topic }, ledger)
    let failed: unknown
    subscription.done.catch((error: unknown) => (failed = error))
    let sent = 0
    const losses = [
      () => proxy.next('JoinGroup').dropAnswer(),
      () => proxy.next('SyncGroup').dropAnswer(),
      () => proxy.next('Fetch').dropAnswer(),
      () => proxy.next('Fetch').dropRequest(),
      () => proxy.next('Heartbeat').dropAnswer(),
      () => proxy.next('ListOffsets').dropAnswer(),
    ]
    for (const lose of losses) {
      const lost = lose()
      // Somebody who comes and goes: all have to join anew.
      const guest = follow(direct, { topic }, ledger.as('guest'))
      await direct.append(topic, numbered(30, sent))
      sent += 30
      await lost
      await ledger.until(() => ledger.records().length >= sent)
      await guest.stop()
    }
    expect([...ledger.values()].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, i) => i))
    expect(failed).toBeUndefined()
  })

  test('whoever hears nothing of the brokers gives up its batch before others may have the partition, and goes on later', async () => {
    const direct = await client(harness)
    const topic = await topicOf(direct, 1)
    await direct.append(topic, numbered(1, 0))
    const log = wired()
    const ledger = createLedger()
    const told = Promise.withResolvers<number>()
    let batches: Batch[] = []
    const cutOff = follow(
      log,
      { topic },
      {
        place: ledger.place,
        handle: async (batch, lost) => {
          batches.push(batch)
          if (batches.length > 1) return ledger.commit(batch, 'cut off')
          await eventually(() => cutOff.health().renewedMs < 100)
          proxy.silence()
          const since = performance.now()
          await new Promise<void>((resolve) => lost.addEventListener('abort', () => resolve(), { once: true }))
          told.resolve(performance.now() - since)
          lost.throwIfAborted()
          return 'moved'
        },
      },
    )
    expect(await told.promise).toBeLessThan(SESSION_MS)
    expect(cutOff.assigned()).toEqual([])
    await eventually(() => cutOff.health().renewedMs > SESSION_MS && cutOff.health().polledMs > SESSION_MS)
    const other = follow(direct, { topic }, ledger.as('other'))
    await ledger.until(() => ledger.batches.some(({ by }) => by === 'other'))
    batches = batches.slice(0, 1)
    await other.stop()
    proxy.restore()
    await direct.append(topic, numbered(1, 1))
    await ledger.until(() => ledger.batches.some(({ by }) => by === 'cut off'))
    expect(ledger.values()).toEqual(['0', '1'])
    expect(cutOff.assigned()).toEqual([0])
  })

  test('whoever hears of the brokers too late for itself and in time for them takes up again what it has', async () => {
    const direct = await client(harness)
    const topic = await topicOf(direct, 1)
    const ledger = createLedger()
    const subscription = follow(wired(3_000), { topic }, ledger)
    await direct.append(topic, numbered(1, 0))
    await ledger.until(() => ledger.records().length === 1)
    const held = await proxy.next('Heartbeat').holdAnswer()
    await eventually(() => subscription.assigned().length === 0)
    held.release()
    await eventually(() => subscription.assigned().length === 1)
    await direct.append(topic, numbered(1, 1))
    await ledger.until(() => ledger.records().length === 2)
  })

  test('whoever is not answered for longer than a session joins anew, and does not wait for the answer', async () => {
    const direct = await client(harness)
    const topic = await topicOf(direct, 1)
    const ledger = createLedger()
    const subscription = follow(wired(), { topic }, ledger)
    await eventually(() => subscription.assigned().length === 1)
    const held = await proxy.next('Heartbeat').holdAnswer()
    await eventually(() => subscription.assigned().length === 0)
    const since = performance.now()
    await eventually(() => subscription.assigned().length === 1)
    // kafkajs waits 15 s for an answer, and asks a coordinator that died for a minute.
    expect(performance.now() - since).toBeLessThan(10_000)
    held.drop()
    await direct.append(topic, numbered(1, 0))
    await ledger.until(() => ledger.records().length === 1)
  })

  test('brokers that take connections and say nothing are waited for, as those that are away', async () => {
    const direct = await client(harness)
    const topic = await topicOf(direct, 1)
    const ledger = createLedger()
    const subscription = follow(wired(), { topic }, ledger)
    await eventually(() => subscription.assigned().length === 1)
    proxy.silence()
    // New connections are tried several times meanwhile; kafkajs takes the second such failure for the end.
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 12_000)), subscription.done])
    proxy.restore()
    await direct.append(topic, numbered(1, 0))
    await Promise.race([ledger.until(() => ledger.records().length === 1), subscription.done])
    expect(subscription.assigned()).toEqual([0])
  })

  test('a trickle of records is fetched in sips, not record by record', async () => {
    const direct = await client(harness)
    const topic = await topicOf(direct, 1)
    const ledger = createLedger()
    const subscription = follow(wired(), { topic }, ledger)
    await eventually(() => subscription.assigned().length === 1)
    await direct.append(topic, numbered(1, 0))
    await ledger.until(() => ledger.records().length === 1)
    const [began, before] = [performance.now(), proxy.count('Fetch')]
    let sent = 1
    while (performance.now() - began < 1_500) {
      await direct.append(topic, numbered(1, sent))
      sent += 1
    }
    await ledger.until(() => ledger.records().length === sent)
    const fetches = proxy.count('Fetch') - before
    // One each 25 ms at most; a record takes a millisecond or two to write, and each would else be fetched alone.
    expect(fetches).toBeLessThanOrEqual((performance.now() - began) / 25 + 5)
    expect(sent).toBeGreaterThan(2 * fetches)
  })

  test('a broker that is killed is waited for, also for longer than a session, and the reading goes on where it was', async () => {
    const direct = await client(harness)
    const topic = await topicOf(direct, 3)
    const ledger = createLedger()
    const subscription = follow(direct, { topic }, ledger)
    let failed: unknown
    subscription.done.catch((error: unknown) => (failed = error))
    await direct.append(topic, numbered(30, 0))
    await ledger.until(() => ledger.records().length === 30)
    const [broker] = cluster.nodes
    await broker?.kill()
    const late = follow(direct, { topic, group: `late-${topic}` }, createLedger())
    await eventually(() => subscription.health().renewedMs > 2 * SESSION_MS)
    expect(subscription.assigned()).toEqual([])
    expect(subscription.health().polledMs).toBeGreaterThan(SESSION_MS)
    // Who stops meanwhile does not wait for the broker.
    const leaving = follow(direct, { topic, group: `leaving-${topic}` }, createLedger())
    const since = performance.now()
    await leaving.stop()
    expect(performance.now() - since).toBeLessThan(5_000)
    await broker?.start()
    await eventually(() => subscription.assigned().length === 3 && late.assigned().length === 3)
    await direct.append(topic, numbered(30, 30))
    await ledger.until(() => ledger.records().length === 60)
    expect([...ledger.values()].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i))
    expect(failed).toBeUndefined()
  })
})
