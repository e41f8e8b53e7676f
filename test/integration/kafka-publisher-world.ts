// A store in a real PostgreSQL, topics in a real Kafka, and publishers between them, as several processes would have them.
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createKafka } from '../../src/adapters/kafka-log/client.ts'
import type { KafkaConnection } from '../../src/adapters/kafka-log/connection.ts'
import { createFencedLog } from '../../src/adapters/kafka-log/fenced-log.ts'
import { createFetcher } from '../../src/adapters/kafka-log/fetch.ts'
import { connect } from '../../src/adapters/postgres/connect.ts'
import { createGateStore } from '../../src/adapters/postgres/gate-store.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { STORE_MIGRATIONS } from '../../src/adapters/postgres/migrations.ts'
import { createRangeOutbox } from '../../src/adapters/postgres/outbox-ranges.ts'
import type { LogRecord } from '../../src/pipeline/log/ports.ts'
import type { OutboxRow, Publisher } from '../../src/pipeline/ports.ts'
import type { FencedLog, RangeOutbox } from '../../src/pipeline/publishing/ports.ts'
import { createRangePublisher } from '../../src/pipeline/publishing/range-publisher.ts'
import { placesOf, RANGES } from '../../src/pipeline/publishing/ranges.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { GROUP, INPUT, NOTHING, utf8 } from '../contracts/store-samples.ts'
import { freshDatabase } from '../support/database.ts'
import { freshTopic, uniqueName } from '../support/kafka/kafka.ts'
import type { StartedLeg } from '../support/kafka/legs.ts'

export const PARTITIONS = 6

export interface Ports {
  readonly outbox: RangeOutbox
  readonly log: FencedLog
}

export interface PublishingWorld {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly prefix: string
  readonly sql: pg.Pool
  /** Commits rows for the topic in one transaction of the store. */
  commit(rows: readonly Partial<OutboxRow>[]): Promise<void>
  /** Rows of many keys. */
  many(name: string, count: number): OutboxRow[]
  /** One process; `alter` puts something between it and its ports, `to` leads it to the brokers by another way. */
  process(owner: string, alter?: (ports: Ports) => Ports, to?: readonly string[]): Promise<Process>
  /** What a reader of committed records sees, by partition. */
  read(): Promise<Map<number, LogRecord[]>>
  /** Last values of the position header by partition; each must be the one before plus one. */
  positions(): Promise<number[][]>
  /** Rows that the store has given, by partition. */
  heads(): Promise<number[]>
  /** All leases are over, as when their time has passed. */
  expire(): Promise<void>
  close(): Promise<void>
}

export interface Process extends Ports {
  readonly publishers: readonly Publisher[]
  /** Publishes until nothing waits; rejects with the first failure. */
  drain(): Promise<number>
}

export async function publishingWorld(
  brokers: readonly string[],
  options: { topic?: string; prefix?: string; direct?: readonly string[] } = {},
): Promise<PublishingWorld> {
  const prefix = options.prefix ?? uniqueName('publish')
  const direct = options.direct ?? brokers
  const settings = { 'max.message.bytes': '4194304' }
  const topic = options.topic ?? (await freshTopic(direct, { numPartitions: PARTITIONS, settings }))
  const telemetry = createTelemetry({ level: 'silent' })
  const logger = pino({ level: 'silent' })
  const connection = (to: readonly string[]): KafkaConnection => ({ brokers: to, clientId: 'test' })
  const fresh = await freshDatabase()
  const database = await connect(fresh.url)
  await migrate(database.deciding, 'store', STORE_MIGRATIONS)
  const store = await createGateStore({ pool: database.deciding, outputs: { [topic]: PARTITIONS } })
  const fetcher = createFetcher({ kafka: createKafka(connection(direct), logger), patienceMs: 15_000 })
  const closing: (() => Promise<void>)[] = [() => fetcher.close()]

  const world: PublishingWorld = {
    brokers: direct,
    topic,
    prefix,
    sql: database.deciding,
    async commit(rows) {
      const outbox = rows.map((row) => ({
        topic,
        key: utf8('k'),
        value: utf8('v'),
        headers: {},
        marketplace: null,
        ...row,
      }))
      const from = await store.place(GROUP, INPUT, 0, 0n)
      const batch = { group: GROUP, topic: INPUT, partition: 0, from, next: from + 1n }
      await store.commit(batch, [], () => ({ ...NOTHING, outbox }))
    },
    many: (name, count) =>
      Array.from({ length: count }, (_, i) => ({
        topic,
        key: utf8(`${name}-${i}`),
        value: utf8(`${name}-${i}`),
        headers: { ce_type: utf8('test') },
        marketplace: null,
      })),
    async process(owner, alter = (ports) => ports, to = brokers) {
      const log = createFencedLog({ connection: connection(to), logger, prefix })
      closing.push(() => log.close())
      const outbox = await createRangeOutbox({ pool: database.deciding, topics: [topic], owner, courtesyMs: 0 })
      const ports = alter({ outbox, log })
      const publishers = RANGES.map((range) =>
        createRangePublisher({ ...ports, range, places: placesOf(range, outbox.places), telemetry }),
      )
      closing.push(async () => {
        for (const publisher of publishers) await publisher.release().catch(() => undefined)
      })
      return {
        ...ports,
        publishers,
        async drain() {
          let total = 0
          for (const publisher of publishers)
            for (let count = -1; count !== 0; total += count) count = await publisher.publish()
          return total + publishers.length
        },
      }
    },
    async read() {
      const found = new Map<number, LogRecord[]>()
      // A commit is answered before all its partitions show it; what is still hidden then is of a transaction that is open.
      const until = performance.now() + 1_000
      for (const { partition, low, high } of await fetcher.ranges(topic)) {
        const records: LogRecord[] = []
        for (let from = low; from < high;) {
          const part = await fetcher.fetchFrom({ topic, partition }, from, { maxBytes: 8 * 1024 * 1024 })
          records.push(...part.records)
          if (part.next === from && performance.now() > until) break
          if (part.next === from) await sleep(20)
          from = part.next
        }
        found.set(partition, records)
      }
      return found
    },
    async positions() {
      const read = await world.read()
      return Array.from({ length: PARTITIONS }, (_, partition) =>
        (read.get(partition) ?? []).flatMap((record) => {
          const own = record.headers['touchstone-position'] ?? null
          const last = own === null || own instanceof Uint8Array ? own : (own.at(-1) ?? null)
          return last === null ? [] : [Number(Buffer.from(last).toString())]
        }),
      )
    },
    async heads() {
      const { rows } = await database.deciding.query<{ pos: string }>(
        'select pos from touchstone.outbox_head where topic = $1 order by part',
        [topic],
      )
      return rows.map((row) => Number(row.pos))
    },
    async expire() {
      await database.deciding.query(`update touchstone.outbox_lease set until = clock_timestamp()`)
    },
    async close() {
      for (const step of closing.splice(0).reverse()) await step()
      await database.close()
      await fresh.drop()
    },
  }
  return world
}

/** Positions from 1 to each head, once and in order. */
export const upTo = (heads: readonly number[]): number[][] =>
  heads.map((head) => Array.from({ length: head }, (_, i) => i + 1))

/** The process is gone after the transaction of Kafka and before the mark. */
export const diesBeforeTheMark = ({ outbox, log }: Ports): Ports => ({
  log,
  outbox: { ...outbox, mark: () => Promise.reject(new Error('died before the mark')) },
})

/** For a suite: makes worlds on the brokers that it starts, each closed when its test is over. */
export function worldsOn(
  start: () => Promise<StartedLeg>,
): (options?: Parameters<typeof publishingWorld>[1]) => Promise<PublishingWorld> {
  let kafka: StartedLeg | undefined
  const open: PublishingWorld[] = []
  beforeAll(async () => {
    kafka = await start()
  })
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })
  afterAll(async () => kafka?.stop())
  return async (options = {}) => {
    const made = await publishingWorld(kafka?.brokers ?? [], options)
    open.push(made)
    return made
  }
}
