// The batches of one partition as they lie in an answer of the brokers, read one by one: one that cannot be read is named and harms no other.
import { createRequire } from 'node:module'
import { messageOf } from '../../errors.ts'

export interface Decoder {
  readInt32(): number
  canReadBytes(count: number): boolean
  readBytes(count: number): Buffer
}

interface Record {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: object
  readonly isControlRecord: boolean
  /** Absent from records of the old format. */
  readonly batchContext?: BatchContext
  /** It stands for a whole batch that cannot be read, and is the only one of its answer and partition. */
  readonly unreadable?: Unreadable
}

/** Of the header of a batch: as kafkajs gives it to each record, as far as it is used here. */
export interface BatchContext {
  readonly firstOffset: string
  readonly lastOffsetDelta: number
  readonly producerId: string
  readonly inTransaction: boolean
}

export interface Unreadable {
  readonly first: bigint
  readonly last: bigint
  readonly reason: string
}

const require = createRequire(import.meta.url)
const DecoderOf = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder
const readBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: Decoder,
) => Promise<{ readonly records: readonly Record[] }>
const readOldFormat = require('kafkajs/src/protocol/messageSet/decoder') as (
  decoder: Decoder,
  size: number,
) => Promise<readonly Record[]>

// Both formats begin with the offset, the length of what follows it, and at the same place the format.
const LENGTH_AT = 8
const LENGTH_END = 12
const MAGIC_AT = 16
// The rest is of the new format; also behind compressed records it is not compressed.
const NEW_FORMAT = 2
const ATTRIBUTES_AT = 21
const IN_TRANSACTION = 0b1_0000
const LAST_DELTA_AT = 23
const MAX_TIMESTAMP_AT = 35
const PRODUCER_AT = 43
const HEAD_BYTES = 61
/** Of one partition and answer: compressed batches are small until they are unpacked, and the rest is fetched again. */
const UNPACKED_BYTES = 64 * 1024 * 1024

/**
 * The records of one partition, up to a batch that cannot be read: the next fetch begins there, and gets the one record
 * that stands for it. kafkajs passes all records of a batch as arguments of one call, and fails for ever at a batch of more
 * than about 120,000.
 */
export async function readRecords(answer: Decoder, most = UNPACKED_BYTES): Promise<readonly Record[]> {
  const size = answer.readInt32()
  if (size <= 0 || !answer.canReadBytes(size)) return []
  const bytes = answer.readBytes(size)
  const records: Record[] = []
  let unpacked = 0
  for (let at = 0, end = 0; at + MAGIC_AT < size && unpacked < most; at = end) {
    end = at + LENGTH_END + Math.max(0, bytes.readInt32BE(at + LENGTH_AT))
    // The last batch of an answer may be cut.
    if (end > size) break
    const batch = bytes.subarray(at, end)
    try {
      for (const record of await recordsOf(batch)) {
        records.push(record)
        unpacked += (record.key?.length ?? 0) + (record.value?.length ?? 0)
      }
    } catch (error) {
      return records.length > 0 ? records : [standIn(batch, messageOf(error))]
    }
  }
  return records
}

async function recordsOf(batch: Buffer): Promise<readonly Record[]> {
  const magic = batch.readInt8(MAGIC_AT)
  if (magic > NEW_FORMAT) throw new Error(`its format ${magic} is not known`)
  if (magic !== NEW_FORMAT) return readOldFormat(new DecoderOf(batch), batch.length)
  return (await readBatch(new DecoderOf(batch))).records
}

/**
 * At its last offset, which is never below what was asked for: kafkajs leaves out what is. With what its header says, so
 * that what an aborted transaction left is hidden whether it can be read or not.
 */
function standIn(batch: Buffer, reason: string): Record {
  const first = batch.readBigInt64BE(0)
  const record = { key: null, value: null, headers: {}, isControlRecord: false }
  // Packed records of the old format are at the offset of their last one.
  if (batch[MAGIC_AT] !== NEW_FORMAT || batch.length < HEAD_BYTES)
    return { ...record, offset: String(first), timestamp: '-1', unreadable: { first, last: first, reason } }
  const lastOffsetDelta = Math.max(0, batch.readInt32BE(LAST_DELTA_AT))
  const last = first + BigInt(lastOffsetDelta)
  return {
    ...record,
    offset: String(last),
    timestamp: String(batch.readBigInt64BE(MAX_TIMESTAMP_AT)),
    batchContext: {
      firstOffset: String(first),
      lastOffsetDelta,
      producerId: String(batch.readBigInt64BE(PRODUCER_AT)),
      inTransaction: (batch.readInt16BE(ATTRIBUTES_AT) & IN_TRANSACTION) !== 0,
    },
    unreadable: { first, last, reason },
  }
}
