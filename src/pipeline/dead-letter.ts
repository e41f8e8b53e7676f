// A record that could not be read, as it goes to the dead letters: its own bytes and headers, and why, in headers of ours.
import type { ErrorCode } from '../errors.ts'
import type { Headers, LogRecord } from './ports.ts'

/** Headers are for people and consoles: a message beyond this says no more. */
const MESSAGE_LIMIT = 1_000

export function deadLetterRow(
  record: LogRecord,
  why: { readonly code: ErrorCode; readonly message: string; readonly stage: string; readonly attempts: number },
  at: { readonly topic: string; readonly partition: number; readonly offset: bigint },
  now: Date,
): { key: Uint8Array | null; value: Uint8Array | null; headers: Headers } {
  const text = (value: string) => Buffer.from(value.toWellFormed())
  return {
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      'touchstone-error-code': text(why.code),
      'touchstone-error-stage': text(why.stage),
      'touchstone-error-message': text(why.message.slice(0, MESSAGE_LIMIT)),
      'touchstone-error-topic': text(at.topic),
      'touchstone-error-partition': text(String(at.partition)),
      'touchstone-error-offset': text(String(at.offset)),
      'touchstone-error-time': text(now.toISOString()),
      'touchstone-error-attempts': text(String(why.attempts)),
    },
  }
}
