// What a topic of ours is like on Kafka: its partitions, copies and settings, as they are made and as they are checked.
import type { TopicOptions } from '../../pipeline/log/ports.ts'

export interface TopicWish extends TopicOptions {
  readonly topic: string
}

export interface TopicShape {
  readonly partitions: number
  readonly replication: number
  /** By the names of Kafka: what a topic is made with. */
  readonly made: Readonly<Record<MadeSetting, string>>
  /** What it is held to. */
  readonly settings: Readonly<Record<SettingName, string>>
}

/** The last is Kafka's own default and never asked for: many who run brokers for others refuse a topic that sets it. */
export type SettingName = MadeSetting | 'unclean.leader.election.enable'

type MadeSetting =
  | 'cleanup.policy'
  | 'retention.ms'
  | 'retention.bytes'
  | 'max.message.bytes'
  | 'min.insync.replicas'
  | 'message.timestamp.type'

// What one broker may lose without anybody noticing.
const COPIES = 3
// Kafka's own default for a batch is about so much for all of it; a record alone in its batch has what wraps it besides.
const LEAST_BYTES = 1 << 20
const FRAMING_BYTES = 1_024
const HOUR_MS = 3_600_000

/** `brokers`: how many there are; `replication`: what the operator asks for, else three copies or as many as there are brokers. */
export function shapeOf(wish: TopicWish, brokers: number, replication: number | undefined): TopicShape {
  const copies = replication ?? Math.min(COPIES, Math.max(1, brokers))
  const made = {
    // Every event of a listing counts, and not only its last.
    'cleanup.policy': 'delete',
    'retention.ms': String(wish.retentionHours * HOUR_MS),
    // A limit in bytes would take records of any age.
    'retention.bytes': '-1',
    'max.message.bytes': String(Math.max(LEAST_BYTES, wish.maxRecordBytes ?? 0) + FRAMING_BYTES),
    // With three copies a write is confirmed by two, so that it outlives one broker and needs but two to go on.
    'min.insync.replicas': copies >= COPIES ? '2' : '1',
    // Lag and retention go by when the log took a record, whatever clock the producer has.
    'message.timestamp.type': 'LogAppendTime',
  }
  return {
    partitions: wish.partitions,
    replication: copies,
    made,
    // A copy that was behind, made leader, forgets what the brokers had acknowledged.
    settings: { ...made, 'unclean.leader.election.enable': 'false' },
  }
}
