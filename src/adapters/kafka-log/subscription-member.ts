// One life of a member of a Kafka group: kafkajs's consumer with what it lacks, so that the partitions are handed over and not torn away.
import { setTimeout as sleep } from 'node:timers/promises'
import { PartitionAssigners, type Consumer, type ConsumerCrashEvent } from 'kafkajs'
import { TouchstoneError } from '../../errors.ts'
import type { Logger } from '../../telemetry.ts'
import { createKafka, hangUp } from './client.ts'
import type { KafkaConnection } from './connection.ts'
import { typeOf } from './errors.ts'
import type { RawMessage } from './internals.ts'
import type { Fetched } from './subscription-queue.ts'
import { refusalIn } from './unreadable.ts'

export interface MemberSettings {
  readonly connection: KafkaConnection
  readonly logger: Logger
  readonly topic: string
  readonly group: string
  /** A member that is not heard of for so long loses its partitions. */
  readonly sessionTimeoutMs: number
  /** How often is looked for new partitions of the topic. */
  readonly metadataAgeMs: number
  /** Of one fetch of one partition, as far as the records' own sizes allow. */
  readonly maxBytes: number
  /** Of one fetch of one broker. */
  readonly maxFetchBytes: number
}

/** What happens to a member. All are called by kafkajs's own code: none may throw. */
export interface MemberEvents {
  /** These partitions are given and no others. They stand still until each is placed. */
  joined(partitions: readonly number[]): void
  /** All partitions are about to go: resolves when nothing of them is in hand any more, so that others may have them. */
  leaving(): Promise<void>
  fetched(partition: number, fetched: Fetched): void
  /** Only control and aborted records were there: `from` is the first of them, which is where the fetch began or later. */
  skipped(partition: number, from: bigint, next: bigint, end: bigint): void
  /** Nothing from this offset on can be read: the failure says what lies there. Comes again until the partition is paused. */
  unreadable(partition: number, from: bigint, refusal: TouchstoneError): void
  /** The brokers confirmed this member. */
  renewed(): void
  /** The brokers answered what is new, or there was nothing to ask. */
  polled(): void
  /** Something went wrong that kafkajs tries again by itself. */
  trouble(error: unknown): void
}

export interface Member {
  /** Joins, and resolves when `ended` aborts; rejects when the brokers refuse for good, or kafkajs gave up. */
  live(ended: AbortSignal): Promise<void>
  /** Goes on reading a partition of the newest assignment from an offset. */
  place(partition: number, offset: bigint): void
  pause(partition: number): void
  resume(partition: number): void
  /** For lag tools only: nobody reads it back. */
  commit(offsets: ReadonlyMap<number, bigint>): Promise<void>
  /** Leaves the group; gives up after some seconds, and never rejects. */
  leave(): Promise<void>
}

// An idle partition's record comes at once. Small fetches eat the machine, so the next one begins 25 ms after an answer that
// held less than 64 KiB of a partition: whatever came meanwhile comes together.
const MIN_BYTES = 1
const SMALL_BYTES = 64 * 1024
const PACE_MS = 25
// Between two fetches is the time for heartbeats, for leaving, and for partitions that were placed meanwhile.
const MAX_WAIT_MS = 50
// More than a broker's answer has partitions, so that none waits for the pause after another.
const AT_ONCE = 1_000
// Joining and leaving costs others one beat; a session is six at least.
const BEAT_MS = 500
// What the group waits for a member that finishes what it has in hand, and for one whose network is slow.
const REBALANCE_MS = 60_000
// What a member that leaves waits for a silent broker, which will then notice by the session's end.
const FAREWELL_MS = 3_000
// Gives up after about two seconds; the consumer around it begins anew. Who stops meanwhile waits no longer than that.
const REACH_RETRY = { initialRetryTime: 50, maxRetryTime: 500, retries: 5 }
// In a cluster a topic that was just made is not known to every broker at once.
const TOPIC_TRIES = 5
const TOPIC_PAUSE_MS = 200

export function createMember(settings: MemberSettings, events: MemberEvents): Member {
  const { topic, group, sessionTimeoutMs } = settings
  let closed = false
  // Whether kafkajs has a group to pause and seek in.
  let joined = false
  let started: Promise<void> = Promise.resolve()

  /*
   * kafkajs tells nobody before it gives partitions up. It asks for the coordinator before every join: there it waits until
   * what is in hand is done. The cluster is what it gives to custom assigners.
   */
  const gated: typeof PartitionAssigners.roundRobin = (config) => {
    const { cluster } = config
    const find = cluster.findGroupCoordinator.bind(cluster)
    cluster.findGroupCoordinator = async (wanted) => {
      await events.leaving()
      if (closed) throw finished()
      return find(wanted)
    }
    return PartitionAssigners.roundRobin(config)
  }

  // A client for each member: kafkajs keeps the offsets of a group per client, and two members would mix theirs.
  const kafka = createKafka(settings.connection, settings.logger, { retry: REACH_RETRY })
  const consumer: Consumer = kafka.consumer({
    groupId: group,
    partitionAssigners: [gated],
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: REBALANCE_MS,
    heartbeatInterval: Math.min(BEAT_MS, Math.floor(sessionTimeoutMs / 6)),
    metadataMaxAge: settings.metadataAgeMs,
    maxBytesPerPartition: settings.maxBytes,
    maxBytes: settings.maxFetchBytes,
    minBytes: MIN_BYTES,
    maxWaitTimeInMs: MAX_WAIT_MS,
    allowAutoTopicCreation: false,
    readUncommitted: false,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 60, restartOnFailure: async () => !closed },
  })
  const crashed = Promise.withResolvers<never>()
  crashed.promise.catch(() => undefined)

  const at = (partition: number) => [{ topic, partitions: [partition] }]
  const { GROUP_JOIN, HEARTBEAT, FETCH, STOP, CRASH, START_BATCH_PROCESS } = consumer.events
  consumer.on(GROUP_JOIN, ({ payload }) => {
    if (closed) return
    joined = true
    const partitions = payload.memberAssignment[topic] ?? []
    // Before the first fetch, or kafkajs begins where its own committed offsets say.
    if (partitions.length > 0) consumer.pause([{ topic, partitions }])
    events.joined(partitions)
    events.renewed()
  })
  consumer.on(HEARTBEAT, () => events.renewed())
  let answered = 0
  consumer.on(FETCH, () => {
    answered = performance.now()
    events.polled()
  })
  consumer.on(STOP, () => {
    joined = false
    void events.leaving()
  })
  consumer.on(CRASH, ({ payload: { error, restart } }: ConsumerCrashEvent) => {
    joined = false
    if (closed) return
    if (restart) events.trouble(error)
    else crashed.reject(error)
  })
  consumer.on(START_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize > 0 || payload.topic !== topic) return
    const next = BigInt(payload.lastOffset) + 1n
    // Null in spite of its type where the batch has nothing at or above where the fetch began.
    const first = payload.firstOffset as string | null
    events.skipped(payload.partition, first === null ? next - 1n : BigInt(first), next, BigInt(payload.highWatermark))
  })

  async function find(ended: AbortSignal): Promise<void> {
    for (let tries = 1; !ended.aborted; tries += 1) {
      try {
        await consumer.subscribe({ topic, fromBeginning: true })
        return
      } catch (error) {
        if (typeOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
        if (tries === TOPIC_TRIES) throw new TouchstoneError('not-found', `The log has no topic ${topic}`)
        await sleep(TOPIC_PAUSE_MS)
      }
    }
  }

  async function join(ended: AbortSignal): Promise<void> {
    await consumer.connect()
    await find(ended)
    if (ended.aborted) return
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      // Nothing is worked on in there: batches are put into queues, so that fetching and heartbeats never wait for work.
      partitionsConsumedConcurrently: AT_ONCE,
      eachBatch: async ({ batch, resolveOffset }) => {
        if (closed || batch.topic !== topic) return
        // Not in the types of kafkajs; what it fetched from may not be what it was told.
        const { fetchedOffset } = batch as unknown as { readonly fetchedOffset: string | number }
        const messages = batch.messages as unknown as readonly RawMessage[]
        const refusal = refusalIn(topic, batch.partition, messages)
        if (refusal !== undefined) {
          events.unreadable(batch.partition, BigInt(fetchedOffset), refusal)
          return
        }
        const last = batch.lastOffset()
        resolveOffset(last)
        events.fetched(batch.partition, {
          from: BigInt(fetchedOffset),
          next: BigInt(last) + 1n,
          end: BigInt(batch.highWatermark),
          messages,
        })
        const pause = answered + PACE_MS - performance.now()
        if (pause > 0 && messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0) < SMALL_BYTES)
          await sleep(pause)
      },
    })
  }

  return {
    async live(ended) {
      const end = new Promise<void>((resolve) => {
        if (ended.aborted) resolve()
        ended.addEventListener('abort', () => resolve(), { once: true })
      })
      started = join(ended)
      await Promise.race([started.then(async () => end), end, crashed.promise])
    },
    place(partition, offset) {
      if (!joined) return
      consumer.seek({ topic, partition, offset: offset.toString() })
      consumer.resume(at(partition))
    },
    pause(partition) {
      if (joined) consumer.pause(at(partition))
    },
    resume(partition) {
      if (joined) consumer.resume(at(partition))
    },
    async commit(offsets) {
      if (!joined || offsets.size === 0) return
      await consumer.commitOffsets(
        [...offsets].map(([partition, offset]) => ({ topic, partition, offset: offset.toString() })),
      )
    },
    async leave() {
      closed = true
      const patience = sleep(FAREWELL_MS, undefined, { ref: false })
      // kafkajs forgets a member whose first join is still under way, and that one would never end.
      const orderly = started
        .catch(() => undefined)
        .then(async () => consumer.disconnect())
        .catch(() => undefined)
      await Promise.race([orderly, patience])
      // A join that ended after the member left would go on reading for ever.
      hangUp(kafka)
    },
  }
}

/** kafkajs looks at nothing but this property, and its own classes cannot be imported by name. */
const finished = (): Error => Object.assign(new Error('The subscription is over'), { retriable: false })
