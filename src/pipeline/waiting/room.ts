// How much may wait for strangers' hosts without a lane: batches are in memory for as long as one of their listings waits.
import { headerValues } from '../../events/header.ts'
import type { LogRecord } from '../log/ports.ts'
import type { Part } from './line.ts'

export interface Room {
  /** The way to leave it; undefined where there is no room. */
  enter(records: readonly LogRecord[], part: Pick<Part, 'missing' | 'left'>): (() => void) | undefined
}

export interface RoomOptions {
  /** Listings that wait. */
  readonly listings: number
  /** Of whole batches, which stay in memory as they were read. */
  readonly bytes: number
}

/** What a record takes besides its bytes, settled or not: 0.9 kB were measured. */
const RECORD_BYTES = 1 << 10
/** What one that is not settled takes besides: its listing as it was read, and the evidence, of which 2.9 kB were measured. */
const LEFT_BYTES = 4 << 10

function sizeOf({ key, value, headers }: LogRecord): number {
  let size = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, header] of Object.entries(headers))
    for (const one of headerValues(header)) size += name.length + (one?.length ?? 0)
  return size
}

/** One batch always finds room in an empty one. */
export function createRoom({ listings, bytes }: RoomOptions): Room {
  let freeListings = listings
  let freeBytes = bytes
  return {
    enter(records, { missing: waiting, left }) {
      const bytesOf = records.reduce((sum, record) => sum + sizeOf(record), 0)
      const size = bytesOf + records.length * RECORD_BYTES + left * (LEFT_BYTES + bytesOf / Math.max(1, records.length))
      const isEmpty = freeListings === listings && freeBytes === bytes
      if (!isEmpty && (waiting > freeListings || size > freeBytes)) return undefined
      freeListings -= waiting
      freeBytes -= size
      return () => {
        freeListings += waiting
        freeBytes += size
      }
    },
  }
}
