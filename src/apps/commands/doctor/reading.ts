// What `doctor` says of reading: where the store stands against what the log holds, what waits, and who works on it.
import { messageOf, TouchstoneError } from '../../../errors.ts'
import type { Backlog, Log } from '../../../pipeline/log/ports.ts'
import type { Finding } from './finding.ts'

/** Longer than any batch takes: what is older waits for somebody. */
const OLD_SECONDS = 60
/** What cannot be read costs a second for each partition to be found out. */
const PATIENCE_MS = 30_000

/** `offsets` are the store's for the group and topic, by partition. */
export async function examineReading(
  log: Pick<Log, 'ranges' | 'backlog'>,
  input: { readonly topic: string; readonly group: string },
  offsets: ReadonlyMap<number, bigint>,
): Promise<Finding[]> {
  try {
    const ranges = await log.ranges(input.topic)
    const outside = ranges.flatMap(({ partition, low, high }): Finding[] => {
      const at = offsets.get(partition) ?? low
      if (at >= low && at <= high) return []
      return [
        {
          name: 'offsets',
          state: 'wrong',
          detail: `partition ${partition} of ${input.topic}: next is ${at}, the log holds ${low} to ${high}`,
          cure:
            at < low
              ? `records were removed before they were read, and workers stop at them: lengthen the retention; to go on without them: touchstone offsets move ${input.topic} ${partition} ${at} ${low}`
              : `the topic was made anew, or this is another log than before, and workers stop there: check the settings; if it was made anew: touchstone offsets move ${input.topic} ${partition} ${at} ${low}`,
        },
      ]
    })
    // The log would refuse to say what waits below its lowest offset, and that is said already.
    if (outside.length > 0) return outside
    const backlog = await log.backlog(input.topic, input.group, offsets, PATIENCE_MS)
    const lows = new Map(ranges.map(({ partition, low }) => [partition, low]))
    const stuck = backlog.flatMap(({ partition, unreadable }): Finding[] => {
      if (unreadable === undefined) return []
      const at = offsets.get(partition) ?? lows.get(partition) ?? 0n
      return [
        {
          name: 'offsets',
          state: 'wrong',
          detail: unreadable.reason,
          cure: `workers stop there: find who wrote it; to go on without it: touchstone offsets move ${input.topic} ${partition} ${at} ${unreadable.next}`,
        },
      ]
    })
    return stuck.length > 0 ? stuck : [describe(input.topic, backlog)]
  } catch (error) {
    const missing = error instanceof TouchstoneError && error.code === 'not-found'
    return [
      {
        name: 'offsets',
        state: missing ? 'warning' : 'wrong',
        detail: messageOf(error),
        cure: missing ? 'run `touchstone topics`: it makes the topics' : 'mend what the other lines say of the log',
      },
    ]
  }
}

function describe(topic: string, backlog: readonly Backlog[]): Finding {
  const records = backlog.reduce((sum, one) => sum + one.records, 0)
  const seconds = Math.max(0, ...backlog.map((one) => one.seconds))
  const held = backlog.filter((one) => one.held).length
  const who = held === 0 ? 'no worker runs' : `workers hold ${held} of ${backlog.length} partitions`
  const detail = `${records} records of ${topic} wait to be tried${records === 0 ? '' : `, the oldest for ${seconds.toFixed(0)} s`}; ${who}`
  if (records === 0 || seconds < OLD_SECONDS) return { name: 'offsets', state: 'ok', detail }
  return {
    name: 'offsets',
    state: 'warning',
    detail,
    cure: held < backlog.length ? 'start `touchstone worker`' : 'look at /readyz of the workers, or start more of them',
  }
}
