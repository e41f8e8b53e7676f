// What several verdicts on one revision mean together. Pure, and whatever the order they came in.
import type { Verdict } from '../domain/verdict.ts'

/**
 * `confirmed`: one that counts says so. `rejected`: none does, and every named brand says rejected, or a verdict that
 * speaks for all of them. undefined: nothing is settled. A verdict that another one supersedes does not count.
 */
export function weighVerdicts(
  verdicts: readonly Verdict[],
  brandIds: readonly string[],
): 'confirmed' | 'rejected' | undefined {
  const counting = countingVerdicts(verdicts)
  if (counting.some((v) => v.verdict === 'confirmed')) return 'confirmed'
  const cleared = counting.filter((v) => v.verdict === 'rejected')
  if (cleared.length === 0) return undefined
  const forAll = brandIds.length === 0 || cleared.some((v) => v.brandId === undefined || v.brandId === null)
  return forAll || brandIds.every((brandId) => cleared.some((v) => v.brandId === brandId)) ? 'rejected' : undefined
}

/** Those that no other one supersedes; what nobody has said yet takes nothing back. */
export function countingVerdicts(verdicts: readonly Verdict[]): readonly Verdict[] {
  const superseded = new Set(verdicts.map((v) => v.supersedes))
  return verdicts.filter((v) => !superseded.has(v.verdictId))
}
