// Records as the port has them, from and to what kafkajs takes for messages; bytes are passed on untouched.
import type { IHeaders, Message } from 'kafkajs'
import { headerValues, type HeaderValue } from '../../events/header.ts'
import type { Headers, LogRecord, NewRecord } from '../../pipeline/log/ports.ts'
import type { RawMessage } from './internals.ts'

const EARLIEST_MS = Date.UTC(2000, 0, 1)

/**
 * Time is the log's own where the topic says `LogAppendTime`, else the producer's, whose clock may be anything. What cannot
 * be is taken for now: no time at all (-1), one before 2000, one that is yet to come, one that no date can hold.
 */
export function recordOf(message: RawMessage): LogRecord {
  const said = Number(message.timestamp)
  const now = Date.now()
  return {
    offset: BigInt(message.offset),
    appendedAt: new Date(said >= EARLIEST_MS && said <= now ? said : now),
    key: message.key,
    value: message.value,
    headers: headersOf(message.headers),
  }
}

/**
 * kafkajs gathers headers in a plain object and takes what every object inherits (`constructor`, `__proto__`) for a value
 * that came before: the first of a list is then no bytes, and falls away here.
 */
export function headersOf(raw: Readonly<Record<string, unknown>> | undefined): Headers {
  const headers: Record<string, HeaderValue> = {}
  for (const name of Object.keys(raw ?? {})) {
    const value = Object.getOwnPropertyDescriptor(raw, name)?.value as unknown
    const values = (Array.isArray(value) ? value : [value]).filter(isValue)
    const [first] = values
    if (first === undefined) continue
    setOwn(headers, name, values.length === 1 ? first : values)
  }
  return headers
}

const isValue = (value: unknown): value is Buffer | null => value === null || Buffer.isBuffer(value)

/** A message for one partition, said explicitly: no partitioner of kafkajs has a say. */
export function messageOf(record: NewRecord, partition: number): Message {
  const headers: Record<string, unknown> = {}
  for (const name of Object.keys(record.headers)) {
    const value = Object.getOwnPropertyDescriptor(record.headers, name)?.value as HeaderValue
    const values = headerValues(value)
    setOwn(headers, name, values.includes(null) ? withNulls(name, values) : values.map((one) => bytesOf(one)))
  }
  return { partition, key: bytesOf(record.key), value: bytesOf(record.value), headers: headers as IHeaders }
}

/** Assigning `__proto__` would do something else. */
function setOwn<T>(object: Record<string, T>, name: string, value: T): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

/** kafkajs knows Buffers only; the bytes stay where they are. */
function bytesOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null || Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const NOTHING = Buffer.alloc(0)

/**
 * The encoder of kafkajs can write a header without a value, but first asks for its length, and null has none: it throws.
 * So the first look at the value shows an empty one, the later ones null. The encoder makes its headers from a list by
 * `map`, for every try anew.
 */
function withNulls(name: string, values: readonly (Uint8Array | null)[]): unknown {
  const list = values.map((value) => bytesOf(value))
  return Object.assign(list.slice(), {
    map: () => list.map((value) => (value === null ? nullHeader(name) : { key: name, value })),
  })
}

function nullHeader(key: string): { readonly key: string; readonly value: Buffer | null } {
  let measured = false
  return {
    key,
    get value() {
      if (measured) return null
      measured = true
      return NOTHING
    },
  }
}

/** About how many bytes a record takes in a batch, generously. */
export function bytesOfRecord(record: NewRecord): number {
  let bytes = 32 + (record.key?.byteLength ?? 0) + (record.value?.byteLength ?? 0)
  for (const name of Object.keys(record.headers)) {
    const value = Object.getOwnPropertyDescriptor(record.headers, name)?.value as HeaderValue
    // A character takes three bytes of UTF-8 at most, or four in two.
    for (const one of headerValues(value)) bytes += 10 + 3 * name.length + (one?.byteLength ?? 0)
  }
  return bytes
}
