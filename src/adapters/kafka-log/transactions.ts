// One transactional id's conversation with the brokers: kafkajs encodes it and carries it, and no Produce and no EndTxn is sent twice.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Message } from 'kafkajs'
import { TouchstoneError } from '../../errors.ts'
import { isTransient, typeOf } from './errors.ts'
import type { Cluster } from './internals.ts'
import { assertKnown, forget } from './session.ts'

/** Messages that become one record batch of one partition. */
export interface PartitionBatch {
  readonly topic: string
  readonly partition: number
  /** At least one. */
  readonly messages: readonly Message[]
  /** About what they take on the wire. */
  readonly bytes: number
}

export interface Transactions {
  /**
   * Shuts out every earlier user of the id: it resolves when their transaction is aborted or complete. Asks again while
   * the brokers are away, until then by `performance.now()`.
   */
  fence(until: number): Promise<void>
  /**
   * One transaction, of several partitions at once, each in the order given. Only after `fence`, and never again after it
   * rejected: then nobody knows what the brokers have.
   */
  write(batches: readonly PartitionBatch[]): Promise<void>
}

const TRANSACTION = 1
const COMMIT = true
const ALL_REPLICAS = -1
/** Of one request: brokers refuse what is larger than 100 MiB, and a slow one must get it through in its time. */
const REQUEST_BYTES = 4 * 1024 * 1024
/** After a commit the brokers take some milliseconds to end the transaction, and refuse the next one so long. */
const REFUSED_PAUSES_MS = [1, 2, 4, 8, 16]
const FENCE_PAUSE_MS = 20
/** The sequence numbers of a partition go round after this one (https://kafka.apache.org/protocol, "first sequence"). */
const LAST_SEQUENCE = 2 ** 31 - 1

/**
 * kafkajs's own producer asks for the coordinator, adds a partition and sends for each partition one after the other, ten
 * requests where three do, and its retries lose and double. Here a write is three requests, or a few more where it is large: the
 * partitions join the transaction together, each leader gets what is for it in one request of 4 MiB at most, the
 * transaction ends. Every partition must
 * be in the leaders' answers without an error; whatever else happens ends this id's use, and whoever fences next looks at
 * the end of the topics to see what came of it.
 */
export function createTransactions(cluster: Cluster, transactionalId: string, timeoutMs: number): Transactions {
  let coordinator = ''
  let producer = { producerId: '', producerEpoch: -1 }
  let sequences = new Map<string, number>()

  async function initialise(): Promise<void> {
    await cluster.connect()
    const broker = await cluster.findGroupCoordinator({ groupId: transactionalId, coordinatorType: TRANSACTION })
    const { producerId, producerEpoch } = await broker.initProducerId({
      transactionalId,
      transactionTimeout: timeoutMs,
    })
    coordinator = broker.nodeId
    producer = { producerId, producerEpoch }
    sequences = new Map()
  }

  async function join(batches: readonly PartitionBatch[]): Promise<void> {
    const topics = [...Map.groupBy(batches, (batch) => batch.topic)].map(([topic, some]) => ({
      topic,
      partitions: [...new Set(some.map((batch) => batch.partition))],
    }))
    const broker = await cluster.findBroker({ nodeId: coordinator })
    const until = performance.now() + timeoutMs
    for (let tries = 0; ; tries += 1) {
      try {
        await broker.addPartitionsToTxn({ transactionalId, ...producer, topics })
        return
      } catch (error) {
        if (typeOf(error) !== 'CONCURRENT_TRANSACTIONS' || performance.now() > until) throw error
        await sleep(REFUSED_PAUSES_MS[Math.min(tries, REFUSED_PAUSES_MS.length - 1)])
      }
    }
  }

  async function produce(nodeId: string, batches: readonly PartitionBatch[]): Promise<void> {
    const broker = await cluster.findBroker({ nodeId })
    const topicData = [...Map.groupBy(batches, (batch) => batch.topic)].map(([topic, some]) => ({
      topic,
      partitions: some.map(({ partition, messages }) => {
        const name = nameOf({ topic, partition })
        const firstSequence = sequences.get(name) ?? 0
        sequences.set(name, sequenceAfter(firstSequence, messages.length))
        return { partition, firstSequence, messages }
      }),
    }))
    const answer = await broker.produce({
      transactionalId,
      ...producer,
      acks: ALL_REPLICAS,
      timeout: timeoutMs,
      topicData,
    })
    const confirmed = answer.topics.flatMap(({ topicName, partitions }) =>
      partitions
        .filter(({ errorCode }) => errorCode === 0)
        .map(({ partition }) => nameOf({ topic: topicName, partition })),
    )
    const missing = batches.map(nameOf).filter((name) => !confirmed.includes(name))
    if (missing.length > 0)
      throw new TouchstoneError('log-unavailable', `Kafka did not confirm what was sent to ${missing.join(', ')}`)
  }

  return {
    async fence(until) {
      for (;;) {
        try {
          await initialise()
          return
        } catch (error) {
          forget(cluster, error)
          if (!isTransient(error) || performance.now() > until) throw error
          await sleep(FENCE_PAUSE_MS)
        }
      }
    },

    async write(batches) {
      for (const topic of new Set(batches.map((batch) => batch.topic))) await cluster.addTargetTopic(topic)
      await cluster.refreshMetadataIfNecessary()
      await join(batches)
      for (const round of roundsOf(batches)) {
        const sends = [...byLeader(cluster, round)].map(([nodeId, some]) => produce(nodeId, some))
        // All must have ended, well or not, before anybody may think that nothing is under way any more.
        const results = await Promise.allSettled(sends)
        const failed = results.find((result) => result.status === 'rejected')
        if (failed !== undefined) throw failed.reason
      }
      const broker = await cluster.findBroker({ nodeId: coordinator })
      await broker.endTxn({ transactionalId, ...producer, transactionResult: COMMIT })
    },
  }
}

const nameOf = ({ topic, partition }: Pick<PartitionBatch, 'topic' | 'partition'>): string => `${topic}[${partition}]`

/** The number of the next batch of a partition, `records` after one that began with `first`. */
export function sequenceAfter(first: number, records: number): number {
  const left = LAST_SEQUENCE - first
  return records > left ? records - left - 1 : first + records
}

/** Requests one after the other: of each partition one batch at most, and so many bytes, or one batch that is larger. */
export function roundsOf(batches: readonly PartitionBatch[]): readonly (readonly PartitionBatch[])[] {
  const rounds: PartitionBatch[][] = []
  for (let left = batches; left.length > 0;) {
    const round: PartitionBatch[] = []
    const later: PartitionBatch[] = []
    const passed = new Set<string>()
    let room = REQUEST_BYTES
    for (const batch of left) {
      const name = nameOf(batch)
      const fits = round.length === 0 || batch.bytes <= room
      // What was put off holds back what comes after it on its partition.
      if (fits && !passed.has(name)) {
        round.push(batch)
        room -= batch.bytes
      } else later.push(batch)
      passed.add(name)
    }
    rounds.push(round)
    left = later
  }
  return rounds
}

function byLeader(cluster: Cluster, batches: readonly PartitionBatch[]): Map<string, PartitionBatch[]> {
  const leaderOf = (batch: PartitionBatch): string => {
    assertKnown(cluster, batch.topic)
    const [leader] = Object.keys(cluster.findLeaderForPartitions(batch.topic, [batch.partition]))
    if (leader === undefined) throw new TouchstoneError('log-unavailable', `Kafka names no leader for ${nameOf(batch)}`)
    return leader
  }
  return Map.groupBy(batches, leaderOf)
}
