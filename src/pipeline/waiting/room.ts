// How much may wait for strangers' hosts without a lane: batches are in memory for as long as one of their listings waits.
import type { LogRecord } from '../log/ports.ts'

export interface Room {
  /** The way to leave it; undefined where there is no room. */
  enter(records: readonly LogRecord[], waiting: number): (() => void) | undefined
}

export interface RoomOptions {
  /** Listings that wait. */
  readonly listings: number
  /** Of whole batches, which stay in memory as they were read. */
  readonly bytes: number
}

/** What a record takes besides its bytes, settled or not. */
const RECORD_BYTES = 1 << 10

/** One batch always finds room in an empty one. */
export function createRoom({ listings, bytes }: RoomOptions): Room {
  let freeListings = listings
  let freeBytes = bytes
  return {
    enter(records, waiting) {
      const size = records.reduce(
        (sum, { key, value }) => sum + RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0),
        0,
      )
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
