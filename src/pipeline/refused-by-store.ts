// A record that the store refuses by what it says: tried as it is it can never succeed, so it is told and becomes a dead letter.
import { messageOf } from '../errors.ts'
import type { Telemetry } from '../telemetry.ts'
import type { LogRecord } from './log/ports.ts'
import type { Outcome } from './outcome.ts'

/** What becomes of it: it failed with the others of its transaction, and alone. */
export function refusedByStore(
  error: unknown,
  { offset }: Pick<LogRecord, 'offset'>,
  { log }: Telemetry,
): Outcome<never> {
  log.error({ err: error, offset: offset.toString() }, 'the store cannot take a record')
  return { kind: 'deadLetter', code: 'internal-error', message: messageOf(error), stage: 'commit', attempts: 2 }
}
