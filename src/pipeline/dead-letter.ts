// A record that could not be read, as it goes to the dead letters: its own bytes and headers, and why, in headers of ours.
import type { ErrorCode } from '../errors.ts'
import { headerValues } from '../events/header.ts'
import type { HeaderValue, Headers, LogRecord } from './log/ports.ts'

/** Headers are for people and consoles: a message beyond this says no more. */
const MESSAGE_LIMIT = 1_000
/** Of our own headers and what a log wraps around a record: the message takes 3 KB at most, the names of topics little more. */
const OWN_BYTES = 8 << 10
/** Strangers' headers and a key keep so much each, where the record must be cut: tracing and attributes take far less. */
const LEAST_BYTES = 16 << 10

/** What was left out of a dead letter, as its header `touchstone-error-truncated` says it in JSON. */
interface Truncated {
  /** Sizes before the cut, of what was cut. */
  valueBytes?: number
  keyBytes?: number
  headersLeftOut?: number
}

/**
 * The dead letter of a record: untouched where it fits into `maxBytes`, which counts key, value and headers.
 *
 * A record may be larger than its topic seems to allow: what is compressed counts as it is compressed. A dead letter that
 * no topic takes would hold up all that is published behind it for ever, so what is too large is cut: the value gives way
 * before headers and key do, which keep 16 KiB each. The header `touchstone-error-truncated` then says how large it was;
 * the original is where `-topic`, `-partition` and `-offset` say, for as long as that topic keeps it.
 */
export function deadLetterRow(
  record: Pick<LogRecord, 'key' | 'value' | 'headers'>,
  why: { readonly code: ErrorCode; readonly message: string; readonly stage: string; readonly attempts: number },
  at: { readonly topic: string; readonly partition: number; readonly offset: bigint },
  context: { readonly now: Date; readonly maxBytes: number },
): { key: Uint8Array | null; value: Uint8Array | null; headers: Headers } {
  const { key, value, headers, truncated } = fitted(record, context.maxBytes - OWN_BYTES)
  const ours = {
    code: why.code,
    stage: why.stage,
    message: why.message.slice(0, MESSAGE_LIMIT),
    topic: at.topic,
    partition: String(at.partition),
    offset: String(at.offset),
    time: context.now.toISOString(),
    attempts: String(why.attempts),
    ...(truncated === undefined ? {} : { truncated: JSON.stringify(truncated) }),
  }
  const all: Record<string, HeaderValue> = { ...headers }
  for (const [what, said] of Object.entries(ours)) {
    const name = `touchstone-error-${what}`
    const bytes = Buffer.from(said.toWellFormed())
    // A dead letter that was sent again and failed again keeps what was said of it before; readers take the last value.
    const before = all[name]
    all[name] = before === undefined ? bytes : [...headerValues(before), bytes]
  }
  return { key, value, headers: all }
}

type Fitted = Pick<LogRecord, 'key' | 'value' | 'headers'> & { readonly truncated?: Truncated }

function fitted(record: Fitted, room: number): Fitted {
  const { key, value, headers } = record
  const keyBytes = key?.byteLength ?? 0
  const valueBytes = value?.byteLength ?? 0
  const headerBytes = sizeOf(headers)
  if (keyBytes + valueBytes + headerBytes <= room) return record
  const truncated: Truncated = {}
  // Whoever is small leaves room to the others; the value comes last because it is what is large.
  const keyRoom = Math.max(LEAST_BYTES, room - valueBytes - headerBytes)
  const keptKey = key === null || keyBytes <= keyRoom ? key : key.subarray(0, keyRoom)
  if (keptKey !== key) truncated.keyBytes = keyBytes
  const beside = room - (keptKey?.byteLength ?? 0)
  const kept = keep(headers, Math.max(LEAST_BYTES, beside - valueBytes))
  if (kept.leftOut > 0) truncated.headersLeftOut = kept.leftOut
  const valueRoom = Math.max(0, beside - kept.bytes)
  const keptValue = value === null || valueBytes <= valueRoom ? value : value.subarray(0, valueRoom)
  if (keptValue !== value) truncated.valueBytes = valueBytes
  return { key: keptKey, value: keptValue, headers: kept.headers, truncated }
}

/** Lengths before name and value, and a character takes three bytes of UTF-8 at most, or four in two. */
const costOf = (name: string, value: Uint8Array | null): number => 10 + 3 * name.length + (value?.byteLength ?? 0)

function sizeOf(headers: Headers): number {
  let bytes = 0
  for (const [name, value] of Object.entries(headers)) for (const one of headerValues(value)) bytes += costOf(name, one)
  return bytes
}

/** In their order those that still fit; one that does not leaves its room to those behind it. */
function keep(headers: Headers, room: number): { headers: Headers; bytes: number; leftOut: number } {
  let bytes = 0
  let leftOut = 0
  const kept: [string, HeaderValue][] = []
  for (const [name, value] of Object.entries(headers)) {
    const values: (Uint8Array | null)[] = []
    for (const one of headerValues(value)) {
      const cost = costOf(name, one)
      if (bytes + cost > room) leftOut += 1
      else {
        bytes += cost
        values.push(one)
      }
    }
    const [first] = values
    if (first !== undefined) kept.push([name, values.length === 1 ? first : values])
  }
  return { headers: Object.fromEntries(kept), bytes, leftOut }
}
