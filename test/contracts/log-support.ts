// What the contract suite of the log needs: an adapter to try, and a ledger that stands in for the store of offsets.
import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type {
  Batch,
  BatchResult,
  Consumer,
  Log,
  LogRecord,
  NewRecord,
  SubscribeOptions,
  Subscription,
} from '../../src/pipeline/log/ports.ts'

/** One log, real and running, with what the suite must be able to do to it. */
export interface LogHarness {
  /** Another client of the log, as another process would have; the suite closes it. */
  open(): Promise<Log>
  /** How long a member that is not heard of keeps its partitions. */
  readonly leaseMs: number
  /** For members that are processes to be killed and frozen: a module whose `open(argument)` gives a client of this log. */
  readonly process: { readonly module: string; readonly argument: string }
  /** Takes offsets at the end of a partition that no record will ever have. */
  leaveHole(topic: string, partition: number): Promise<void>
  /** Removes the records below an offset, as the adapter's retention does. */
  expire(topic: string, partition: number, before: bigint): Promise<void>
  close(): Promise<void>
}

export type StartLog = () => Promise<LogHarness>

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)
export const string = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : new TextDecoder().decode(bytes)
export const record = (key: string | null, value: string): NewRecord => ({
  key: key === null ? null : text(key),
  value: text(value),
  headers: {},
})
export const newTopic = (): string => `contract-${randomBytes(6).toString('hex')}.v1`

/** A client that is closed when the test is over. */
export async function client(harness: LogHarness): Promise<Log> {
  const log = await harness.open()
  onTestFinished(async () => log.close())
  return log
}

/** A topic of its own for the test. */
export async function topicOf(log: Log, partitions: number): Promise<string> {
  const topic = newTopic()
  await log.ensureTopic(topic, { partitions, retentionHours: 24 })
  return topic
}

export const DEFAULTS = { maxRecords: 100, maxBytes: 1 << 20, concurrency: 4 }

/** Each topic has a group of its own: on a broker that many tests share they would meet in it otherwise. */
export const groupOf = (topic: string): string => `gate-${topic}`

/** A subscription that is stopped when the test is over, whatever became of it. */
export function follow(
  log: Log,
  options: Partial<SubscribeOptions> & { topic: string },
  consumer: Consumer,
): Subscription {
  const subscription = log.subscribe({ ...DEFAULTS, group: groupOf(options.topic), ...options }, consumer)
  // The test asserts on `done` where it matters; elsewhere a failure shows as records that never come.
  subscription.done.catch(() => undefined)
  onTestFinished(async () => subscription.stop())
  return subscription
}

/** Keeps offsets by compare-and-set and every record that took effect, as the store does. Shared by the members of a group. */
export interface Ledger extends Consumer {
  readonly batches: { readonly batch: Batch; readonly by: string }[]
  /** Values in the order in which they took effect. */
  values(partition?: number): (string | null)[]
  records(): LogRecord[]
  commit(batch: Batch, by: string): BatchResult
  /** The same ledger under a member's name. */
  as(member: string): Consumer
  /** Resolves when the condition holds after some batch; the test's own limit ends the wait. */
  until(condition: () => boolean): Promise<void>
}

export function createLedger(start: ReadonlyMap<number, bigint> = new Map()): Ledger {
  const next = new Map(start)
  const batches: Ledger['batches'] = []
  const waiting = new Set<() => void>()
  const ledger: Ledger = {
    batches,
    values: (partition) =>
      batches
        .filter(({ batch }) => partition === undefined || batch.partition === partition)
        .flatMap(({ batch }) => batch.records.map((r) => string(r.value))),
    records: () => batches.flatMap(({ batch }) => batch.records),
    commit(batch, by) {
      if (next.get(batch.partition) !== batch.from) return 'moved'
      next.set(batch.partition, batch.next)
      batches.push({ batch, by })
      for (const look of waiting) look()
      return 'committed'
    },
    as: (member) => ({ place: ledger.place, handle: async (batch) => ledger.commit(batch, member) }),
    async place(_topic, partition, low) {
      const at = next.get(partition) ?? low
      next.set(partition, at)
      return at
    },
    handle: async (batch) => ledger.commit(batch, 'me'),
    async until(condition) {
      if (condition()) return
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (!condition()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      })
    },
  }
  return ledger
}

/** Looks until the condition holds; the test's own limit ends the wait. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}
