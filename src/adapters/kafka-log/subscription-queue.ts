// What was fetched of one partition and not handed over yet: fetches go in at one end, batches of the asked size come out.
import type { Batch } from '../../pipeline/log/ports.ts'
import type { RawMessage } from './internals.ts'
import { recordOf } from './records.ts'

/** One fetch as it came. Without messages it held nothing but control and aborted records, and moves the offset all the same. */
export interface Fetched {
  readonly from: bigint
  readonly next: bigint
  /** One past the last record of the partition. */
  readonly end: bigint
  readonly messages: readonly RawMessage[]
}

export interface Limits {
  readonly maxRecords: number
  /** Of keys, values and headers. */
  readonly maxBytes: number
}

export interface Queue {
  /** Where the next fetch must begin. */
  readonly next: bigint
  /** At least a batch of the largest size waits: fetch no more. */
  readonly full: boolean
  readonly empty: boolean
  add(fetched: Fetched): void
  take(): Batch | undefined
}

export function createQueue(topic: string, partition: number, start: bigint, limits: Limits): Queue {
  let from = start
  let next = start
  let end = start
  let messages: RawMessage[] = []
  let head = 0
  let bytes = 0
  return {
    get next() {
      return next
    },
    get full() {
      return messages.length - head >= limits.maxRecords || bytes >= limits.maxBytes
    },
    get empty() {
      return from === next
    },
    add(fetched) {
      for (const message of fetched.messages) {
        messages.push(message)
        bytes += sizeOf(message)
      }
      next = fetched.next
      end = fetched.end
    },
    take() {
      if (from === next) return undefined
      const first = head
      for (let size = 0; head < messages.length && head - first < limits.maxRecords; head += 1) {
        const message = messages[head]
        if (message === undefined) break
        const own = sizeOf(message)
        // A record that is larger than the limit comes alone: who reads on must get past it.
        if (head > first && size + own > limits.maxBytes) break
        size += own
        bytes -= own
      }
      const records = messages.slice(first, head).map(recordOf)
      const last = records.at(-1)
      // Behind the last message may be control records: the end of the fetch covers them.
      const after = head === messages.length || last === undefined ? next : last.offset + 1n
      const batch: Batch = { topic, partition, from, next: after, end, records }
      from = after
      if (head === messages.length) {
        messages = []
        head = 0
      }
      return batch
    },
  }
}

function sizeOf({ key, value, headers }: RawMessage): number {
  let size = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, values] of Object.entries(headers)) {
    size += name.length
    for (const one of Array.isArray(values) ? (values as unknown[]) : [values])
      if (one instanceof Uint8Array) size += one.length
  }
  return size
}
