// Gathers the appends that arrive while a batch of their partition is under way into the next one: many small ones share one answer.
import type { Message } from 'kafkajs'
import { TouchstoneError } from '../../errors.ts'
import { partitionOf } from '../../events/partition.ts'
import type { Appended, NewRecord } from '../../pipeline/log/ports.ts'
import type { Writer } from './producing.ts'
import { bytesOfRecord, messageOf } from './records.ts'

export interface Appender {
  /**
   * As the port says. Not all or nothing: where it rejects, some of the records may have been written.
   * @throws TouchstoneError `not-found` for a topic that is not there, `too-large`, `not-ready` when too much waits
   * already, `log-unavailable` when the outcome is not known.
   */
  append(topic: string, records: readonly NewRecord[]): Promise<Appended[]>
  /** Milliseconds that the oldest call waits for its answer; 0 when none waits. */
  waitMs(): number
  /** Waits for what was asked so far. */
  drain(): Promise<void>
}

export interface AppenderOptions {
  /** Partitions are dealt to them: one writer sends to one partition of a broker at a time. */
  readonly writers: readonly Writer[]
  /** Partitions that a topic has; throws `not-found`. */
  readonly partitions: (topic: string) => Promise<number>
  /** How long an append is tried. */
  readonly timeoutMs: number
  /** What may wait in memory. */
  readonly queueBytes?: number
}

interface Call {
  readonly appended: Appended[]
  readonly asked: number
  left: number
  readonly resolve: (appended: Appended[]) => void
  readonly reject: (error: unknown) => void
}

interface Entry {
  readonly call: Call
  readonly index: number
  readonly message: Message
  readonly bytes: number
}

/** What waits for one partition; one batch at a time, so that calls of one process keep their order too. */
interface Lane {
  readonly topic: string
  readonly partition: number
  readonly entries: Entry[]
  flight: Promise<void> | undefined
}

// Brokers take batches of 1 MB unless told otherwise, and a topic's limit is for the batch and not for the record alone. Half
// of it leaves room for headers and framing, and more gains nothing.
const FLIGHT_BYTES = 512 * 1024
const FLIGHT_RECORDS = 2_000
/** Who comes when so much waits is told to come later. */
const QUEUE_BYTES = 128 * 1024 * 1024

export function createAppender(options: AppenderOptions): Appender {
  const { writers, partitions, timeoutMs, queueBytes = QUEUE_BYTES } = options
  const lanes = new Map<string, Lane>()
  /** When they were asked: calls not yet answered, the oldest first. */
  const open = new Set<{ readonly asked: number }>()
  const turns = new Map<string, number>()
  let queued = 0

  async function fly(lane: Lane): Promise<void> {
    // The calls of this turn of the event loop share the first batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (lane.entries.length > 0) await write(lane.topic, lane.partition, board(lane.entries))
    lane.flight = undefined
    lanes.delete(nameOf(lane.topic, lane.partition))
  }

  async function write(topic: string, partition: number, entries: readonly Entry[]): Promise<void> {
    const [first] = entries
    if (first === undefined) return
    let base: bigint
    try {
      const writer = writers[partition % writers.length]
      if (writer === undefined) throw new Error('There is no writer')
      const until = first.call.asked + timeoutMs
      base = await writer.write(
        topic,
        partition,
        entries.map((entry) => entry.message),
        until,
      )
    } catch (error) {
      // Nothing of it was written; one large record must not fail its neighbours.
      if (entries.length > 1 && error instanceof TouchstoneError && error.code === 'too-large') {
        const half = entries.length >> 1
        await write(topic, partition, entries.slice(0, half))
        await write(topic, partition, entries.slice(half))
        return
      }
      for (const entry of entries) settle(entry, () => entry.call.reject(error))
      return
    }
    for (const [i, entry] of entries.entries()) {
      entry.call.appended[entry.index] = { partition, offset: base + BigInt(i) }
      settle(entry, () => undefined)
    }
  }

  function settle(entry: Entry, say: () => void): void {
    const { call } = entry
    queued -= entry.bytes
    call.left -= 1
    say()
    // Does nothing to a call that was rejected.
    if (call.left === 0) call.resolve(call.appended)
  }

  /** Records without a key go to one partition a call, the next call to the next. */
  function place(topic: string, count: number, records: readonly NewRecord[]): number[] {
    const free = (turns.get(topic) ?? 0) % count
    if (records.some((record) => record.key === null)) turns.set(topic, free + 1)
    return records.map((record) => (record.key === null ? free : partitionOf(record.key, count)))
  }

  async function enqueue(topic: string, records: readonly NewRecord[], asked: number): Promise<Appended[]> {
    const placed = place(topic, await partitions(topic), records)
    const sizes = records.map(bytesOfRecord)
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    if (queued > 0 && queued + bytes > queueBytes) {
      throw new TouchstoneError('not-ready', `More than ${queueBytes} bytes wait to be written to the log`)
    }
    queued += bytes
    return await new Promise<Appended[]>((resolve, reject) => {
      const call: Call = { appended: [], asked, left: records.length, resolve, reject }
      for (const [index, record] of records.entries()) {
        const partition = placed[index] ?? 0
        const name = nameOf(topic, partition)
        const lane = lanes.get(name) ?? { topic, partition, entries: [], flight: undefined }
        lanes.set(name, lane)
        lane.entries.push({ call, index, message: messageOf(record, partition), bytes: sizes[index] ?? 0 })
        lane.flight ??= fly(lane)
      }
    })
  }

  return {
    async append(topic, records) {
      if (records.length === 0) return []
      const call = { asked: performance.now() }
      open.add(call)
      try {
        return await enqueue(topic, records, call.asked)
      } finally {
        open.delete(call)
      }
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

const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`

/** Takes the entries of one batch off the queue: at least one, whatever its size. */
function board(entries: Entry[]): Entry[] {
  let bytes = 0
  let n = 0
  for (const entry of entries) {
    bytes += entry.bytes
    if (n > 0 && (n >= FLIGHT_RECORDS || bytes > FLIGHT_BYTES)) break
    n += 1
  }
  return entries.splice(0, n)
}
