// One client's standing connections for questions: asked again while leaders move and brokers are away, for so long and no longer.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { TouchstoneError } from '../../errors.ts'
import { explained, isTransient, rootOf, typeOf } from './errors.ts'
import { clusterOf, type Cluster } from './internals.ts'

export interface SessionOptions {
  /** From `createKafka`, with BRIEF_RETRY: what is tried again is tried here. */
  readonly kafka: Kafka
  /** How long leaders that moved and brokers that are away are asked again, in milliseconds. */
  readonly patienceMs: number
}

/** Connections are made when they are needed and kept. */
export interface Session {
  /**
   * Does the work with what is known of the topic's leaders.
   * @throws TouchstoneError `not-found` for a topic that is not there, `log-unavailable` when patience ends, `log-forbidden`.
   */
  ask<T>(topic: string, work: (cluster: Cluster) => Promise<T>): Promise<T>
  /** Never rejects; does not wait long for brokers that do not answer. */
  close(): Promise<void>
}

// Elections take tens of milliseconds on a calm cluster: soon enough for them, seldom enough for an outage.
const PAUSES_MS = [20, 50, 100, 200, 400]
const FAREWELL_MS = 1_000
// A topic that was made just now is not yet known to every broker.
const MISSING_MS = 1_000
const UNKNOWN = 'UNKNOWN_TOPIC_OR_PARTITION'

export function createSession({ kafka, patienceMs }: SessionOptions): Session {
  const cluster = clusterOf(kafka)
  return {
    ask: async (topic, work) => withPatience(cluster, patienceMs, topic, async () => work(cluster)),
    async close() {
      // An answer that never comes would hold it up.
      const bye = cluster.disconnect().catch(() => undefined)
      await Promise.race([bye, sleep(FAREWELL_MS, undefined, { ref: false })])
    },
  }
}

/** Asks again while the failure is the world's and there is time, each time with what the brokers then say of their leaders. */
async function withPatience<T>(cluster: Cluster, ms: number, topic: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const until = began + ms
  for (let tries = 0; ; tries += 1) {
    try {
      await cluster.connect()
      await cluster.addTargetTopic(topic)
      if (tries === 0) await cluster.refreshMetadataIfNecessary()
      else await cluster.refreshMetadata()
      return await work()
    } catch (error) {
      forget(cluster, error)
      const missing = typeOf(error) === UNKNOWN
      // One topic that is gone spoils the question about all of them.
      if (missing) cluster.targetTopics.clear()
      const patience = missing ? Math.min(until, began + MISSING_MS) : until
      const pause = PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)] ?? 0
      if (!isTransient(error) || performance.now() + pause > patience) throw saidOf(error, topic)
      await sleep(pause)
    }
  }
}

/** A broker that closed its connection may be another one when it is back. */
export function forget(cluster: Cluster, error: unknown): void {
  const root = rootOf(error)
  if (!(root instanceof Error) || root.name !== 'KafkaJSConnectionClosedError') return
  const { host, port } = root as Error & { host?: unknown; port?: unknown }
  if (typeof host === 'string' && typeof port === 'number') cluster.removeBroker({ host, port })
}

function saidOf(error: unknown, topic: string): unknown {
  if (typeOf(error) !== UNKNOWN) return explained(error)
  return new TouchstoneError('not-found', `Kafka has no topic ${topic}, or hides it from this user`, { cause: error })
}

/** Several questions at once share what is known of the brokers, and one may have taken away what another asked for. */
export function assertKnown(cluster: Cluster, topic: string): ReturnType<Cluster['findTopicPartitionMetadata']> {
  const known = cluster.findTopicPartitionMetadata(topic)
  if (known.length > 0) return known
  throw new TouchstoneError('log-unavailable', `What the brokers say of ${topic} is not known yet`)
}
