// The topics as this deployment wants them: partitions, retention, and how large a record may be.
import type { Config } from '../config.ts'
import { TOPICS, topicNames, type TopicName } from '../events/topics.ts'
import type { TopicOptions } from '../pipeline/ports.ts'

export interface WantedTopic extends TopicOptions {
  readonly name: TopicName
  /** Full name, with the prefix. */
  readonly topic: string
  readonly maxRecordBytes: number
}

/** Room beside the value: key, CloudEvents and tracing headers of others, and what the log wraps around a record. */
const ROOM_BYTES = 64 << 10

/**
 * Every topic that the gate reads or writes. Sizes in bytes of a whole record. A dead letter carries a listing's record
 * untouched and our headers besides. A decision quotes its listing and is smaller than it; it gets the same limit, so
 * that no decision, once made, can fail to be published.
 */
export function wantedTopics(config: Config): WantedTopic[] {
  const topics = topicNames(config.TOUCHSTONE_TOPIC_PREFIX)
  const listings = config.TOUCHSTONE_MAX_LISTING_BYTES + ROOM_BYTES
  return (Object.keys(TOPICS) as TopicName[]).map((name) => ({
    name,
    topic: topics[name],
    partitions: config.TOUCHSTONE_PARTITIONS,
    retentionHours: TOPICS[name].retentionHours,
    maxRecordBytes: Math.max(SMALLEST_LIMIT, name === 'deadLetters' ? listings + ROOM_BYTES : listings),
  }))
}

/** What Kafka allows unless told otherwise: a deployment of small listings has no reason for less. */
const SMALLEST_LIMIT = 1 << 20
