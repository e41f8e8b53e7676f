// Topic, key, partitions and clean-up of every stream; the key is the listing so that its events keep their order.

export const TOPICS = {
  listings: { suffix: 'listings.v1', partitions: 12, retentionHours: 24 * 7 },
  decisions: { suffix: 'decisions.v1', partitions: 12, retentionHours: 24 * 30 },
  verdicts: { suffix: 'verdicts.v1', partitions: 12, retentionHours: 24 * 90 },
  deadLetters: { suffix: 'dead-letters.v1', partitions: 12, retentionHours: 24 * 90 },
} as const

export type TopicName = keyof typeof TOPICS
export type TopicNames = Readonly<Record<TopicName, string>>

/** Full topic names under a prefix, such as `touchstone.listings.v1`. */
export function topicNames(prefix: string): TopicNames {
  return {
    listings: `${prefix}.${TOPICS.listings.suffix}`,
    decisions: `${prefix}.${TOPICS.decisions.suffix}`,
    verdicts: `${prefix}.${TOPICS.verdicts.suffix}`,
    deadLetters: `${prefix}.${TOPICS.deadLetters.suffix}`,
  }
}
