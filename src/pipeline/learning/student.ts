// How much wider an interval must be that knows its own spread from few observations: Student's t.
import { Z } from '../wilson.ts'

/** Two-sided 95 % quantiles for 1 to 4 degrees of freedom, where the series below is off by more than a third of a percent. */
const FEWEST = [12.7062, 4.3027, 3.1824, 2.7764] as const

/**
 * Two-sided 95 % quantile, to 0.2 %, by the series of Cornish and Fisher (Abramowitz and Stegun, 1964, 26.7.5); degrees that
 * are no whole number are rounded down. Infinity below one: a single observation knows no spread.
 */
export function studentT(degrees: number): number {
  // 1 / (10 × 0.1²) is a little less than 10 in binary.
  const v = Math.floor(degrees + 1e-9)
  if (v < 1) return Infinity
  return (
    FEWEST[v - 1] ??
    Z +
      (Z ** 3 + Z) / (4 * v) +
      (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * v ** 2) +
      (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / (384 * v ** 3)
  )
}
