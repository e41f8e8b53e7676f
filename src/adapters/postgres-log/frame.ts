// How the bytes of records travel to the database: one buffer and a few arrays of numbers, so that no byte is ever text.
import type { Headers, NewRecord } from '../../pipeline/ports.ts'

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

/** Per header: 2 bytes length and UTF-8 of the name, 4 bytes length and bytes of the value; big-endian. */
export function encodeHeaders(headers: Headers): Buffer {
  const names = Object.keys(headers)
  if (names.length === 0) return NONE
  let size = 0
  const entries: { name: Buffer; value: Uint8Array }[] = []
  for (const name of names) {
    const bytes = Buffer.from(name)
    if (bytes.length > 0xffff) throw new RangeError('A header name is longer than 65535 bytes')
    const value = headers[name] ?? NONE
    entries.push({ name: bytes, value })
    size += 6 + bytes.length + value.length
  }
  const out = Buffer.allocUnsafe(size)
  let at = 0
  for (const { name, value } of entries) {
    at = out.writeUInt16BE(name.length, at)
    at += name.copy(out, at)
    at = out.writeUInt32BE(value.length, at)
    out.set(value, at)
    at += value.length
  }
  return out
}

export function decodeHeaders(bytes: Buffer): Headers {
  const entries: [string, Uint8Array][] = []
  let at = 0
  while (at < bytes.length) {
    const nameEnd = at + 2 + bytes.readUInt16BE(at)
    const valueStart = nameEnd + 4
    const valueEnd = valueStart + bytes.readUInt32BE(nameEnd)
    entries.push([bytes.toString('utf8', at + 2, nameEnd), bytes.subarray(valueStart, valueEnd)])
    at = valueEnd
  }
  // fromEntries defines properties, so that a header called `__proto__` is a header.
  return Object.fromEntries(entries)
}
