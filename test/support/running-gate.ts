// The whole gate on a fresh database of the real PostgreSQL of this run, its log there too or on the real Kafka, and ways to
// send to it and to wait for it.
import { randomBytes } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { startGate, type RunningGate } from '../../src/apps/gate.ts'
import { readConfig } from '../../src/config.ts'
import type { Decision } from '../../src/domain/decision.ts'
import type { Listing } from '../../src/domain/listing.ts'
import type { Refusal } from '../../src/domain/refusal.ts'
import type { EventDefinition } from '../../src/events/event.ts'
import { listingDecided, listingRevised, listingSubmitted, listingWithdrawn } from '../../src/events/index.ts'
import { encodeEvent } from '../../src/events/wire.ts'
import type { Appended, LogRecord } from '../../src/pipeline/log/ports.ts'
import type { FeedEntry } from '../../src/pipeline/ports.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { freshDatabase } from './database.ts'
import { until } from './until.ts'

export interface GateUnderTest {
  readonly gate: RunningGate
  readonly url: string
  submit(listing: Partial<Listing> & { listingId: string }, event?: 'submitted' | 'revised'): Promise<Appended>
  withdraw(listingId: string, revision: number): Promise<Appended>
  raw(value: Uint8Array | null, headers?: Record<string, Uint8Array>): Promise<Appended>
  /** Waits until everything that was appended is decided, and gives the whole feed from its beginning. */
  settled(): Promise<{ entries: FeedEntry[]; decisions: Decision[]; refusals: Refusal[] }>
  deadLetters(): Promise<LogRecord[]>
  until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T>
  stop(): Promise<void>
}

/** `kafka`: brokers of this run, see kafka/kafka.ts; the topics get a prefix of their own, and are deleted at the end. */
export async function startGateUnderTest(
  env: Record<string, string> = {},
  database = freshDatabase(),
  kafka?: readonly string[],
): Promise<GateUnderTest> {
  const { url, drop } = await database
  const config = readConfig({
    DATABASE_URL: url,
    TOUCHSTONE_PARTITIONS: '3',
    ...(kafka === undefined ? {} : onKafka(kafka)),
    ...env,
  })
  const telemetry = createTelemetry({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
  const gate = await startGate(config, telemetry, () => undefined)
  const { log, topics, reader } = gate

  const append = async (record: {
    key: Uint8Array | null
    value: Uint8Array | null
    headers: Record<string, Uint8Array>
  }) => {
    const [place] = await log.append(topics.listings, [record])
    if (place === undefined) throw new Error('nothing was appended')
    return place
  }
  const event = (definition: EventDefinition, data: unknown, id: string) =>
    append({
      key: Buffer.from(id),
      ...encodeEvent(definition, data as never, { id, source: 'urn:test', time: '2026-01-01T00:00:00Z', subject: id }),
    })
  return {
    gate,
    url,
    submit: (listing, kind = 'submitted') =>
      event(
        kind === 'submitted' ? listingSubmitted : listingRevised,
        { revision: 1, sellerId: 'S-1', title: 'A wooden chair', ...listing },
        listing.listingId,
      ),
    withdraw: (listingId, revision) => event(listingWithdrawn, { listingId, revision }, listingId),
    raw: (value, headers = {}) => append({ key: Buffer.from('raw'), value, headers }),
    until,
    async settled() {
      const ranges = await log.ranges(topics.listings)
      for (const { partition, low, high } of ranges) {
        await until(
          `partition ${partition} is read`,
          async () => (await gate.store.place(gate.groups.listings, topics.listings, partition, low)) >= high,
        )
      }
      const entries: FeedEntry[] = []
      for (let after: string | undefined; ;) {
        const page = await reader.feed(after, 100, undefined)
        entries.push(...page.entries)
        if (page.entries.length === 0) break
        after = page.next
      }
      const decided = entries.filter((e) => e.type === listingDecided.type)
      return {
        entries,
        decisions: decided.map((e) => e.data as Decision),
        refusals: entries.filter((e) => e.type !== listingDecided.type).map((e) => e.data as Refusal),
      }
    },
    async deadLetters() {
      await until('the outbox is empty', async () => (await gate.publisher.backlog()).rows === 0)
      const all: LogRecord[] = []
      for (const { partition, low } of await log.ranges(topics.deadLetters))
        all.push(...(await log.read(topics.deadLetters, partition, low, 1_000)))
      return all
    },
    async stop() {
      await gate.stop()
      await drop()
      if (kafka !== undefined) await deleteTopics(kafka, Object.values(topics))
    },
  }
}

/** Settings of a gate whose topics and groups no other test uses. A session as short as a test broker allows. */
export const onKafka = (brokers: readonly string[]): Record<string, string> => ({
  KAFKA_BROKERS: brokers.join(','),
  KAFKA_SESSION_TIMEOUT_MS: '3000',
  TOUCHSTONE_TOPIC_PREFIX: `test-${randomBytes(6).toString('hex')}`,
})

export async function deleteTopics(brokers: readonly string[], topics: readonly string[]): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const there = new Set(await admin.listTopics())
    await admin.deleteTopics({ topics: topics.filter((topic) => there.has(topic)) })
  } finally {
    await admin.disconnect()
  }
}
