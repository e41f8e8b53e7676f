// How the bytes of records travel to the database and back: one buffer for many records.
import { headerValues } from '../../events/header.ts'
import type { HeaderValue, Headers, LogRecord, NewRecord } from '../../pipeline/log/ports.ts'

/** A record whose partition is decided. */
export interface Placed {
  readonly partition: number
  readonly record: NewRecord
}

/** Columns of one append. Lengths are in bytes, -1 for null; the parts of a record follow each other: key, value, headers. */
export interface Frame {
  readonly partitions: readonly number[]
  /** Records per entry of `partitions`. */
  readonly counts: readonly number[]
  readonly blob: Buffer
  /** One entry a record: its partition, its place among the records of that partition, where it begins in `blob` (from 1, as SQL counts). */
  readonly partition: readonly number[]
  readonly nth: readonly number[]
  readonly start: readonly number[]
  readonly keyLength: readonly number[]
  readonly valueLength: readonly number[]
  readonly headersLength: readonly number[]
}

export function frame(records: readonly Placed[]): Frame {
  const counts = new Map<number, number>()
  const partition: number[] = []
  const nth: number[] = []
  const start: number[] = []
  const keyLength: number[] = []
  const valueLength: number[] = []
  const headersLength: number[] = []
  const parts: Uint8Array[] = []
  let at = 1
  for (const { partition: p, record } of records) {
    const count = counts.get(p) ?? 0
    counts.set(p, count + 1)
    const headers = encodeHeaders(record.headers)
    partition.push(p)
    nth.push(count)
    start.push(at)
    keyLength.push(record.key === null ? -1 : record.key.length)
    valueLength.push(record.value === null ? -1 : record.value.length)
    headersLength.push(headers.length)
    for (const part of [record.key, record.value, headers]) {
      if (part === null || part.length === 0) continue
      parts.push(part)
      at += part.length
    }
  }
  return {
    partitions: [...counts.keys()],
    counts: [...counts.values()],
    blob: Buffer.concat(parts, at - 1),
    partition,
    nth,
    start,
    keyLength,
    valueLength,
    headersLength,
  }
}

const NONE = Buffer.alloc(0)

/** In the place of a value's length; no value is as long as that. */
const MISSING = 0xffff_ffff

/**
 * Per header: 2 bytes length and UTF-8 of the name, 4 bytes length and bytes of the value; big-endian. A name that repeats
 * has an entry for each of its values, in their order; without a value the length is `MISSING` and no bytes follow.
 */
export function encodeHeaders(headers: Headers): Buffer {
  const names = Object.keys(headers)
  if (names.length === 0) return NONE
  let size = 0
  const entries: { name: Buffer; value: Uint8Array | null }[] = []
  for (const name of names) {
    const bytes = Buffer.from(name)
    if (bytes.length > 0xffff) throw new RangeError('A header name is longer than 65535 bytes')
    for (const value of headerValues(headers[name] ?? null)) {
      entries.push({ name: bytes, value })
      size += 6 + bytes.length + (value?.length ?? 0)
    }
  }
  const out = Buffer.allocUnsafe(size)
  let at = 0
  for (const { name, value } of entries) {
    at = out.writeUInt16BE(name.length, at)
    at += name.copy(out, at)
    at = out.writeUInt32BE(value?.length ?? MISSING, at)
    if (value === null) continue
    out.set(value, at)
    at += value.length
  }
  return out
}

// PostgreSQL counts microseconds from the year 2000.
const EPOCH_2000_MS = 946_684_800_000
// Fields of a row in its binary form, which fetch.ts asks for: a count, then for each a type, a length (-1: null) and bytes.
const FIELD_HEAD = 8

/** Rows (offset, time, key, value, headers), one after the other; the records share the memory of `bytes`. */
export function decodeRecords(bytes: Buffer): LogRecord[] {
  const records: LogRecord[] = []
  let at = 0
  let last = -1n
  const field = (): Buffer | null => {
    const length = bytes.readInt32BE(at + 4)
    at += FIELD_HEAD
    if (length < 0) return null
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    at += 4
    const offset = bytes.readBigInt64BE(at + FIELD_HEAD)
    at += FIELD_HEAD + 8
    const microseconds = bytes.readInt32BE(at + FIELD_HEAD) * 2 ** 32 + bytes.readUInt32BE(at + FIELD_HEAD + 4)
    at += FIELD_HEAD + 8
    // Order comes from a subquery; should a future server not keep it, nothing must be read rather than something skipped.
    if (offset <= last) throw new Error(`The log gave offset ${offset} after ${last}`)
    last = offset
    records.push({
      offset,
      appendedAt: new Date(EPOCH_2000_MS + Math.floor(microseconds / 1_000)),
      key: field(),
      value: field(),
      headers: decodeHeaders(field() ?? NONE),
    })
  }
  return records
}

export function decodeHeaders(bytes: Buffer): Headers {
  const headers: Record<string, HeaderValue> = {}
  let at = 0
  while (at < bytes.length) {
    const nameEnd = at + 2 + bytes.readUInt16BE(at)
    const valueStart = nameEnd + 4
    const length = bytes.readUInt32BE(nameEnd)
    const valueEnd = length === MISSING ? valueStart : valueStart + length
    const name = bytes.toString('utf8', at + 2, nameEnd)
    const one = length === MISSING ? null : bytes.subarray(valueStart, valueEnd)
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined
    const value = before === undefined ? one : [...headerValues(before), one]
    // Assigned, a header called `__proto__` would become the prototype.
    if (name === '__proto__') Object.defineProperty(headers, name, { value, enumerable: true, configurable: true })
    else headers[name] = value
    at = valueEnd
  }
  return headers
}
