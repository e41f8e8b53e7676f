// What `topics` and `doctor` say of topics that deviate in every way, and of settings that lead nowhere. Real: the bin, PostgreSQL, Kafka.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { topicNames } from '../../src/events/topics.ts'
import { freshDatabase, type FreshDatabase } from '../support/database.ts'
import { freshTopic, kafkaOrSkip } from '../support/kafka/kafka.ts'
import { deleteTopics, onKafka } from '../support/running-gate.ts'

const BIN = fileURLToPath(new URL('../../scripts/touchstone.mjs', import.meta.url))
const kafka = kafkaOrSkip()

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(async () => {
  await database.drop()
})

interface Checked {
  readonly topic: string
  readonly settings: { setting: string; found: string; wanted: string; state: string; cure?: string }[]
}
interface Finding {
  readonly name: string
  readonly state: string
  readonly detail: string
  readonly cure?: string
}

async function touchstone(words: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [BIN, ...words], {
    env: {
      PATH: process.env['PATH'] ?? '',
      NO_COLOR: '1',
      DATABASE_URL: database.url,
      PORT: '0',
      METRICS_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, err }
}
const json = <T>(text: string) => JSON.parse(text) as T

describe('topics on PostgreSQL', () => {
  it('are missing, looked for without being made, made, and then there', async () => {
    const looked = await touchstone(['topics', '--check', '--json'], {})
    expect(looked.code, looked.err).toBe(1)
    for (const { settings } of json<Checked[]>(looked.out))
      expect(settings).toEqual([expect.objectContaining({ setting: 'topic', found: 'missing', state: 'wrong' })])
    expect((await touchstone(['topics', '--check'], {})).code).toBe(1)
    const made = await touchstone(['topics'], { TOUCHSTONE_PARTITIONS: '3' })
    expect([made.code, made.err]).toEqual([0, ''])
    expect(made.out).toMatch(/touchstone\.listings\.v1 +partitions +3 +3 +ok/)
    const other = await touchstone(['topics', '--check'], { TOUCHSTONE_PARTITIONS: '5' })
    expect(other.code).toBe(0)
    expect(other.out).toMatch(/partitions +3 +5 +warning/)
  }, 60_000)
})

describe.runIf(kafka !== undefined)('topics on Kafka', () => {
  const brokers = kafka ?? []

  it('are made as they are wanted, and what deviates is named with its cure and never changed', async () => {
    const env: Record<string, string> = { ...onKafka(brokers), TOUCHSTONE_PARTITIONS: '3' }
    const names = topicNames(env['TOUCHSTONE_TOPIC_PREFIX'] ?? '')
    try {
      await freshTopic(brokers, {
        name: names.decisions,
        numPartitions: 2,
        settings: { 'cleanup.policy': 'compact', 'retention.ms': '60000', 'max.message.bytes': '1000' },
      })
      const looked = json<Checked[]>((await touchstone(['topics', '--check', '--json'], env)).out)
      expect(looked.find((t) => t.topic === names.listings)?.settings[0]).toMatchObject({ found: 'missing' })
      const made = await touchstone(['topics', '--json'], env)
      expect(made.code, made.err).toBe(1)
      const found = json<Checked[]>(made.out)
      const settings = (topic: string) => found.find((t) => t.topic === topic)?.settings ?? []
      const deviations = settings(names.decisions).filter((s) => s.state !== 'ok')
      for (const name of ['partitions', 'cleanup.policy', 'retention.ms', 'max.message.bytes'])
        expect(deviations.find((s) => s.setting === name)?.cure, name).toMatch(/\S/)
      expect(settings(names.listings).filter((s) => s.state === 'wrong')).toEqual([])
      const bytes = (topic: string) => Number(settings(topic).find((s) => s.setting === 'max.message.bytes')?.found)
      expect(bytes(names.deadLetters) - bytes(names.listings)).toBe(64 << 10)

      const { code, out } = await touchstone(['doctor', '--json'], env)
      expect(code).toBe(1)
      const findings = json<Finding[]>(out)
      const of = (name: string) => findings.filter((f) => f.name === name)
      expect(of('kafka')[0]?.detail).toMatch(/broker/)
      expect(of('kafka limits')[0]?.state).toBe('ok')
      expect(
        of('group')
          .map((f) => f.detail)
          .join(),
      ).toMatch(/-gate has no members/)
      expect(
        of('topics')
          .map((f) => f.detail)
          .join('\n'),
      ).toContain(`${names.decisions}: cleanup.policy is compact`)
      expect(of('offsets').map((f) => f.detail.split(';')[0])).toEqual([
        `0 records of ${names.listings} wait to be tried`,
        `0 records of ${names.verdicts} wait to be tried`,
      ])
      expect(of('publishing')).toHaveLength(1)
    } finally {
      await deleteTopics(brokers, Object.values(names))
    }
  }, 60_000)

  it('say which setting leads nowhere, and never a password', async () => {
    const env = {
      KAFKA_BROKERS: '127.0.0.1:1',
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD: 'hush-hush',
    }
    const [topics, doctor] = await Promise.all([touchstone(['topics'], env), touchstone(['doctor'], env)])
    expect(topics.code).toBe(1)
    expect(topics.err).toMatch(/log-unavailable[^]*-> Check KAFKA_BROKERS/)
    expect(doctor.code).toBe(1)
    expect(doctor.out).toMatch(/WRONG +kafka /)
    expect(doctor.out).toMatch(/warning +kafka safety +plain text, SASL plain\n.*password crosses/)
    const unread = await touchstone(['topics'], { KAFKA_BROKERS: 'a:1', KAFKA_TLS_CA_FILE: 'hush-hush' })
    expect(unread.code).toBe(2)
    expect(unread.err).toMatch(/KAFKA_TLS_CA_FILE: the file cannot be read \(ENOENT\)/)
    expect(topics.err + doctor.out + doctor.err + unread.err).not.toContain('hush-hush')
  }, 60_000)
})
