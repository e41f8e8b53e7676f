// A record that could not be read, as it goes to the dead letters: its own bytes and headers, and why, in headers of ours.
import type { ErrorCode } from '../errors.ts'
import { headerValues } from '../events/header.ts'
import type { HeaderValue, Headers, LogRecord } from './ports.ts'

/** Headers are for people and consoles: a message beyond this says no more. */
const MESSAGE_LIMIT = 1_000

export function deadLetterRow(
  record: LogRecord,
  why: { readonly code: ErrorCode; readonly message: string; readonly stage: string; readonly attempts: number },
  at: { readonly topic: string; readonly partition: number; readonly offset: bigint },
  now: Date,
): { key: Uint8Array | null; value: Uint8Array | null; headers: Headers } {
  const ours = {
    code: why.code,
    stage: why.stage,
    message: why.message.slice(0, MESSAGE_LIMIT),
    topic: at.topic,
    partition: String(at.partition),
    offset: String(at.offset),
    time: now.toISOString(),
    attempts: String(why.attempts),
  }
  const headers: Record<string, HeaderValue> = { ...record.headers }
  for (const [what, value] of Object.entries(ours)) {
    const name = `touchstone-error-${what}`
    const bytes = Buffer.from(value.toWellFormed())
    // A dead letter that was sent again and failed again keeps what was said of it before; readers take the last value.
    const before = headers[name]
    headers[name] = before === undefined ? bytes : [...headerValues(before), bytes]
  }
  return { key: record.key, value: record.value, headers }
}
