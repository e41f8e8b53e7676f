// The whole gate on Kafka between two Java clients: one that writes to it as others do, and one that counts what comes out.
import { randomBytes } from 'node:crypto'
import type { Decision } from '../../../src/domain/decision.ts'
import { topicNames, type TopicNames } from '../../../src/events/topics.ts'
import { startGateUnderTest, type GateUnderTest } from '../running-gate.ts'
import { consumeWithJava, produceWithJava, type ConsumedRecord, type JavaRecord } from './java.ts'

export const utf8 = (text: string) => Buffer.from(text)
export const json = (data: unknown) => utf8(JSON.stringify(data))
export const listing = (listingId: string, more: object = {}) => ({
  listingId,
  revision: 1,
  sellerId: 'S-1',
  title: 'A wooden chair',
  ...more,
})
export const bare = (listingId: string, more: object = {}): JavaRecord => ({
  key: utf8(listingId),
  value: json(listing(listingId, more)),
})

export const text = (base64: string | null | undefined) =>
  typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString() : null
export const header = (record: ConsumedRecord, name: string) => text(record.headers.findLast(([n]) => n === name)?.[1])

export interface World {
  readonly t: GateUnderTest
  readonly topics: TopicNames
  send(
    records: Parameters<typeof produceWithJava>[0]['records'],
    how?: Partial<Parameters<typeof produceWithJava>[0]>,
  ): ReturnType<typeof produceWithJava>
  /** What a reader of committed records counts of the topic, once all is decided and published. */
  read(topic: 'decisions' | 'deadLetters'): Promise<ConsumedRecord[]>
}

export async function gateOn(
  brokers: readonly string[],
  env: Record<string, string> = {},
  prepare?: (topics: TopicNames) => Promise<void>,
): Promise<World> {
  const prefix = `test-${randomBytes(6).toString('hex')}`
  const topics = topicNames(prefix)
  await prepare?.(topics)
  const t = await startGateUnderTest({ TOUCHSTONE_TOPIC_PREFIX: prefix, ...env }, undefined, brokers)
  return {
    t,
    topics,
    send: (records, how = {}) => produceWithJava({ brokers, topic: topics.listings, records, ...how }),
    async read(topic) {
      await t.settled()
      await t.deadLetters()
      return consumeWithJava({ brokers, topic: topics[topic], isolation: 'read_committed' })
    },
  }
}

export const decidedOf = (records: readonly ConsumedRecord[]) =>
  records
    .filter((r) => header(r, 'ce_type') === 'touchstone.listing.decided.v1')
    .map((r) => JSON.parse(text(r.value) ?? '') as Decision)
