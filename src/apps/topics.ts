// The topics as this deployment wants them: partitions, retention, and how large a record may be.
import type { Config } from '../config.ts'
import { TOPICS, topicNames, type TopicName } from '../events/topics.ts'
import type { TopicOptions } from '../pipeline/log/ports.ts'

export interface WantedTopic extends TopicOptions {
  readonly name: TopicName
  /** Full name, with the prefix. */
  readonly topic: string
  readonly maxRecordBytes: number
}

/** Room beside the value: key, CloudEvents and tracing headers of others, and what the log wraps around a record. */
const ROOM_BYTES = 64 << 10

/** What Kafka allows unless told otherwise: a deployment of small listings has no reason for less. */
const SMALLEST_LIMIT = 1 << 20

/**
 * How large a record of the topic may be, in bytes of all of it. A dead letter carries a listing's record untouched and our
 * headers besides; what is larger all the same is cut to this. Decisions, refusals and verdicts are bounded by what they
 * quote (test/unit/pipeline/sizes.test.ts), far below the smallest limit.
 */
export function limitOf(name: TopicName, config: Pick<Config, 'TOUCHSTONE_MAX_LISTING_BYTES'>): number {
  const listings = config.TOUCHSTONE_MAX_LISTING_BYTES + ROOM_BYTES
  return Math.max(SMALLEST_LIMIT, name === 'deadLetters' ? listings + ROOM_BYTES : listings)
}

/** Every topic that the gate reads or writes. */
export function wantedTopics(config: Config): WantedTopic[] {
  const topics = topicNames(config.TOUCHSTONE_TOPIC_PREFIX)
  return (Object.keys(TOPICS) as TopicName[]).map((name) => ({
    name,
    topic: topics[name],
    partitions: config.TOUCHSTONE_PARTITIONS,
    retentionHours: TOPICS[name].retentionHours,
    maxRecordBytes: limitOf(name, config),
  }))
}
