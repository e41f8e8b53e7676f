// Tells the operator that verdicts were recorded without knowing what of their pictures other sellers show on sale.
import { messageOf } from '../errors.ts'
import type { Telemetry } from '../telemetry.ts'

/** Somebody may be flooding what is looked up: the pictures of these verdicts joined only where they were named. */
export const warnNotLookedUp =
  ({ log }: Pick<Telemetry, 'log'>) =>
  (verdicts: number, of: number, error: unknown): void =>
    log.warn(
      { verdicts, of, err: messageOf(error) },
      'not looked up in time what other sellers show: only pictures that a verdict names joined',
    )
