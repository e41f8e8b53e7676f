// The Kafka that KAFKA_BROKERS names: whether it answers, and whether the tests can use it as it is set up.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { SHORTEST_SESSION_MS } from './properties.ts'
import { brokersAt } from './ready.ts'

const { ConfigResourceTypes, Kafka, logLevel } = kafkajs

/** A given broker answers at once or is the wrong one. */
const ANSWER_MS = 10_000
const SESSIONS = 'group.min.session.timeout.ms'

/** Rejects when nobody answers within seconds; at once, with the setting and its cure, when tests would fail on these brokers. */
export async function untilGivenAnswers(brokers: readonly string[]): Promise<void> {
  const end = Date.now() + ANSWER_MS
  for (;;) {
    try {
      await brokersAt(brokers)
      break
    } catch (cause) {
      if (Date.now() > end)
        throw new Error(`KAFKA_BROKERS is set and nothing answers there within ${ANSWER_MS / 1000} s`, { cause })
      await sleep(200)
    }
  }
  const shortest = await shortestSessions(brokers)
  for (const [id, ms] of shortest)
    if (ms > SHORTEST_SESSION_MS)
      throw new Error(
        `KAFKA_BROKERS: ${SESSIONS} of broker ${id} is ${ms} and must be ${SHORTEST_SESSION_MS} or less (Kafka's default is 6000): ` +
          'the tests kill members of groups and wait out their sessions, which are of 600 ms and more',
      )
}

/** By broker: the coordinator of a group may be any of them. None where they do not tell it: then the tests find out. */
async function shortestSessions(brokers: readonly string[]): Promise<ReadonlyMap<number, number>> {
  const times = { connectionTimeout: 2_000, requestTimeout: 5_000 }
  const admin = new Kafka({ brokers: [...brokers], clientId: 'tests', logLevel: logLevel.NOTHING, ...times }).admin()
  try {
    await admin.connect()
    const found = new Map<number, number>()
    for (const { nodeId } of (await admin.describeCluster()).brokers) {
      const asked = { type: ConfigResourceTypes.BROKER, name: String(nodeId), configNames: [SESSIONS] }
      const answer = await admin.describeConfigs({ resources: [asked], includeSynonyms: false }).catch(() => undefined)
      const value = answer?.resources[0]?.configEntries.find(({ configName }) => configName === SESSIONS)?.configValue
      if (value !== undefined) found.set(nodeId, Number(value))
    }
    return found
  } finally {
    await admin.disconnect().catch(() => {})
  }
}
