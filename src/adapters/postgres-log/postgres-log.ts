// The log in tables of PostgreSQL: the port `Log`, and what the publisher and the clean-up need besides.
import { TouchstoneError } from '../../errors.ts'
import type { Appended, Log, Subscription } from '../../pipeline/log/ports.ts'
import { appendPlaced, type Queryable } from './append.ts'
import { createAppender } from './appender.ts'
import { readBacklog } from './backlog.ts'
import { explained, openPools } from './connection.ts'
import { readRecords } from './fetch.ts'
import type { Placed } from './frame.ts'
import { createHints } from './hints.ts'
import { pruneRecords } from './retention.ts'
import { createSubscription } from './subscription.ts'
import { createTopics } from './topics.ts'

export interface PostgresLogOptions {
  /** Of a database where LOG_MIGRATIONS were applied. */
  readonly url: string
  /** A member that is not heard of for so long loses its partitions. */
  readonly leaseMs?: number
  /** How often readers look when no hint comes. */
  readonly pollMs?: number
  /** Told of connections that broke while nobody waited for them; for the log file. */
  readonly onError?: (error: Error) => void
}

export interface PostgresLog extends Log {
  /**
   * Appends to given partitions in the caller's transaction. The partitions are locked until it ends: let it be the last
   * statement but the commit, and call `appended` after it.
   */
  appendInTransaction(client: Queryable, topic: string, records: readonly Placed[]): Promise<Appended[]>
  /** Tells readers that a caller's transaction with records for the topics is committed. A hint: polling finds them too. */
  appended(topics: Iterable<string>): Promise<void>
  /** Removes what is older than its topic's retention; to be called now and then. Returns how many records went. */
  prune(): Promise<number>
}

const LEASE_MS = 3_000
// The promise is 200 ms at most from commit to reader; the rest is for the query.
const POLL_MS = 180

export function createPostgresLog(options: PostgresLogOptions): PostgresLog {
  const { url, leaseMs = LEASE_MS, pollMs = POLL_MS, onError = () => undefined } = options
  const pools = openPools(url, leaseMs, onError)
  const topics = createTopics(pools.read)
  const hints = createHints(pools, onError)
  const appender = createAppender(pools.append, (topicId) => hints.send('records', topicId))
  const subscriptions = new Set<Subscription>()
  const closing = new AbortController()

  const reach = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw explained(error)
    })

  return {
    ensureTopic: async (topic, settings) => reach(topics.ensure(topic, settings)),
    append: async (topic, records) => appender.append(await reach(topics.get(topic)), records),
    subscribe(settings, consumer) {
      // Not by `done`: whoever listens to it makes a failure that nobody else hears of silent.
      const ended = (over: Subscription): boolean => subscriptions.delete(over)
      const subscription = createSubscription(
        { pools, topics, hints, leaseMs, pollMs, onError, ended },
        settings,
        consumer,
      )
      subscriptions.add(subscription)
      return subscription
    },
    ranges: async (topic) => reach(topics.ranges(topic)),
    backlog: async (topic, group, from) => reach(readBacklog(pools.watch, await reach(topics.get(topic)), group, from)),
    appendWaitMs: () => appender.waitMs(),
    async read(name, partition, from, maxRecords) {
      const topic = await reach(topics.get(name))
      const range = (await reach(topics.ranges(name))).find((each) => each.partition === partition)
      if (range === undefined) throw new TouchstoneError('not-found', `The topic ${name} has no partition ${partition}`)
      if (from >= range.high) return []
      return reach(readRecords(pools.read, topic, partition, from, range.low, maxRecords))
    },
    appendInTransaction: async (client, topic, records) =>
      appendPlaced(client, (await topics.get(topic)).topicId, records),
    async appended(names) {
      for (const name of new Set(names)) hints.send('records', (await topics.get(name)).topicId)
    },
    prune: async () => reach(pruneRecords(pools.read, closing.signal)),
    async close() {
      closing.abort()
      await Promise.all([...subscriptions].map(async (subscription) => subscription.stop()))
      await appender.drain()
      await hints.end()
      await pools.end()
    },
  }
}
