// Which of the matches of one picture speak: an allowed one silences all others, and an official photo what a verdict confirmed.
import type { BankMatch } from './ports.ts'

/** Where an allowed picture is among them, that alone. */
export function speaking(found: readonly BankMatch[]): readonly BankMatch[] {
  const allowed = found.filter((match) => match.kind === 'allowed')
  return allowed.length > 0 ? allowed : found.filter((match) => !found.some((other) => yieldsTo(match, other)))
}

/**
 * People confirm a listing, not each of its pictures. What joined a bank of fakes by a verdict and is an official photo
 * says nothing, also where the official one came later; a verdict puts none in that is official already. Official is what
 * the deployment says, or put or vouched for in the bank of a brand that the case was about. What a rights holder alone says
 * spares what concerns its brand alone: else one of two brands could hide the other's fakes by uploading them. What somebody
 * put there by hand yields to nobody.
 */
function yieldsTo(match: BankMatch, other: BankMatch): boolean {
  if (match.kind !== 'counterfeit' || match.source.kind !== 'verdict' || other.kind !== 'genuine') return false
  const { brandId } = other
  if (brandId === null) return true
  if (other.source.by === undefined) return brandsOf(match).includes(brandId)
  const [only, ...more] = match.brandId === null ? brandsOf(match) : [match.brandId]
  return only === brandId && more.length === 0
}

/** Of what joined before the brands of its case were kept, only that of its bank is known. */
const brandsOf = ({ brandId, source }: BankMatch): readonly string[] =>
  source.brandIds ?? (brandId === null ? [] : [brandId])
