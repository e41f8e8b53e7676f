// Outbox rows as Kafka messages and back: each says, in its last headers, which position of which store it is.
import type { Message } from 'kafkajs'
import { headerValues, lastHeader } from '../../events/header.ts'
import type { Headers, LogRecord } from '../../pipeline/log/ports.ts'
import type { OutboxRecord, Place, PublishedPosition } from '../../pipeline/publishing/ports.ts'
import { bytesOfRecord, messageOf } from './records.ts'

const POSITION = 'touchstone-position'
const STORE = 'touchstone-store'

/**
 * Key, value and headers untouched, and ours after them. A dead letter carries a stranger's headers, who may have called
 * them the same: his values stay, and only the last one of a name is ours.
 */
export function publishedMessage(row: OutboxRecord, storeId: string): Message {
  const headers = withLast(withLast(row.headers, POSITION, String(row.position)), STORE, storeId)
  return messageOf({ key: row.key, value: row.value, headers }, row.partition)
}

/** Which position of which store the record is; undefined for what others wrote to the topic. */
export function publishedPosition(place: Place, record: LogRecord): PublishedPosition | undefined {
  const position = lastText(record.headers, POSITION)
  const storeId = lastText(record.headers, STORE)
  if (position === undefined || storeId === undefined || !/^[1-9]\d{0,18}$/.test(position)) return undefined
  const { topic, partition } = place
  return { topic, partition, storeId, position: BigInt(position), key: record.key, value: record.value }
}

/** About what the message takes in a batch, generously. */
export const sizeOf = (row: OutboxRecord): number => bytesOfRecord(row) + OWN_BYTES

// Our two headers: 19 digits, a UUID, and their names.
const OWN_BYTES = 192

function withLast(headers: Headers, name: string, text: string): Headers {
  const before = Object.hasOwn(headers, name) ? headerValues(headers[name] ?? null) : []
  return { ...headers, [name]: [...before, Buffer.from(text)] }
}

function lastText(headers: Headers, name: string): string | undefined {
  const last = lastHeader(headers, name)
  return last === undefined ? undefined : Buffer.from(last).toString('utf8')
}
