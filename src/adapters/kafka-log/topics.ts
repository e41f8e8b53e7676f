// Makes a topic that is missing; one that is there is never changed.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin, Kafka } from 'kafkajs'
import { messageOf, TouchstoneError } from '../../errors.ts'
import { explained, isTransient, rootOf, typeOf } from './errors.ts'
import { shapeOf, type TopicWish } from './topic-settings.ts'

// The controller's time to make it everywhere, and then the brokers' to know it and to elect who leads.
const CREATE_MS = 10_000
const LEADERS_MS = 10_000
const LOOK_MS = 50

/**
 * Two processes may do it at once.
 * @throws TouchstoneError `log-unavailable`, `log-forbidden`, `topics-wrong` where Kafka refuses it as it is wanted.
 */
export async function ensureTopic(kafka: Kafka, wish: TopicWish, replication: number | undefined): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    if ((await partitionsOf(admin, wish.topic)) === undefined) await make(admin, wish, replication)
  })
}

/** Connects, works, disconnects; failures as the rest of the process knows them. */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    return await work(admin)
  } catch (error) {
    throw explained(error)
  } finally {
    admin.disconnect().catch(() => undefined)
  }
}

export interface PartitionState {
  readonly partitionId: number
  /** -1: nobody leads it. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** Undefined for a topic that is not there. Whoever may not create topics can be told what is there. */
export async function partitionsOf(admin: Admin, topic: string): Promise<readonly PartitionState[] | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    return topics.find(({ name }) => name === topic)?.partitions
  } catch (error) {
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined
    throw error
  }
}

async function make(admin: Admin, wish: TopicWish, replication: number | undefined): Promise<void> {
  const { brokers } = await admin.describeCluster()
  const shape = shapeOf(wish, brokers.length, replication)
  try {
    // False where somebody else made it meanwhile.
    await admin.createTopics({
      timeout: CREATE_MS,
      // kafkajs would fail where a broker does not know the topic yet, although it is made.
      waitForLeaders: false,
      topics: [
        {
          topic: wish.topic,
          numPartitions: shape.partitions,
          replicationFactor: shape.replication,
          configEntries: Object.entries(shape.made).map(([name, value]) => ({ name, value })),
        },
      ],
    })
  } catch (error) {
    const reason = reasonOf(error)
    if (isTransient(reason)) throw reason
    const said = explained(reason)
    if (said instanceof TouchstoneError) throw said
    const wanted = `${shape.partitions} partitions, ${shape.replication} copies on ${brokers.length} brokers`
    const message = `Kafka does not make the topic ${wish.topic} (${wanted}): ${messageOf(reason)}`
    throw new TouchstoneError('topics-wrong', message, { cause: error })
  }
  for (const until = performance.now() + LEADERS_MS; performance.now() < until; await sleep(LOOK_MS)) {
    const partitions = await partitionsOf(admin, wish.topic)
    if (partitions !== undefined && partitions.every(({ leader }) => leader >= 0)) return
  }
  throw new TouchstoneError(
    'log-unavailable',
    `The topic ${wish.topic} is made, but not all of its partitions have a leader`,
  )
}

/** kafkajs hides it in a list of one. */
function reasonOf(error: unknown): unknown {
  const root = rootOf(error)
  if (!(root instanceof Error) || !('errors' in root) || !Array.isArray(root.errors)) return root
  return (root.errors as unknown[])[0] ?? root
}
