// Real: Kafka, the topics that are made on it, and what is said of those that somebody else made.
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { examineTopics, type TopicSetting } from '../../src/adapters/kafka-log/examine-topics.ts'
import { createKafkaLog } from '../../src/adapters/kafka-log/kafka-log.ts'
import type { Log } from '../../src/pipeline/log/ports.ts'
import { eventually, record } from '../contracts/log-support.ts'
import { startCluster } from '../support/kafka/broker.ts'
import { freshTopic, kafkaOrSkip, ownBrokersOrSkip, uniqueName, withAdmin } from '../support/kafka/kafka.ts'

const brokers = kafkaOrSkip() ?? []
const logger = pino({ level: 'silent' })
const connectionTo = (at: readonly string[]) => ({ brokers: at, clientId: 'test' })

function open(at: readonly string[], replication?: number): Log {
  const log = createKafkaLog({ connection: connectionTo(at), logger, replication })
  onTestFinished(async () => log.close())
  return log
}

const faults = (settings: readonly TopicSetting[]) =>
  settings.filter(({ state }) => state !== 'ok').map(({ setting, state }) => `${setting} ${state}`)

describe.runIf(brokers.length > 0)('topics', () => {
  test('every deviation of a topic that somebody else made is named, with a cure, and nothing is changed', async () => {
    const topic = await freshTopic(brokers, {
      numPartitions: 3,
      settings: {
        'cleanup.policy': 'compact',
        'retention.ms': '3600000',
        'retention.bytes': '1000000',
        'max.message.bytes': '1000',
        'min.insync.replicas': '2',
        'unclean.leader.election.enable': 'true',
        'message.timestamp.type': 'CreateTime',
      },
    })
    const wish = { topic, partitions: 4, retentionHours: 24 }
    await open(brokers).ensureTopic(topic, wish)
    const [examined] = await examineTopics(connectionTo(brokers), [wish], { logger, replication: 2 })
    expect(faults(examined?.settings ?? [])).toEqual([
      'partitions warning',
      'replication warning',
      'cleanup.policy wrong',
      'retention.ms warning',
      'retention.bytes warning',
      'max.message.bytes wrong',
      // Two copies must confirm, and there is one: nothing can be written.
      'min.insync.replicas wrong',
      'unclean.leader.election.enable warning',
      'message.timestamp.type warning',
    ])
    for (const { state, cure, found, wanted } of examined?.settings ?? []) {
      expect(cure !== undefined).toBe(state !== 'ok')
      if (state !== 'ok') expect(found).not.toBe(wanted)
    }
    expect(examined?.settings.find(({ setting }) => setting === 'retention.ms')).toMatchObject({
      found: '3600000',
      wanted: '86400000',
      cure: expect.stringContaining(`--entity-name ${topic} --add-config retention.ms=86400000`),
    })
    expect(examined?.settings.find(({ setting }) => setting.startsWith('unclean'))).toMatchObject({
      found: 'true',
      wanted: 'false',
      cure: expect.stringContaining(`--entity-name ${topic} --add-config unclean.leader.election.enable=false`),
    })
  })

  test('one that is missing is wrong, and once made by two processes at once it is as it was wanted', async () => {
    const wish = { topic: uniqueName('made'), partitions: 5, retentionHours: 24 * 90, maxRecordBytes: 3 << 20 }
    const [log, other] = [open(brokers), open(brokers)]
    const examine = async () => (await examineTopics(connectionTo(brokers), [wish], { logger }))[0]?.settings ?? []
    expect(faults(await examine())).toEqual(['topic wrong'])
    await Promise.all([log, other].map(async (each) => each.ensureTopic(wish.topic, wish)))
    expect(faults(await examine())).toEqual([])
    expect(await other.ranges(wish.topic)).toHaveLength(5)
    // More than was wanted is no fault, but for the count.
    const less = { topic: wish.topic, partitions: 4, retentionHours: 1 }
    const [examined] = await examineTopics(connectionTo(brokers), [less], { logger })
    expect(faults(examined?.settings ?? [])).toEqual(['partitions warning'])
  })

  test('a topic that Kafka does not make as it is wanted is named', async () => {
    const topic = uniqueName('copies')
    const refused = open(brokers, 30).ensureTopic(topic, { partitions: 1, retentionHours: 1 })
    await expect(refused).rejects.toMatchObject({ code: 'topics-wrong', message: expect.stringContaining(topic) })
  })

  test('a topic that is gone is missed and not waited for, and the others are read as before', async () => {
    const topic = await freshTopic(brokers)
    const log = open(brokers)
    await log.append(topic, [record('k', 'v')])
    await withAdmin(brokers, async (admin) => {
      await admin.deleteTopics({ topics: [topic] })
    })
    const began = performance.now()
    await expect(log.ranges(topic)).rejects.toMatchObject({ code: 'not-found' })
    expect(performance.now() - began).toBeLessThan(5_000)
    const other = await freshTopic(brokers)
    expect(await log.ranges(other)).toEqual([{ partition: 0, low: 0n, high: 0n }])
  })
})

describe.runIf(ownBrokersOrSkip())('three brokers', () => {
  test('a topic has three copies, two of which confirm; when its leader is killed appends and reads go on and nothing is lost', async () => {
    const cluster = await startCluster({ nodes: 3 })
    onTestFinished(async () => cluster.stop())
    const log = open(cluster.brokers)
    const wish = { topic: uniqueName('three'), partitions: 3, retentionHours: 1 }
    await log.ensureTopic(wish.topic, wish)
    const [examined] = await examineTopics(connectionTo(cluster.brokers), [wish], { logger })
    expect(faults(examined?.settings ?? [])).toEqual([])
    const found = new Map(examined?.settings.map((one) => [one.setting, one.found]))
    expect([found.get('replication'), found.get('min.insync.replicas')]).toEqual(['3', '2'])

    const confirmed: string[] = []
    let killed = false
    const append = async (key: string) => {
      // Enough of them after the leader is gone.
      for (let [i, after] = [0, 0]; after < 20; i += 1) {
        await log.append(wish.topic, [record(key, `${key}/${i}`)])
        confirmed.push(`${key}/${i}`)
        if (killed) after += 1
      }
    }
    const appends = Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(append))
    await eventually(() => confirmed.length > 60)
    const leading = await withAdmin(cluster.brokers, async (admin) =>
      admin.fetchTopicMetadata({ topics: [wish.topic] }),
    )
    const leader = leading.topics[0]?.partitions[0]?.leader
    await cluster.nodes.find(({ id }) => id === leader)?.kill()
    killed = true
    await appends
    const ranges = await log.ranges(wish.topic)
    const all = await Promise.all(ranges.map(async ({ partition }) => log.read(wish.topic, partition, 0n, 100_000)))
    const there = new Set(all.flat().map((one) => Buffer.from(one.value ?? []).toString()))
    expect(confirmed.filter((value) => !there.has(value))).toEqual([])
    expect(confirmed.length).toBeGreaterThan(180)
  }, 60_000)
})
