// What `doctor` says of publishing: what waits in the outbox, who publishes, and output topics that have other partitions.
import type { Pool } from 'pg'
import { examinePublishing, type PublishingExamination } from '../../../adapters/postgres/examine-publishing.ts'
import { messageOf } from '../../../errors.ts'
import type { Log } from '../../../pipeline/log/ports.ts'
import type { Finding } from './finding.ts'

/** A take-over takes seconds; what is older waits for somebody. */
const OLD_SECONDS = 30

/** `outputs` are the full names of the topics that are published to. */
export async function examineOutbox(
  pool: Pool,
  log: Pick<Log, 'ranges'>,
  outputs: readonly string[],
): Promise<Finding[]> {
  const found = await examinePublishing(pool, outputs)
  return [describe(found), ...(await comparePartitions(log, outputs, found.outputs))]
}

function describe({ waiting, leases }: PublishingExamination): Finding {
  const holders = leases.filter((lease) => lease.live)
  // Nobody takes a lease for an empty outbox.
  const who =
    holders.length === 0
      ? waiting.rows === 0
        ? 'there is nothing to publish'
        : 'nobody publishes now'
      : holders.map((lease) => `${lease.name} by ${lease.owner}`).join(', ')
  const detail = `${waiting.rows} rows wait in the outbox${waiting.rows === 0 ? '' : `, the oldest for ${waiting.seconds.toFixed(0)} s`}; ${who}`
  if (waiting.rows === 0 || waiting.seconds < OLD_SECONDS) return { name: 'publishing', state: 'ok', detail }
  return {
    name: 'publishing',
    state: 'warning',
    detail,
    cure:
      holders.length === 0
        ? 'start `touchstone worker`: workers publish too'
        : 'look at the log of that worker: it says what it waits for',
  }
}

/** A key keeps its partition for good, so the store keeps the number that it began with. */
async function comparePartitions(
  log: Pick<Log, 'ranges'>,
  topics: readonly string[],
  pinned: ReadonlyMap<string, number>,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const topic of topics) {
    const kept = pinned.get(topic)
    if (kept === undefined) continue
    const name = 'outputs'
    const ranges = await log.ranges(topic).catch((error: unknown) => messageOf(error))
    // A topic that is missing, or a log that is away, is said where topics are.
    if (typeof ranges === 'string' || ranges.length === kept) continue
    const detail = `${topic} has ${ranges.length} partitions, and the store publishes to ${kept}`
    findings.push(
      ranges.length > kept
        ? {
            name,
            state: 'warning',
            detail,
            cure: 'nothing is lost: the added partitions stay empty, because the decisions of one listing must stay in one',
          }
        : {
            name,
            state: 'wrong',
            detail,
            cure: 'workers do not start: make the topic again with as many partitions, or start with a new TOUCHSTONE_TOPIC_PREFIX',
          },
    )
  }
  return findings
}
