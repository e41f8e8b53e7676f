// Where what is assumed of listings before any evidence reaches what a policy holds from: what nothing speaks for is held. Pure.
import type { Policy } from '../domain/policy.ts'
import type { Scorecard } from '../domain/scorecard.ts'
import { nameOf } from './learning/places.ts'

/** More brands are counted: a policy may have thousands. */
const NAMED = 5

/** A line for each base, of everywhere and of marketplaces, that lies at or above thresholds of the policy or of its brands. */
export function heldByBase(
  { thresholds, brandThresholds }: Pick<Policy, 'thresholds' | 'brandThresholds'>,
  { probability, marketplaces = [] }: Scorecard['prior'],
): string[] {
  const everywhere = marketplaces.length === 0 ? 'listings' : 'listings of other marketplaces'
  const own = marketplaces.map((one) => ({ who: nameOf(one.marketplace), base: one.probability }))
  return [{ who: everywhere, base: probability }, ...own].flatMap(({ who, base }) => {
    const brands = Object.entries(brandThresholds).filter(([, { hold }]) => hold <= base)
    if (thresholds.hold > base && brands.length === 0) return []
    const named = brands.slice(0, NAMED).map(([brandId, { hold }]) => `${brandId} (from ${hold})`)
    if (brands.length > NAMED) named.push(`${brands.length - NAMED} more brands`)
    const which = thresholds.hold <= base ? `from ${thresholds.hold} on` : `those about ${named.join(', ')}`
    return `${who} begin at a risk of ${base} before any evidence, and the policy holds ${which}: what nothing speaks for is held`
  })
}
