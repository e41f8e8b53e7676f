// Gathers the appends that arrive while a transaction is under way into the next one: many small ones share one fsync.
import type { Pool } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import { headerValues } from '../../events/header.ts'
import { partitionOf } from '../../events/partition.ts'
import type { Appended, NewRecord } from '../../pipeline/log/ports.ts'
import { appendPlaced } from './append.ts'
import { explained, isTransient } from './connection.ts'
import type { Placed } from './frame.ts'
import type { Topic } from './topics.ts'

export interface Appender {
  /** Throws `not-ready` when too much waits already and `database-unavailable` when the outcome is not known: it may have been written. */
  append(topic: Topic, records: readonly NewRecord[]): Promise<Appended[]>
  /** Milliseconds that the oldest call waits for its answer; 0 when none waits. */
  waitMs(): number
  /** Waits for what was asked so far. */
  drain(): Promise<void>
}

interface Call {
  readonly placed: readonly Placed[]
  readonly bytes: number
  readonly asked: number
  readonly resolve: (appended: Appended[]) => void
  readonly reject: (error: unknown) => void
}

/** Calls that wait for one topic; one transaction at a time, so that calls of one process keep their order too. */
interface Lane {
  readonly topic: Topic
  readonly calls: Call[]
  flight: Promise<void> | undefined
  /** Where records without a key go next. */
  turn: number
}

// Above these a transaction gains nothing and only holds its rows longer.
const FLIGHT_RECORDS = 2_000
const FLIGHT_BYTES = 8 * 1024 * 1024
/** What may wait in memory; who comes then is told to come later. */
const QUEUE_BYTES = 128 * 1024 * 1024

export function createAppender(pool: Pool, appended: (topicId: number) => void, queueBytes = QUEUE_BYTES): Appender {
  const lanes = new Map<number, Lane>()
  let queued = 0
  /** Not yet answered, the oldest first. */
  const open = new Set<Call>()

  async function fly(lane: Lane): Promise<void> {
    // The calls of this turn of the event loop share the first transaction.
    await new Promise((resolve) => setImmediate(resolve))
    while (lane.calls.length > 0) {
      const calls = board(lane.calls)
      await write(lane.topic, calls)
      for (const call of calls) {
        queued -= call.bytes
        open.delete(call)
      }
    }
    lane.flight = undefined
  }

  async function write(topic: Topic, calls: readonly Call[]): Promise<void> {
    let results: Appended[]
    try {
      results = await appendPlaced(
        pool,
        topic.topicId,
        calls.flatMap((call) => call.placed),
      )
    } catch (error) {
      if (calls.length === 1 || isTransient(error)) {
        for (const call of calls) call.reject(explained(error))
      } else {
        // Nothing of it was written; one bad record must not fail its neighbours.
        for (const call of calls) await write(topic, [call])
      }
      return
    }
    appended(topic.topicId)
    let at = 0
    for (const call of calls) call.resolve(results.slice(at, (at += call.placed.length)))
  }

  return {
    async append(topic, records) {
      if (records.length === 0) return []
      const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0)
      if (queued > 0 && queued + bytes > queueBytes) {
        throw new TouchstoneError('not-ready', `More than ${queueBytes} bytes wait to be written to the log`)
      }
      const lane = lanes.get(topic.topicId) ?? { topic, calls: [], flight: undefined, turn: 0 }
      lanes.set(topic.topicId, lane)
      const placed = place(lane, records)
      queued += bytes
      return await new Promise<Appended[]>((resolve, reject) => {
        const call = { placed, bytes, asked: performance.now(), resolve, reject }
        lane.calls.push(call)
        open.add(call)
        lane.flight ??= fly(lane)
      })
    },
    waitMs() {
      const [oldest] = open
      return oldest === undefined ? 0 : performance.now() - oldest.asked
    },
    async drain() {
      await Promise.all([...lanes.values()].map(async (lane) => lane.flight))
    },
  }
}

/** Records without a key go to one partition a call, the next call to the next. */
function place(lane: Lane, records: readonly NewRecord[]): Placed[] {
  const { partitions } = lane.topic
  const free = lane.turn
  if (records.some((record) => record.key === null)) lane.turn = (free + 1) % partitions
  return records.map((record) => ({
    partition: record.key === null ? free : partitionOf(record.key, partitions),
    record,
  }))
}

/** Takes the calls of one transaction off the queue: at least one, whatever its size. */
function board(calls: Call[]): Call[] {
  let records = 0
  let bytes = 0
  let n = 0
  for (const call of calls) {
    records += call.placed.length
    bytes += call.bytes
    if (n > 0 && (records > FLIGHT_RECORDS || bytes > FLIGHT_BYTES)) break
    n += 1
  }
  return calls.splice(0, n)
}

function sizeOf(record: NewRecord): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0) + 64
  for (const name of Object.keys(record.headers)) {
    for (const value of headerValues(record.headers[name] ?? null)) bytes += name.length + (value?.length ?? 0) + 6
  }
  return bytes
}
