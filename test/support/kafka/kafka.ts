// What a test asks for a Kafka: the one of the run, or the right to start brokers of its own.
import { randomUUID } from 'node:crypto'
import { Kafka, logLevel, type Admin, type ITopicConfig } from 'kafkajs'
import { inject } from 'vitest'
import { realPart } from '../real-parts.ts'
import { HOW_TO_GET_JAVA } from './shared.ts'

/**
 * The brokers of the run, `host:port`. Undefined, said aloud, where there is none; throws there when real parts are
 * required. Others use them at the same time: `uniqueName` for every topic, group and transactional id.
 */
export function kafkaOrSkip(): readonly string[] | undefined {
  const kafka = inject('kafka')
  const missing = 'missing' in kafka
  return realPart('Kafka', !missing, missing ? kafka.missing : '') && !missing ? kafka.brokers : undefined
}

/** Whether `startCluster` works here: for tests that kill, freeze, secure or set up brokers of their own. */
export function ownBrokersOrSkip(): boolean {
  const kafka = inject('kafka')
  return realPart('a Kafka of our own', 'ownBrokers' in kafka && kafka.ownBrokers, HOW_TO_GET_JAVA)
}

/** Whether Kafka's own client works here (`java.ts`): a given broker and one in a container bring none. */
export function javaOrSkip(): boolean {
  const kafka = inject('kafka')
  // It takes what brokers of our own take: a JDK, and Kafka's jars.
  return realPart("Kafka's own Java client", 'ownBrokers' in kafka && kafka.ownBrokers, HOW_TO_GET_JAVA)
}

export function uniqueName(what: string): string {
  return `${what}-${randomUUID().slice(0, 13)}`
}

/** Made by kafkajs itself, so that a fault of our adapter cannot hide in the test of it. */
export async function withAdmin<T>(brokers: readonly string[], work: (admin: Admin) => Promise<T>): Promise<T> {
  const retry = { initialRetryTime: 50, retries: 10, maxRetryTime: 1_000 }
  const admin = new Kafka({ brokers: [...brokers], clientId: 'tests', logLevel: logLevel.NOTHING, retry }).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** A new topic of one partition, or as said; resolves with its name when every partition has a leader. */
export async function freshTopic(
  brokers: readonly string[],
  { name = uniqueName('topic'), settings = {}, ...config }: FreshTopic = {},
): Promise<string> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  const topics = [{ topic: name, numPartitions: 1, ...config, configEntries }]
  await withAdmin(brokers, (admin) => admin.createTopics({ topics, waitForLeaders: true, timeout: 15_000 }))
  return name
}

export interface FreshTopic extends Pick<ITopicConfig, 'numPartitions' | 'replicationFactor'> {
  readonly name?: string
  readonly settings?: Readonly<Record<string, string>>
}
