// The log on Kafka: the port `Log`, put together from its parts.
import { setTimeout as sleep } from 'node:timers/promises'
import { TouchstoneError } from '../../errors.ts'
import type { Log, LogRecord, Subscription } from '../../pipeline/log/ports.ts'
import type { Logger } from '../../telemetry.ts'
import { createAppender } from './appender.ts'
import { readBacklog, type Refused } from './backlog.ts'
import { BRIEF_RETRY, createKafka, hangUp } from './client.ts'
import type { KafkaConnection } from './connection.ts'
import { reading } from './fetch.ts'
import { createPartitionCounts } from './partition-counts.ts'
import { createWriter } from './producing.ts'
import { createSession } from './session.ts'
import { createSubscription } from './subscription.ts'
import { ensureTopic } from './topics.ts'

export interface KafkaLogOptions {
  readonly connection: KafkaConnection
  readonly logger: Logger
  /** A member that is not heard of for so long loses its partitions; the brokers have limits for it. */
  readonly sessionTimeoutMs?: number
  /** Copies of a topic that `ensureTopic` makes; without it three, or as many as there are brokers. */
  readonly replication?: number | undefined
  /** How long an append is tried before it is given up, its outcome unknown. */
  readonly appendTimeoutMs?: number
}

const SESSION_MS = 6_000
// An election takes seconds, the restart of a broker up to 20; who waits for HTTP longer than this has given up himself.
const APPEND_MS = 30_000
const PATIENCE_MS = 10_000
// kafkajs sends to one partition of a broker at a time for each producer; more than a few producers cost more than they bring.
const WRITERS = 4
// To be told within two seconds that a broker is frozen.
const WATCH_MS = 1_500
// Who asked for an append and closes has waited already, and a process has 20 s to end.
const DRAIN_MS = 8_000
const READ_BYTES = 8 * 1024 * 1024

/** Connects nothing until it is needed. */
export function createKafkaLog(options: KafkaLogOptions): Log {
  const { connection, logger, sessionTimeoutMs = SESSION_MS, replication, appendTimeoutMs = APPEND_MS } = options
  const brief = createKafka(connection, logger, { retry: BRIEF_RETRY })
  const session = createSession({ kafka: brief, patienceMs: PATIENCE_MS })
  // A connection of its own: behind a slow read the answer would be late although the brokers are not.
  const watching = createKafka(connection, logger, {
    retry: BRIEF_RETRY,
    connectionTimeoutMs: WATCH_MS,
    requestTimeoutMs: WATCH_MS,
  })
  const watch = createSession({ kafka: watching, patienceMs: WATCH_MS })
  const refused = new Map<string, Refused>()
  const steady = createKafka(connection, logger)
  const writers = Array.from({ length: WRITERS }, () => createWriter(steady))
  const counts = createPartitionCounts(session)
  const appender = createAppender({ writers, partitions: counts.of, timeoutMs: appendTimeoutMs })
  const fetcher = reading(session)
  const subscriptions = new Set<Subscription>()
  let closed: Promise<void> | undefined

  async function close(): Promise<void> {
    await Promise.all([...subscriptions].map(async (subscription) => subscription.stop()))
    await Promise.race([appender.drain(), sleep(DRAIN_MS, undefined, { ref: false })])
    await Promise.all([...writers, session, watch].map(async (part) => part.close()))
    for (const kafka of [brief, watching, steady]) hangUp(kafka)
  }

  const log: Log = {
    ensureTopic: async (topic, wish) => ensureTopic(steady, { topic, ...wish }, replication),
    append: async (topic, records) => {
      if (closed !== undefined) throw new TouchstoneError('not-ready', 'The log is closed')
      return appender.append(topic, records)
    },
    subscribe(settings, consumer) {
      const subscription = createSubscription(
        {
          connection,
          logger,
          sessionTimeoutMs,
          ranges: log.ranges,
          ended: (over) => subscriptions.delete(over),
        },
        settings,
        consumer,
      )
      subscriptions.add(subscription)
      return subscription
    },
    ranges: async (topic) => [...(await fetcher.ranges(topic))],
    backlog: async (topic, group, from, patienceMs) =>
      readBacklog({ session: watch, refused }, { topic, group, from, patienceMs }),
    appendWaitMs: () => appender.waitMs(),
    async read(topic, partition, from, maxRecords) {
      const range = (await fetcher.ranges(topic)).find((each) => each.partition === partition)
      if (range === undefined)
        throw new TouchstoneError('not-found', `The topic ${topic} has no partition ${partition}`)
      const records: LogRecord[] = []
      let at = from > range.low ? from : range.low
      while (records.length < maxRecords && at < range.high) {
        const fetched = await fetcher.fetchFrom({ topic, partition }, at, { maxBytes: READ_BYTES })
        for (const record of fetched.records) records.push(record)
        // Nothing more to be had for now: a transaction is still open.
        if (fetched.next === at) break
        at = fetched.next
      }
      return records.slice(0, maxRecords)
    },
    close: async () => (closed ??= close()),
  }
  return log
}
