// Real: a Kafka that asks who is there, by TLS, by certificate and by password, and the log on it.
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { KafkaConnection, KafkaSasl } from '../../src/adapters/kafka-log/connection.ts'
import { examineTopics } from '../../src/adapters/kafka-log/examine-topics.ts'
import { createKafkaLog } from '../../src/adapters/kafka-log/kafka-log.ts'
import type { Log } from '../../src/pipeline/log/ports.ts'
import { record, string } from '../contracts/log-support.ts'
import { startCluster, type KafkaCluster, type Secured } from '../support/kafka/broker.ts'
import { makeAuthority } from '../support/kafka/certificates.ts'
import { ownBrokersOrSkip, uniqueName } from '../support/kafka/kafka.ts'

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

describe.runIf(ownBrokersOrSkip())('brokers that ask who is there', () => {
  let cluster: KafkaCluster | undefined
  let secured: Secured
  const lines: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  beforeAll(async () => {
    cluster = await startCluster({
      security: true,
      settings: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:touchstone;User:ANONYMOUS;User:CN=client',
      },
    })
    if (cluster.secured === undefined) throw new Error('The cluster is not secured')
    secured = cluster.secured
  })
  afterAll(async () => cluster?.stop())

  const open = (connection: Omit<KafkaConnection, 'clientId'>): Log => {
    const log = createKafkaLog({ connection: { ...connection, clientId: 'test' }, logger })
    onTestFinished(async () => log.close())
    return log
  }
  const sasl = (mechanism: KafkaSasl['mechanism'], password = secured.user.password): KafkaSasl => ({
    mechanism,
    username: secured.user.name,
    password,
  })
  async function works(log: Log): Promise<void> {
    const topic = uniqueName('secured')
    await log.ensureTopic(topic, { partitions: 1, retentionHours: 1 })
    await log.append(topic, [record('k', 'v')])
    expect((await log.read(topic, 0, 0n, 1)).map((one) => string(one.value))).toEqual(['v'])
    expect(await log.backlog(topic, 'nobody', new Map())).toMatchObject([{ records: 1, held: false }])
  }
  const refused = async (log: Log): Promise<unknown> => log.ranges('any').catch((error: unknown) => error)

  test.each(MECHANISMS)(
    '%s: a wrong password ends at once, names the setting and never says the password',
    async (mechanism) => {
      const secret = 'not-the-password'
      const began = performance.now()
      const error = await refused(open({ brokers: secured.sasl, sasl: sasl(mechanism, secret) }))
      expect(error).toMatchObject({ code: 'log-forbidden', message: expect.stringContaining('KAFKA_SASL_PASSWORD') })
      expect(performance.now() - began).toBeLessThan(5_000)
      expect(String(error)).not.toContain(secret)
      expect(lines.join('')).not.toContain(secret)
    },
  )

  test('brokers whose authority is not ours are not trusted, with or without a password to send them', async () => {
    const other = makeAuthority('another').ca
    for (const tls of [{}, { ca: other }]) {
      const error = await refused(open({ brokers: secured.saslTls, tls, sasl: sasl('plain') }))
      expect(error).toMatchObject({ code: 'log-forbidden', message: expect.stringContaining('KAFKA_TLS') })
    }
  })

  test('a broker that wants a certificate, or TLS, or a password, is not waited for any longer than another that is silent', async () => {
    for (const wrong of [
      { brokers: secured.mutualTls, tls: { ca: secured.ca } },
      { brokers: secured.tls },
      { brokers: secured.sasl },
      { brokers: cluster?.brokers ?? [], tls: { ca: secured.ca } },
    ]) {
      const began = performance.now()
      const error = await open(wrong)
        .backlog('any', 'group', new Map())
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: expect.stringMatching(/^log-(forbidden|unavailable)$/) })
      expect(performance.now() - began).toBeLessThan(2_500)
    }
  })

  test('a user without rights is told so, and not that there is no topic', async () => {
    const topic = uniqueName('hidden')
    await open({ brokers: secured.sasl, sasl: sasl('plain') }).ensureTopic(topic, { partitions: 1, retentionHours: 1 })
    const { name: username, password } = secured.stranger
    const connection = { brokers: secured.sasl, sasl: { mechanism: 'plain', username, password } as const }
    const log = open(connection)
    const forbidden = { code: 'log-forbidden', message: expect.stringContaining('ACL') }
    await expect(log.ranges(topic)).rejects.toMatchObject(forbidden)
    await expect(log.append(topic, [record('k', 'v')])).rejects.toMatchObject(forbidden)
    await expect(log.ensureTopic(topic, { partitions: 1, retentionHours: 1 })).rejects.toMatchObject(forbidden)
    const wish = { topic, partitions: 1, retentionHours: 1 }
    const examined = examineTopics({ ...connection, clientId: 'test' }, [wish], { logger })
    await expect(examined).rejects.toMatchObject(forbidden)
  })

  test.each(MECHANISMS)('%s works, in plain text and under TLS', async (mechanism) => {
    await works(open({ brokers: secured.sasl, sasl: sasl(mechanism) }))
    await works(open({ brokers: secured.saslTls, tls: { ca: secured.ca }, sasl: sasl(mechanism) }))
  })

  test('TLS works, and a certificate of our own where it is asked for', async () => {
    const { ca, client } = secured
    await works(open({ brokers: secured.mutualTls, tls: { ca, cert: client.cert, key: client.key } }))
  })
})
