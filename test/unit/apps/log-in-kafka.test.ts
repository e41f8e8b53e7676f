// Which of the two is said to be away, Kafka or the database. Real: what kafkajs and pg throw where nobody listens.
import { Kafka, logLevel } from 'kafkajs'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { openKafkaLog } from '../../../src/apps/log-in-kafka.ts'
import { readConfig } from '../../../src/config.ts'
import { createTelemetry } from '../../../src/telemetry.ts'

const NOWHERE = '127.0.0.1:1'

test('a database that is away is not called the brokers, nor the other way round', async () => {
  const telemetry = createTelemetry({ level: 'silent' })
  const config = readConfig({ KAFKA_BROKERS: NOWHERE })
  const connection = { brokers: [NOWHERE], clientId: 'test' }
  const log = openKafkaLog(connection, { config, url: '', program: 'test', telemetry, onError: () => undefined })
  onTestFinished(async () => log.close())

  const pool = new pg.Pool({ connectionString: `postgres://nobody@${NOWHERE}/none` })
  onTestFinished(async () => pool.end())
  const ofStore: unknown = await pool.query('select 1').catch((error: unknown) => error)
  const admin = new Kafka({ brokers: [NOWHERE], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin()
  const ofBrokers: unknown = await admin.connect().catch((error: unknown) => error)

  expect(log.explained(ofStore)).toMatchObject({ code: 'database-unavailable' })
  const hostOfTwo = new AggregateError([ofStore, ofStore])
  expect(log.explained(hostOfTwo)).toMatchObject({ code: 'database-unavailable' })
  expect(log.explained(ofBrokers)).toMatchObject({ code: 'log-unavailable' })
  expect([ofStore, hostOfTwo, ofBrokers].map((error) => log.isTransient(error))).toEqual([true, true, true])
})
