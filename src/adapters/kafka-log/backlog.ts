// How much of a topic a group has still to read, since when it waits, and whether anybody holds the partition.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { TouchstoneError } from '../../errors.ts'
import type { Backlog } from '../../pipeline/log/ports.ts'
import { reading, type Fetcher, type Range } from './fetch.ts'
import type { Session } from './session.ts'
import { isRefusal } from './unreadable.ts'

// Whoever asks for readiness or metrics is told within this time that there was no answer.
const ANSWER_MS = 2_000

/** Rejects with `log-unavailable` within two seconds. */
export async function readBacklog(
  session: Session,
  topic: string,
  group: string,
  from: ReadonlyMap<number, bigint>,
): Promise<Backlog[]> {
  const over = new AbortController()
  const late = async (): Promise<never> => {
    await sleep(ANSWER_MS, undefined, { signal: over.signal })
    throw new TouchstoneError('log-unavailable', `The brokers did not answer within ${ANSWER_MS} ms`)
  }
  const answer = ask(session, topic, group, from)
  answer.catch(() => undefined)
  try {
    return await Promise.race([answer, late()])
  } finally {
    over.abort()
  }
}

async function ask(
  session: Session,
  topic: string,
  group: string,
  from: ReadonlyMap<number, bigint>,
): Promise<Backlog[]> {
  const fetcher = reading(session)
  const [ranges, held] = await Promise.all([fetcher.ranges(topic), heldOf(session, topic, group)])
  return Promise.all(
    ranges.map(async (range): Promise<Backlog> => {
      const { partition, low, high } = range
      const asked = from.get(partition) ?? low
      const start = asked > low ? asked : low
      const records = start < high ? Number(high - start) : 0
      const first = records === 0 ? { seconds: 0 } : await firstOf(fetcher, topic, range, start)
      return { partition, records, held: held.has(partition), ...first }
    }),
  )
}

/** Partitions that the group's coordinator has given to a member that it holds for alive. */
async function heldOf(session: Session, topic: string, group: string): Promise<ReadonlySet<number>> {
  return session.ask(topic, async (cluster) => {
    const coordinator = await cluster.findGroupCoordinator({ groupId: group })
    const { groups } = await coordinator.describeGroups({ groupIds: [group] })
    const held = new Set<number>()
    for (const { memberAssignment } of groups.flatMap(({ members }) => members)) {
      const given = kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[topic] ?? []
      for (const partition of given) held.add(partition)
    }
    return held
  })
}

// A broker gives a first batch whole, however little is asked for: this is one batch.
const ONE_BATCH = { maxBytes: 1, isolation: 'uncommitted' } as const
// Marks of transactions may lie before the first record; of more than these the next question tells.
const LOOKS = 3

/**
 * Seconds since the log took the first record from an offset on; what waits behind a transaction that stays open waits too.
 * 0 when there are marks of transactions only, or when retention was faster. Kafka tells no time: by this machine's clock.
 */
async function firstOf(
  fetcher: Pick<Fetcher, 'fetchFrom'>,
  topic: string,
  { partition, high }: Range,
  start: bigint,
): Promise<Pick<Backlog, 'seconds' | 'unreadable'>> {
  let at = start
  for (let look = 0; look < LOOKS && at < high; look += 1) {
    try {
      const { records, next } = await fetcher.fetchFrom({ topic, partition }, at, ONE_BATCH)
      const [first] = records
      if (first !== undefined) return { seconds: ageOf(first) }
      if (next <= at) break
      at = next
    } catch (error) {
      if (isRefusal(error))
        return { seconds: ageOf(error), unreadable: { reason: error.message, next: error.last + 1n } }
      if (error instanceof TouchstoneError && error.code === 'offset-out-of-range') break
      throw error
    }
  }
  return { seconds: 0 }
}

const ageOf = ({ appendedAt }: { readonly appendedAt: Date }): number =>
  Math.max(0, (Date.now() - appendedAt.getTime()) / 1000)
