// A broker is killed under the whole gate while listings come in. Real: three Kafka brokers, PostgreSQL, the gate; who counts
// the decisions is Kafka's own Java client.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import { startCluster, type KafkaCluster } from '../support/kafka/broker.ts'
import { consumeWithJava, type ConsumedRecord } from '../support/kafka/java.ts'
import { ownBrokersOrSkip, withAdmin } from '../support/kafka/kafka.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

/** Of the topics in which Kafka keeps what its coordinators know, as the brokers of the tests have them. */
const COORDINATOR_PARTITIONS = 5
/** The gate holds still for an election and a session; far more is a gate that does not come back. */
const STANDSTILL_MS = 20_000

describe.runIf(ownBrokersOrSkip())('the gate on three brokers, one of which is killed', () => {
  let cluster: KafkaCluster
  let t: GateUnderTest
  const confirmed: string[] = []
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 3 })
    t = await startGateUnderTest({ TOUCHSTONE_PARTITIONS: '6' }, undefined, cluster.brokers)
  }, 90_000)
  beforeEach(async () => {
    for (const node of cluster.nodes) if (node.pid() === undefined) await node.start()
  }, 90_000)
  afterAll(async () => {
    await t?.gate.stop()
    await cluster?.stop()
  })

  const leadersOf = async (topic: string): Promise<number[]> =>
    withAdmin(cluster.brokers, async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      const partitions = topics[0]?.partitions ?? []
      return partitions.sort((a, b) => a.partitionId - b.partitionId).map(({ leader }) => leader)
    })
  const leaderOf = async (topic: string, partition: number) => (await leadersOf(topic))[partition]
  const prefix = () => t.gate.topics.listings.replace(/\.listings\.v1$/, '')

  // Each leads partitions of every topic too: what was never restarted keeps its share of six.
  it.each([
    ['the coordinator of the group', () => leaderOf('__consumer_offsets', slotOf(t.gate.groups.listings))],
    [
      "the coordinator of a publisher's transactions",
      () => leaderOf('__transaction_state', slotOf(`${prefix()}-publisher-0`)),
    ],
  ])(
    '%s: every acknowledged listing is decided once, for every reader of committed records',
    async (what, victim) => {
      let killed = 0
      let longest = 0
      const name = what.replaceAll(/\W+/g, '-')
      const feed = async (lane: number): Promise<void> => {
        // Enough of them after the broker is gone.
        for (let [i, after, last] = [0, 0, performance.now()]; after < 15; i += 1) {
          const listingId = `${name}-${lane}-${i}`
          await t.submit({ listingId })
          confirmed.push(listingId)
          if (killed > 0) {
            after += 1
            longest = Math.max(longest, performance.now() - last)
          }
          last = performance.now()
        }
      }
      const before = confirmed.length
      const feeding = Promise.all(Array.from({ length: 6 }, (_, lane) => feed(lane)))
      await t.until('listings come in', async () => confirmed.length - before > 100)
      const id = await victim()
      await cluster.nodes.find((node) => node.id === id)?.kill()
      killed = performance.now()
      await feeding
      const { decisions } = await t.settled()
      await t.deadLetters()
      const still = performance.now() - killed
      expect(decisions.length).toBe(confirmed.length)

      const alive = cluster.brokers.filter((_, index) => cluster.nodes[index]?.id !== id)
      const records = await consumeWithJava({
        brokers: alive,
        topic: t.gate.topics.decisions,
        isolation: 'read_committed',
      })
      const seen = records.map((one) => JSON.parse(Buffer.from(one.value ?? '', 'base64').toString()) as Decision)
      expect(seen.map((one) => one.listingId).sort()).toEqual([...confirmed].sort())
      for (const inOrder of Map.groupBy(records, (one) => one.partition).values())
        expect(inOrder.map(positionOf)).toEqual(inOrder.map((_, i) => i + 1))
      expect(longest).toBeLessThan(STANDSTILL_MS)
      expect(still).toBeLessThan(2 * STANDSTILL_MS)
      if (process.env['TEST_LOG_LEVEL'] !== undefined)
        process.stderr.write(`${what}: append ${Math.round(longest)} ms, all published after ${Math.round(still)} ms\n`)
    },
    90_000,
  )
})

const positionOf = ({ headers }: ConsumedRecord): number =>
  Number(Buffer.from(headers.findLast(([name]) => name === 'touchstone-position')?.[1] ?? '', 'base64').toString())

/** Where Kafka keeps what belongs to a group or a transactional id: Java's hash of the name. */
function slotOf(name: string): number {
  let hash = 0
  for (const character of name) hash = (Math.imul(31, hash) + character.charCodeAt(0)) | 0
  return (hash & 0x7fffffff) % COORDINATOR_PARTITIONS
}
