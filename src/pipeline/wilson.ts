// A share with its uncertainty: every figure that is counted is shown with the interval that the count supports.
import { z } from 'zod'

/** `count` of `of`; `value` is null where there is nothing to take a share of; `low` and `high` bound it with 95 % confidence. */
export const rateSchema = z.object({
  count: z.int().min(0),
  of: z.int().min(0),
  value: z.number().min(0).max(1).nullable(),
  low: z.number().min(0).max(1),
  high: z.number().min(0).max(1),
})
export type Rate = z.infer<typeof rateSchema>

/** Two-sided 95 % quantile of the normal distribution. */
export const Z = 1.959963984540054

/**
 * Wilson's score interval (E. B. Wilson, 1927, JASA 22:209), which stays inside 0 to 1 and is right for shares near them;
 * without observations anything is possible, so it is 0 to 1.
 */
export function wilson(count: number, of: number): Rate {
  if (of === 0) return { count, of, value: null, low: 0, high: 1 }
  const p = count / of
  const z2 = Z * Z
  const centre = (p + z2 / (2 * of)) / (1 + z2 / of)
  const half = (Z / (1 + z2 / of)) * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of * of))
  // At the ends the bound is the share itself; only rounding says otherwise.
  const low = count === 0 ? 0 : Math.max(0, centre - half)
  const high = count === of ? 1 : Math.min(1, centre + half)
  return { count, of, value: p, low, high }
}
