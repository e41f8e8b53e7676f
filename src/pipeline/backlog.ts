// How far the gate is behind, per partition, and since when something waits there that nobody takes: for readiness and metrics.
import type { Logger } from '../telemetry.ts'
import { createLoop } from './loop.ts'
import type { Log } from './log/ports.ts'

export interface PartitionLag {
  readonly partition: number
  /** Not yet decided: offsets of the log beyond the store's. */
  readonly records: number
  /** Age of the oldest of them; 0 when there is none. */
  readonly seconds: number
  readonly reader: 'here' | 'elsewhere' | 'nobody'
  /** Milliseconds during which something waited and the stored offset did not move, as far as it was seen here. */
  readonly stillMs: number
}

export interface BacklogWatch {
  /** Measures now, or shares the measurement that is under way. Rejects when the log or the store does not answer. */
  look(): Promise<readonly PartitionLag[]>
  /** Milliseconds since the last measurement that succeeded; since the start when none did. */
  ageMs(): number
  stop(): Promise<void>
}

export interface BacklogOptions {
  readonly log: Pick<Log, 'backlog'>
  readonly logger: Logger
  readonly topic: string
  readonly group: string
  /** The offset to read next of each partition that was read, by the store; gives up within seconds. */
  readonly offsets: () => Promise<ReadonlyMap<number, bigint>>
  /** Partitions that this process works on. */
  readonly held: () => readonly number[]
}

/** Also when nobody asks: since when a partition stands still must be known at the first question. */
const LOOK_MS = 2_000

export function watchBacklog(options: BacklogOptions): BacklogWatch {
  const { log, logger, topic, group, offsets, held } = options
  const standing = new Map<number, { offset: bigint | undefined; reader: PartitionLag['reader']; since: number }>()
  let measured = performance.now()
  let looking: Promise<readonly PartitionLag[]> | undefined

  async function measure(): Promise<readonly PartitionLag[]> {
    // The offsets first: what is committed in between is then counted as waiting, never the other way round.
    const from = await offsets()
    const backlog = await log.backlog(topic, group, from)
    const own = new Set(held())
    const now = performance.now()
    measured = now
    return backlog.map(({ partition, records, seconds, held: taken }) => {
      const reader = own.has(partition) ? 'here' : taken ? 'elsewhere' : 'nobody'
      const offset = from.get(partition)
      const before = standing.get(partition)
      // Who takes over from another process begins anew; a partition that nobody had was already waiting.
      const same = before?.offset === offset && !(before?.reader === 'elsewhere' && reader === 'here')
      const since = before !== undefined && same ? before.since : now
      if (records === 0) standing.delete(partition)
      else standing.set(partition, { offset, reader, since })
      return { partition, records, seconds, reader, stillMs: records === 0 ? 0 : now - since }
    })
  }

  const look = () => (looking ??= measure().finally(() => (looking = undefined)))
  const loop = createLoop('backlog', logger, async () => {
    await look()
    return LOOK_MS
  })
  return { look, ageMs: () => performance.now() - measured, stop: () => loop.stop() }
}
