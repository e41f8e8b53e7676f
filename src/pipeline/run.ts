// The loop that keeps the gate going on one process.
//
// What is guaranteed: every record of the listings topic takes effect exactly once, as one decision, one refusal, one
// dead letter or one withdrawal, in log order per partition, whatever dies in between. The effect and the offset are one
// store transaction, and the offset moves by compare-and-set from where the fetch began, so a replay, a second owner or
// a process that was frozen finds it moved and is undone.
// What breaks it: a database that loses committed transactions (fsync off, a restored backup older than the log), records
// that retention removes before they were read (the partition stops loudly with `offset-out-of-range`), and a change of
// the input topic's partition count while the same listing waits in two of them (its revisions may then be decided in
// another order; none is lost).
import { TouchstoneError, messageOf } from '../errors.ts'
import type { TopicNames } from '../events/topics.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Batch, BatchResult, GateStore, Log, Subscription } from './ports.ts'

export interface RunOptions {
  readonly log: Log
  readonly store: GateStore
  readonly topics: TopicNames
  readonly group: string
  readonly telemetry: Telemetry
  readonly screen: (batch: Batch, lost: AbortSignal) => Promise<BatchResult>
  readonly maxRecords: number
  readonly maxBytes: number
  readonly concurrency: number
  /** A failure of the world that passes by itself: wait and read again. Everything else stops the gate. */
  readonly isTransient: (error: unknown) => boolean
}

export interface Run {
  /** Rejects when the gate had to stop: something happened that nobody understands. */
  readonly done: Promise<void>
  /** Milliseconds since a batch was last committed, and whether one is being tried in vain right now. */
  progress(): { readonly held: number; readonly failingSinceMs: number | undefined }
  stop(): Promise<void>
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

export function startRun(options: RunOptions): Run {
  const { log, store, topics, group, telemetry, isTransient } = options
  let failingSince: number | undefined

  /** Waits out a dead store; the log keeps the partition meanwhile, or takes it away (`lost`). */
  const insist = async <T>(
    what: string,
    lost: AbortSignal | undefined,
    work: () => Promise<T>,
    otherwise: T,
  ): Promise<T> => {
    for (let failures = 0; ; failures += 1) {
      try {
        const value = await work()
        failingSince = undefined
        return value
      } catch (error) {
        if (!isTransient(error)) throw error
        failingSince ??= performance.now()
        telemetry.log.warn({ err: messageOf(error), failures, what }, 'the store does not answer, waiting')
        const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10))
        await new Promise((resolve) => setTimeout(resolve, ceiling / 2 + Math.random() * (ceiling / 2)))
        if (lost?.aborted === true) return otherwise
      }
    }
  }

  const subscription: Subscription = log.subscribe(
    {
      topic: topics.listings,
      group,
      maxRecords: options.maxRecords,
      maxBytes: options.maxBytes,
      concurrency: options.concurrency,
    },
    {
      place: (topic, partition, low) =>
        insist('place', undefined, () => store.place(group, topic, partition, low), low),
      handle: async (batch, lost) => {
        try {
          return await options.screen(batch, lost)
        } catch (error) {
          if (!isTransient(error)) throw error
          telemetry.metrics.touchstone_batches_total.inc({ result: 'failed' })
          // Whether that transaction was committed is unknown: ask the store, once it answers, where to go on.
          await insist('commit', lost, () => store.nextDeadline(), undefined)
          return 'moved'
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
      const held = subscription.assigned().length
      telemetry.metrics.touchstone_partitions_held.set(held)
      return { held, failingSinceMs: failingSince === undefined ? undefined : performance.now() - failingSince }
    },
    stop: () => subscription.stop(),
  }
}
