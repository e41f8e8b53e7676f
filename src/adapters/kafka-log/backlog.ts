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

interface Parts {
  readonly session: Session
  /**
   * Batches that cannot be read, by topic and partition: to find out costs up to a second of a core, and workers ask every
   * few seconds.
   */
  readonly refused: Map<string, Refused>
}

export interface Refused {
  readonly at: bigint
  readonly next: bigint
  readonly reason: string
  readonly appendedAt: Date
}

interface Question {
  readonly topic: string
  readonly group: string
  readonly from: ReadonlyMap<number, bigint>
  readonly patienceMs?: number | undefined
}

/** Rejects with `log-unavailable` within `patienceMs`, without it two seconds. */
export async function readBacklog(parts: Parts, question: Question): Promise<Backlog[]> {
  const { patienceMs = ANSWER_MS } = question
  const over = new AbortController()
  const late = async (): Promise<never> => {
    await sleep(patienceMs, undefined, { signal: over.signal })
    throw new TouchstoneError('log-unavailable', `The brokers did not answer within ${patienceMs} ms`)
  }
  const answer = ask(parts, question)
  answer.catch(() => undefined)
  try {
    return await Promise.race([answer, late()])
  } finally {
    over.abort()
  }
}

async function ask({ session, refused }: Parts, { topic, group, from }: Question): Promise<Backlog[]> {
  const fetcher = reading(session)
  const [ranges, held] = await Promise.all([fetcher.ranges(topic), heldOf(session, topic, group)])
  return Promise.all(
    ranges.map(async (range): Promise<Backlog> => {
      const { partition, low, high } = range
      const asked = from.get(partition) ?? low
      const start = asked > low ? asked : low
      const records = start < high ? Number(high - start) : 0
      const first = records === 0 ? { seconds: 0 } : await firstOf({ fetcher, refused }, topic, range, start)
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
  { fetcher, refused }: Pick<Parts, 'refused'> & { readonly fetcher: Pick<Fetcher, 'fetchFrom'> },
  topic: string,
  { partition, high }: Range,
  start: bigint,
): Promise<Pick<Backlog, 'seconds' | 'unreadable'>> {
  const name = `${topic}[${partition}]`
  const known = refused.get(name)
  if (known?.at === start) return tell(known)
  let at = start
  for (let look = 0; look < LOOKS && at < high; look += 1) {
    try {
      const { records, next } = await fetcher.fetchFrom({ topic, partition }, at, ONE_BATCH)
      const [first] = records
      if (first !== undefined) return { seconds: ageOf(first) }
      if (next <= at) break
      at = next
    } catch (error) {
      if (isRefusal(error)) {
        const found = { at: start, next: error.last + 1n, reason: error.message, appendedAt: error.appendedAt }
        refused.set(name, found)
        return tell(found)
      }
      if (error instanceof TouchstoneError && error.code === 'offset-out-of-range') break
      throw error
    }
  }
  return { seconds: 0 }
}

const tell = (found: Refused): Pick<Backlog, 'seconds' | 'unreadable'> => ({
  seconds: ageOf(found),
  unreadable: { reason: found.reason, next: found.next },
})

const ageOf = ({ appendedAt }: { readonly appendedAt: Date }): number =>
  Math.max(0, (Date.now() - appendedAt.getTime()) / 1000)
