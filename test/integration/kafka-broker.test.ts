// Real brokers, processes and Java clients: what all other tests on Kafka rest on. Needs a JDK 17 with Maven.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCluster, type KafkaCluster, type Secured } from '../support/kafka/broker.ts'
import { consumeWithJava, produceWithJava } from '../support/kafka/java.ts'
import { freshTopic, kafkaOrSkip, ownBrokersOrSkip, uniqueName, withAdmin } from '../support/kafka/kafka.ts'
import { brokersAt } from '../support/kafka/ready.ts'
import { sharedKafka } from '../support/kafka/shared.ts'

const own = ownBrokersOrSkip()
const bytes = (text: string) => Buffer.from(text)
const base64 = (text: string) => Buffer.from(text).toString('base64')

// A broker without its data ends by itself, and would hide that nobody ended it.
test('a program ends when the process that started it is killed, also one that is frozen', async () => {
  await withParent('sleep', {}, async (kill, pid) => {
    process.kill(pid, 'SIGSTOP')
    kill()
    await until(() => !runs(pid))
  })
})

describe.runIf(own)('brokers of our own', () => {
  test('a broker ends when the process that started it is killed, and its data go', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'touchstone-parent-'))
    try {
      await withParent('broker', { TMPDIR: folder }, async (kill, pid) => {
        expect(readdirSync(folder)).toHaveLength(1)
        kill()
        await until(() => !runs(pid))
        await until(() => readdirSync(folder).length === 0)
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('a broker that cannot start says why, at once', async () => {
    await expect(startCluster({ settings: { 'num.io.threads': '0' } })).rejects.toThrow(/num\.io\.threads/)
  })

  test('given ones on which sessions are longer than those of the tests are refused at once, with the setting', async () => {
    const [quick, slow] = await Promise.all([
      startCluster(),
      startCluster({ settings: { 'group.min.session.timeout.ms': '6000' } }),
    ])
    try {
      const { kafka } = await sharedKafka(` ${quick.brokers.join(',')}`)
      expect(kafka).toEqual({ brokers: quick.brokers, version: 'given', ownBrokers: true })
      const began = performance.now()
      await expect(sharedKafka(slow.brokers.join(','))).rejects.toThrow(
        /^KAFKA_BROKERS: group\.min\.session\.timeout\.ms of broker 1 is 6000 and must be 500 or less/,
      )
      // Not as long as brokers that do not answer are waited for.
      expect(performance.now() - began).toBeLessThan(9_000)
    } finally {
      await Promise.all([quick, slow].map((cluster) => cluster.stop()))
    }
  })

  test('three nodes keep acknowledged records when one of them is killed', async () => {
    const cluster = await startCluster({ nodes: 3 })
    try {
      const topic = await freshTopic(cluster.brokers, { numPartitions: 3 })
      const records = [0, 1, 2].map((partition) => ({ partition, key: null, value: bytes(`${partition}`) }))
      await produceWithJava({ brokers: cluster.brokers, topic, records })
      await cluster.nodes[2]?.kill()
      const left = cluster.brokers.slice(0, 2)
      await produceWithJava({ brokers: left, topic, records })
      const seen = await consumeWithJava({ brokers: left, topic, isolation: 'read_committed' })
      expect(seen.map(({ partition, offset }) => `${partition}/${offset}`)).toEqual([
        '0/0',
        '0/1',
        '1/0',
        '1/1',
        '2/0',
        '2/1',
      ])
    } finally {
      await cluster.stop()
    }
  }, 90_000)
})

describe.runIf(own)('one broker with every kind of listener', () => {
  let cluster: KafkaCluster
  let secured: Secured
  beforeAll(async () => {
    cluster = await startCluster({ security: true, advertise: ['127.0.0.1:1'] })
    if (cluster.secured === undefined) throw new Error('asked for security')
    secured = cluster.secured
  })
  afterAll(() => cluster.stop())

  /** How many brokers a client with this configuration is told of. */
  const ask = async (brokers: readonly string[], config: Partial<KafkaConfig>) => {
    const settings = { retry: { retries: 0 }, connectionTimeout: 5_000, logLevel: logLevel.NOTHING }
    const admin = new Kafka({ ...settings, ...config, brokers: [...brokers] }).admin()
    try {
      await admin.connect()
      return (await admin.describeCluster()).brokers.length
    } finally {
      await admin.disconnect().catch(() => {})
    }
  }
  const login = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', password = secured.user.password) => ({
    sasl: { mechanism, username: secured.user.name, password } as NonNullable<KafkaConfig['sasl']>,
  })

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'log-in by %s: wrong, then right',
    async (mechanism) => {
      await expect(ask(secured.sasl, login(mechanism, 'wrong'))).rejects.toThrow(/authentication/i)
      expect(await ask(secured.sasl, login(mechanism))).toBe(1)
    },
  )

  test('TLS: not by an authority that the client does not know, then by ours, then with log-in', async () => {
    await expect(ask(secured.tls, { ssl: true })).rejects.toThrow(/certificate/)
    expect(await ask(secured.tls, { ssl: { ca: secured.ca } })).toBe(1)
    expect(await ask(secured.saslTls, { ssl: { ca: secured.ca }, ...login('scram-sha-512') })).toBe(1)
  })

  test("mutual TLS: without the client's certificate, then with it", async () => {
    await expect(ask(secured.mutualTls, { ssl: { ca: secured.ca } })).rejects.toThrow(/certificate/)
    expect(await ask(secured.mutualTls, { ssl: { ca: secured.ca, ...secured.client } })).toBe(1)
  })

  test('a client that comes by the way of a proxy is sent to the proxy again', async () => {
    const told = await withAdmin(cluster.brokers, (admin) => admin.describeCluster())
    expect(told.brokers.map(({ host, port }) => `${host}:${port}`)).toEqual(cluster.brokers)
    const kafka = new Kafka({ brokers: [...cluster.behind], retry: { retries: 0 }, logLevel: logLevel.NOTHING })
    const lost = kafka.admin()
    await lost.connect()
    // Nothing listens at the advertised address, where the question for topics must go.
    await expect(lost.listTopics()).rejects.toThrow(/127\.0\.0\.1:1\b/)
    await lost.disconnect()
  })

  test('a frozen broker answers nobody, a thawed one goes on', async () => {
    const [node] = cluster.nodes
    node?.freeze()
    const settings = { requestTimeout: 300, connectionTimeout: 300 }
    try {
      await expect(ask(cluster.brokers, settings)).rejects.toThrow(/timed? ?out/i)
    } finally {
      // The tests after it need the broker.
      node?.thaw()
    }
    expect(await ask(cluster.brokers, {})).toBe(1)
  })

  test('killed and started again it is at the same place with the same records', async () => {
    const [node] = cluster.nodes
    const { brokers } = cluster
    const topic = await freshTopic(brokers)
    await produceWithJava({ brokers, topic, records: [{ key: bytes('a'), value: bytes('before') }] })
    const pid = node?.pid()
    await node?.kill()
    expect(node?.pid()).toBeUndefined()
    await expect(brokersAt(brokers)).rejects.toThrow(/ECONNREFUSED/)
    await node?.start()
    expect(node?.pid()).not.toBe(pid)
    const seen = await consumeWithJava({ brokers, topic, isolation: 'read_committed' })
    expect(seen.map(({ value }) => value)).toEqual([base64('before')])
  }, 60_000)

  test('asked to end it ends in order, also while nobody waits', async () => {
    const [node] = cluster.nodes
    await node?.terminate()
    expect(node?.pid()).toBeUndefined()
    await node?.start()
    expect(await brokersAt(cluster.brokers)).toBe(1)
  })
})

describe.runIf(own)("Kafka's own client as witness, on the Kafka of the run", () => {
  const brokers = kafkaOrSkip() ?? []

  test('sees neither aborted nor open transactions, unless it asks for them', async () => {
    const topic = await freshTopic(brokers)
    const record = (name: string) => ({ key: bytes(name), value: bytes(name) })
    await produceWithJava({
      brokers,
      topic,
      transactional: uniqueName('witness'),
      records: ['begin', record('aborted'), 'abort', 'begin', record('whole'), 'commit', 'begin', record('open')],
    })
    const keys = async (isolation: 'read_committed' | 'read_uncommitted') =>
      (await consumeWithJava({ brokers, topic, isolation })).map(({ key, offset }) => `${offset} ${key}`)
    expect(await keys('read_committed')).toEqual([`2 ${base64('whole')}`])
    const all = [`0 ${base64('aborted')}`, `2 ${base64('whole')}`, `4 ${base64('open')}`]
    expect(await keys('read_uncommitted')).toEqual(all)
  })

  test('keys and values may be missing, headers repeat and be empty, in every compression', async () => {
    const topic = await freshTopic(brokers, { settings: { 'max.message.bytes': String(4 * 1024 * 1024) } })
    const big = Buffer.alloc(3 * 1024 * 1024, 'x')
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const headers = [
        ['twice', bytes('1')],
        ['empty', null],
        ['twice', bytes('2')],
      ] as const
      const records = [
        { key: null, value: big, headers },
        { key: bytes(compression), value: null },
      ]
      const places = await produceWithJava({ brokers, topic, compression, records })
      expect(places.map(({ partition }) => partition)).toEqual([0, 0])
    }
    const seen = await consumeWithJava({ brokers, topic, isolation: 'read_committed' })
    expect(seen.map(({ key }) => key)).toEqual(
      ['none', 'gzip', 'snappy', 'lz4', 'zstd'].flatMap((name) => [null, base64(name)]),
    )
    expect(seen[6]?.value).toBe(big.toString('base64'))
    expect(seen[6]?.headers).toEqual([
      ['twice', base64('1')],
      ['empty', null],
      ['twice', base64('2')],
    ])
    expect(seen[7]?.value).toBeNull()
  }, 60_000)

  test('a client that cannot go on says why', async () => {
    const settings = { 'max.block.ms': '500', 'default.api.timeout.ms': '1000' }
    const topic = uniqueName('nowhere')
    await expect(produceWithJava({ brokers, topic, settings, records: [{ key: null, value: null }] })).rejects.toThrow(
      /TimeoutException|UnknownTopic/,
    )
  })
})

/** A process that starts the one named and tells its id. */
async function withParent(
  what: 'broker' | 'sleep',
  env: Record<string, string>,
  work: (kill: () => void, pid: number) => Promise<void>,
): Promise<void> {
  const script = fileURLToPath(new URL('kafka-broker-child.ts', import.meta.url))
  const parent = spawn(process.execPath, [script, what], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(runs(pid)).toBe(true)
    await work(() => parent.kill('SIGKILL'), pid)
  } finally {
    parent.kill('SIGKILL')
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await sleep(20)
}
