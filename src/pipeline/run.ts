// The loop that keeps the gate going on one process.
//
// What is guaranteed: every record of its topic takes effect exactly once, a listing as one decision, one refusal, one
// dead letter or one withdrawal, a verdict as one row or one dead letter (and what was sent before as nothing new), in log
// order per listing and partition, whatever dies in between. The effect and the offset are one store transaction, and the
// offset moves by compare-and-set from where the fetch began, so a replay, a second owner or a process that was frozen finds
// it moved and is undone. What is decided ahead of the offset (waiting/line.ts) is known by its revision when it comes again.
// What breaks it: a database that loses committed transactions (fsync off, a restored backup older than the log), records
// that retention removes before they were read (the run stops loudly with `offset-out-of-range`) or that the log cannot
// unpack (`log-unreadable`: it is then for a person to go on behind them), and a change of the input topic's partition
// count while the same listing waits in two of them (its revisions may then be decided in another order; none is lost); and
// a reader that refuses what it took before, where a worker died with that decided ahead of the offset (it is told both).
import { TouchstoneError, messageOf } from '../errors.ts'
import type { TopicNames } from '../events/topics.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Batch, BatchResult, Log, Subscription, SubscriptionHealth } from './log/ports.ts'
import type { GateStore } from './ports.ts'

export interface RunOptions {
  readonly log: Log
  readonly store: GateStore
  readonly topics: TopicNames
  /** Which of them is read. Default: the listings. */
  readonly input?: 'listings' | 'verdicts'
  readonly group: string
  readonly telemetry: Telemetry
  /** Takes a batch into effect; `committed` when all of it is, and everything before it. */
  readonly screen: (batch: Batch, lost: AbortSignal, waits?: () => void) => Promise<BatchResult>
  readonly maxRecords: number
  readonly maxBytes: number
  readonly concurrency: number
  /** A failure of the world that passes by itself: wait and read again. Everything else stops the gate. */
  readonly isTransient: (error: unknown) => boolean
}

export interface Progress extends SubscriptionHealth {
  /** Partitions held now. */
  readonly held: readonly number[]
  /** Of them, those where a batch is in hand. */
  readonly busy: ReadonlySet<number>
  /** Of them, those where the store failed and nothing was committed since, with the milliseconds since the first failure. */
  readonly failing: ReadonlyMap<number, number>
  /** Milliseconds since a batch of any partition was committed; since the start when none was. */
  readonly committedMs: number
}

export interface Run {
  /** Rejects when the gate had to stop: something happened that nobody understands. */
  readonly done: Promise<void>
  progress(): Progress
  stop(): Promise<void>
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

export function startRun(options: RunOptions): Run {
  const { log, store, topics, group, telemetry, isTransient, input = 'listings' } = options
  /** Batches in hand by partition. */
  const busy = new Map<number, number>()
  const failing = new Map<number, { readonly since: number; readonly committing: boolean }>()
  let committed = performance.now()

  // Only a commit proves that commits work again: another statement may succeed on a store that refuses every batch.
  const failed = (partition: number, committing: boolean): void => {
    const before = failing.get(partition)
    failing.set(partition, {
      since: before?.since ?? performance.now(),
      committing: committing || before?.committing === true,
    })
  }

  /** Waits out a dead store; the log keeps the partition meanwhile, or takes it away (`lost`). */
  const insist = async <T>(
    what: string,
    partition: number,
    lost: AbortSignal | undefined,
    work: () => Promise<T>,
    otherwise: T,
  ): Promise<T> => {
    for (let failures = 0; ; failures += 1) {
      try {
        const value = await work()
        if (failing.get(partition)?.committing === false) failing.delete(partition)
        return value
      } catch (error) {
        if (!isTransient(error)) throw error
        failed(partition, false)
        telemetry.log.warn({ err: messageOf(error), failures, what }, 'the store does not answer, waiting')
        const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10))
        await new Promise((resolve) => setTimeout(resolve, ceiling / 2 + Math.random() * (ceiling / 2)))
        if (lost?.aborted === true) return otherwise
      }
    }
  }

  const subscription: Subscription = log.subscribe(
    {
      topic: topics[input],
      group,
      maxRecords: options.maxRecords,
      maxBytes: options.maxBytes,
      concurrency: options.concurrency,
    },
    {
      place: (topic, partition, low) =>
        insist('place', partition, undefined, () => store.place(group, topic, partition, low), low),
      handle: async (batch, lost, waits) => {
        const { partition } = batch
        busy.set(partition, (busy.get(partition) ?? 0) + 1)
        try {
          const result = await options.screen(batch, lost, waits)
          if (result === 'committed') {
            committed = performance.now()
            failing.delete(partition)
          }
          return result
        } catch (error) {
          if (!isTransient(error)) throw error
          failed(partition, true)
          telemetry.log.warn({ err: messageOf(error), partition }, 'a batch could not be committed, reading it again')
          telemetry.metrics.touchstone_batches_total.inc({ result: 'failed' })
          // Whether that transaction was committed is unknown: ask the store, once it answers, where to go on.
          await insist('commit', partition, lost, () => store.nextDeadline(), undefined)
          return 'moved'
        } finally {
          const left = (busy.get(partition) ?? 0) - 1
          if (left > 0) busy.set(partition, left)
          else busy.delete(partition)
        }
      },
    },
  )
  const done = subscription.done.catch((error: unknown) => {
    telemetry.log.fatal({ err: error }, 'the gate stops: this needs a person')
    throw error instanceof TouchstoneError
      ? error
      : new TouchstoneError('internal', `the gate stopped: ${messageOf(error)}`, { cause: error })
  })
  // Whoever started us awaits `done`; until then a rejection must not end the process unseen.
  done.catch(() => undefined)
  return {
    done,
    progress: () => {
      const held = subscription.assigned()
      if (input === 'listings') telemetry.metrics.touchstone_partitions_held.set(held.length)
      const now = performance.now()
      // What was given away is somebody else's trouble.
      const own = new Set(held)
      for (const partition of failing.keys()) if (!own.has(partition)) failing.delete(partition)
      return {
        ...subscription.health(),
        held,
        busy: new Set([...busy.keys()].filter((partition) => own.has(partition))),
        failing: new Map([...failing].map(([partition, { since }]) => [partition, now - since])),
        committedMs: now - committed,
      }
    },
    stop: () => subscription.stop(),
  }
}
