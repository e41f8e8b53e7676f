// Tells the operator that verdicts were recorded without knowing of all their pictures what they are like: official ones, or what others show on sale.
import { messageOf } from '../errors.ts'
import type { Telemetry } from '../telemetry.ts'

/** Somebody may be flooding what is looked up: pictures of these listings joined only where they were known, or named. */
export const warnNotLookedUp =
  ({ log }: Pick<Telemetry, 'log'>) =>
  (listings: number, of: number, error: unknown): void =>
    log.warn(
      { listings, of, err: messageOf(error) },
      'not looked up in time whether pictures are official or other sellers show them: of these only those joined that a verdict names',
    )
