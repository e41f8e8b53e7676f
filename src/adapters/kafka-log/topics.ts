// Creates topics that are missing; one that is there is never changed.
import type { Admin, Kafka } from 'kafkajs'
import { messageOf, TouchstoneError } from '../../errors.ts'
import { explained, isTransient, rootOf, typeOf } from './errors.ts'
import { shapeOf, type TopicWish } from './topic-settings.ts'

export interface TopicsMade {
  readonly created: readonly string[]
  /** Were there; nothing about them was changed. */
  readonly existing: readonly string[]
}

// The controller's time to make it everywhere.
const CREATE_MS = 10_000

/**
 * Two processes may do it at once.
 * @throws TouchstoneError `log-unavailable`, `log-forbidden`, `topics-wrong` where Kafka refuses a topic as it is wanted.
 */
export async function makeTopics(
  kafka: Kafka,
  wishes: readonly TopicWish[],
  replication: number | undefined,
): Promise<TopicsMade> {
  return withAdmin(kafka, async (admin) => {
    const [created, existing]: [string[], string[]] = [[], []]
    for (const wish of wishes) {
      const made = !(await exists(admin, wish.topic)) && (await make(admin, wish, replication))
      ;(made ? created : existing).push(wish.topic)
    }
    return { created, existing }
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

/** Asked first, so that whoever may not create topics can start where they were made for him. */
export async function exists(admin: Admin, topic: string): Promise<boolean> {
  try {
    await admin.fetchTopicMetadata({ topics: [topic] })
    return true
  } catch (error) {
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return false
    throw error
  }
}

/** False when somebody else made it meanwhile. */
async function make(admin: Admin, wish: TopicWish, replication: number | undefined): Promise<boolean> {
  const { brokers } = await admin.describeCluster()
  const shape = shapeOf(wish, brokers.length, replication)
  try {
    return await admin.createTopics({
      timeout: CREATE_MS,
      topics: [
        {
          topic: wish.topic,
          numPartitions: shape.partitions,
          replicationFactor: shape.replication,
          configEntries: Object.entries(shape.settings).map(([name, value]) => ({ name, value })),
        },
      ],
    })
  } catch (error) {
    const reason = reasonOf(error)
    const said = explained(reason)
    if (said instanceof TouchstoneError) throw said
    if (isTransient(reason)) throw reason
    const message = `Kafka does not make the topic ${wish.topic} with ${shape.replication} copies on ${brokers.length} brokers: ${messageOf(reason)}`
    throw new TouchstoneError('topics-wrong', message, { cause: error })
  }
}

/** kafkajs hides it in a list of one. */
function reasonOf(error: unknown): unknown {
  const root = rootOf(error)
  if (!(root instanceof Error) || !('errors' in root) || !Array.isArray(root.errors)) return root
  return (root.errors as unknown[])[0] ?? root
}
