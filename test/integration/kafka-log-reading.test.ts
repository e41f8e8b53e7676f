// Real: the Kafka of the run. What reading from Kafka must do beyond the contract: kafkajs's own offsets, transactions, long work, new partitions.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createMember } from '../../src/adapters/kafka-log/subscription-member.ts'
import { createSubscription, type SubscriptionParts } from '../../src/adapters/kafka-log/subscription.ts'
import type { Consumer, Log, SubscribeOptions, Subscription } from '../../src/pipeline/log/ports.ts'
import {
  client,
  createLedger,
  DEFAULTS,
  eventually,
  follow,
  groupOf,
  record,
  topicOf,
} from '../contracts/log-support.ts'
import { kafkaOrSkip } from '../support/kafka/kafka.ts'
import { startKafkaLog, type KafkaLogHarness } from './kafka-log-harness.ts'

const brokers = kafkaOrSkip() ?? []
let harness: KafkaLogHarness
beforeAll(async () => {
  if (brokers.length > 0) harness = await startKafkaLog(brokers)
})
afterAll(async () => harness?.close())

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => record(`key-${from + i}`, String(from + i)))
const sleep = async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** With settings that the log does not offer, for what would take long otherwise. */
function subscribe(
  log: Log,
  parts: Partial<SubscriptionParts>,
  options: Partial<SubscribeOptions> & { topic: string },
  consumer: Consumer,
): Subscription {
  const { connection, logger, leaseMs } = harness
  const subscription = createSubscription(
    { connection, logger, sessionTimeoutMs: leaseMs, ranges: log.ranges, ended: () => undefined, ...parts },
    { ...DEFAULTS, group: groupOf(options.topic), ...options },
    consumer,
  )
  subscription.done.catch(() => undefined)
  onTestFinished(async () => subscription.stop())
  return subscription
}

describe.runIf(brokers.length > 0)('reading from Kafka', () => {
  test('nothing is fetched of a partition before it is placed, although the group has an offset for it', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 3)
    await log.append(topic, numbered(60))
    const ranges = await log.ranges(topic)
    await harness.commit(groupOf(topic), topic, new Map(ranges.map(({ partition }) => [partition, 2n])))
    const fetched: [number, bigint][] = []
    const joined = Promise.withResolvers<void>()
    let partitions: readonly number[] = []
    let mayPlace = false
    const place = () => partitions.forEach((partition) => member.place(partition, 5n))
    const member = createMember(
      {
        connection: harness.connection,
        logger: harness.logger,
        topic,
        group: groupOf(topic),
        sessionTimeoutMs: harness.leaseMs,
        metadataAgeMs: 60_000,
        maxBytes: 1 << 20,
        maxFetchBytes: 1 << 22,
      },
      {
        // On a busy machine it may join more than once.
        joined(given) {
          partitions = given
          joined.resolve()
          if (mayPlace) place()
        },
        leaving: async () => undefined,
        fetched: (partition, { from }) => fetched.push([partition, from]),
        skipped: (partition, from) => fetched.push([partition, from]),
        unreadable: () => undefined,
        renewed: () => undefined,
        polled: () => undefined,
        trouble: () => undefined,
      },
    )
    const ended = new AbortController()
    const life = member.live(ended.signal)
    await joined.promise
    // A store that answers late.
    await sleep(300)
    expect(fetched).toEqual([])
    mayPlace = true
    place()
    await eventually(() => new Set(fetched.map(([partition]) => partition)).size === 3)
    expect(new Set(fetched.map(([, from]) => from))).toEqual(new Set([5n]))
    ended.abort()
    await life
    await member.leave()
  })

  test('what the group committed to Kafka changes nothing, and lag tools are told where the reading is', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 1)
    await log.append(topic, numbered(10))
    await harness.commit(groupOf(topic), topic, new Map([[0, 7n]]))
    const ledger = createLedger()
    const places: bigint[] = []
    subscribe(
      log,
      { watchMs: 50 },
      { topic },
      {
        place: async (name, partition, low) => {
          places.push(low)
          await sleep(200)
          return ledger.place(name, partition, low)
        },
        handle: ledger.handle,
      },
    )
    await ledger.until(() => ledger.records().length === 10)
    expect(ledger.values()).toEqual(Array.from({ length: 10 }, (_, i) => String(i)))
    expect(places).toEqual([0n])
    await eventually(async () => (await harness.committed(groupOf(topic), topic)).get(0) === 10n)
  })

  test('a transactional input is read to its end: small fetches that hold nothing but control and aborted records move the offset', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 1)
    const sizes = Array.from({ length: 30 }, (_, i) => (i % 3 === 1 ? -2 : i % 5 === 0 ? -1 : 1))
    await harness.transact(topic, 0, [...sizes, -3, -1])
    const ledger = createLedger()
    let moved = 0
    let handled = 0
    const subscription = follow(
      log,
      // So that a fetch holds one transaction at most.
      { topic, maxBytes: 90 },
      {
        place: ledger.place,
        handle: async (batch) => {
          handled += 1
          const result = ledger.commit(batch, 'me')
          if (result === 'moved') moved += 1
          return result
        },
      },
    )
    const [range] = await log.ranges(topic)
    await ledger.until(() => ledger.batches.at(-1)?.batch.next === range?.high)
    const committed = sizes.filter((size) => size > 0).length
    expect(ledger.values()).toHaveLength(committed)
    expect(ledger.values().filter((value) => value?.startsWith('aborted'))).toEqual([])
    expect(ledger.records().map((r) => r.offset)).toEqual(
      ledger
        .records()
        .map((r) => r.offset)
        .sort((a, b) => Number(a - b)),
    )
    expect(ledger.batches.some(({ batch }) => batch.records.length === 0 && batch.next > batch.from)).toBe(true)
    expect(moved).toBe(0)
    // Each fetch is handed over once: whoever had to begin again would be seen here.
    expect(handled).toBeLessThanOrEqual(2 * (sizes.length + 2))
    expect(subscription.assigned()).toEqual([0])
  })

  test('a batch that takes four sessions costs nobody anything: the partitions stay, the others go on, nothing comes twice', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 2)
    const ledger = createLedger()
    const places: number[] = []
    const begun: string[] = []
    const subscription = subscribe(
      log,
      { sessionTimeoutMs: 600 },
      { topic },
      {
        place: async (name, partition, low) => (places.push(partition), ledger.place(name, partition, low)),
        handle: async (batch, lost) => {
          begun.push(`${batch.partition}@${batch.from}`)
          if (batch.partition === 0) await sleep(2_400)
          expect(lost.aborted).toBe(false)
          return ledger.commit(batch, 'me')
        },
      },
    )
    await eventually(() => subscription.assigned().length === 2)
    await log.append(topic, numbered(20))
    await eventually(() => begun.some((one) => one.startsWith('0@')))
    const ofOther = () => ledger.values(1).length
    for (let i = 0; i < 4; i += 1) {
      const before = ofOther()
      await log.append(topic, numbered(20, 100 * (i + 1)))
      await ledger.until(() => ofOther() > before)
      expect(ledger.values(0)).toEqual([])
      expect(subscription.health().renewedMs).toBeLessThan(600)
    }
    await ledger.until(() => ledger.records().length === 100)
    expect(places.sort((a, b) => a - b)).toEqual([0, 1])
    expect(new Set(begun).size).toBe(begun.length)
  })

  test('the largest batches and the most of them at once that the settings allow are asked for within what a request can say', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 1)
    await log.append(topic, [record('k', 'v')])
    const ledger = createLedger()
    const subscription = follow(log, { topic, maxBytes: 2 ** 30, concurrency: 256 }, ledger)
    await Promise.race([ledger.until(() => ledger.values().length === 1), subscription.done])
    expect(ledger.values()).toEqual(['v'])
  })

  test('partitions that are added while it runs are read', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 1)
    const ledger = createLedger()
    // Who asks for ranges knows of new partitions after half a minute; a client that is new, at once.
    let asked = log
    const parts = { metadataAgeMs: 200, ranges: async (name: string) => asked.ranges(name) }
    const subscription = subscribe(log, parts, { topic }, ledger)
    await eventually(() => subscription.assigned().length === 1)
    await harness.addPartitions(topic, 3)
    asked = await client(harness)
    await eventually(() => subscription.assigned().length === 3)
    await asked.append(topic, numbered(30))
    await ledger.until(() => ledger.records().length === 30)
    expect(ledger.values(2).length).toBeGreaterThan(0)
  })

  test('a topic that is made anew under a reader stops it loudly', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 1)
    await log.append(topic, numbered(10))
    const ledger = createLedger()
    const subscription = subscribe(log, { watchMs: 100, metadataAgeMs: 200 }, { topic }, ledger)
    await ledger.until(() => ledger.records().length === 10)
    await harness.deleteTopic(topic)
    await log.ensureTopic(topic, { partitions: 1, retentionHours: 1 }).catch(() => undefined)
    await expect(subscription.done).rejects.toMatchObject({
      code: expect.stringMatching(/^(offset-out-of-range|not-found)$/),
    })
    expect(ledger.records()).toHaveLength(10)
  })

  test('what the brokers refuse for good ends it with their word', async () => {
    const log = await client(harness)
    const topic = await topicOf(log, 1)
    // Less than any broker allows.
    const subscription = subscribe(log, { sessionTimeoutMs: 60 }, { topic }, createLedger())
    await expect(subscription.done).rejects.toThrow(/session timeout/i)
  })

  test('in a storm of members that come and go every record takes effect once, and no two have a partition at once', async () => {
    const logs = await Promise.all(Array.from({ length: 3 }, async () => client(harness)))
    const [feeder] = logs
    if (feeder === undefined) throw new Error('No log')
    const topic = await topicOf(feeder, 6)
    const ledger = createLedger()
    const busy = new Set<number>()
    let overlaps = 0
    const member = (name: string): Consumer => ({
      place: ledger.place,
      handle: async (batch) => {
        if (busy.has(batch.partition)) overlaps += 1
        busy.add(batch.partition)
        await sleep(5)
        busy.delete(batch.partition)
        return ledger.commit(batch, name)
      },
    })
    follow(feeder, { topic }, member('steady'))
    let sent = 0
    for (let round = 0; round < 8; round += 1) {
      const log = logs[1 + (round % 2)] ?? feeder
      const guest = follow(log, { topic }, member(`guest-${round}`))
      await feeder.append(topic, numbered(60, sent))
      sent += 60
      // Some leave before they have anything, some in the middle of a batch.
      await sleep(40 * round)
      await guest.stop()
    }
    await ledger.until(() => ledger.records().length >= sent)
    expect([...ledger.values()].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, i) => i))
    expect(overlaps).toBe(0)
  })
})
