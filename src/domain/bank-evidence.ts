// What evidence tells of a bank to those whose bank it is not: that a picture is known, never through whose case or upload.
import type { Decision } from './decision.ts'

/** Which bank and how its picture came there: names of cases, listings, verdicts and files of other tenants. */
const PRIVATE = new Set(['bankId', 'source'])

/**
 * Evidence without the name of any bank and the origin of its pictures, but for banks of brands that `isOwn` takes. What
 * stays says what matched: kind and brand of the bank, the entry's id, distance, and which picture of the listing. Evidence
 * is free JSON: a match is any object with a `bankId`, wherever it stands.
 */
export function withoutOrigins<T>(evidence: T, isOwn: (brandId: string) => boolean): T {
  return cut(evidence, isOwn) as T
}

/** A decision for the systems of a marketplace, on the topic and over HTTP; the store keeps all of it. */
export const forMarketplaces = (decision: Decision): Decision => ({
  ...decision,
  signals: decision.signals.map((signal) => ({ ...signal, evidence: withoutOrigins(signal.evidence, () => false) })),
})

/**
 * The pictures of banks that a decision names and that speak against its listing, by their ids, each once: when one of them
 * leaves its bank, what the decision says may not hold any more.
 */
export function bankImagesNamed(decision: Pick<Decision, 'signals'>): string[] {
  const named = decision.signals
    .flatMap(({ evidence }) => matchesIn(evidence))
    .flatMap(({ imageId, kind }) =>
      typeof imageId === 'string' && UUID.test(imageId) && kind !== 'allowed' ? [imageId] : [],
    )
  return [...new Set(named)]
}

/** By the place of each image of the listing, the sha256 of the bytes that a decision's evidence is about. */
export function picturesNamed(decision: Pick<Decision, 'signals'>): ReadonlyMap<number, string> {
  const named = new Map<number, string>()
  for (const { image, sha256 } of decision.signals.flatMap(({ evidence }) => matchesIn(evidence)))
    if (typeof image === 'number' && typeof sha256 === 'string') named.set(image, sha256)
  return named
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function matchesIn(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(matchesIn)
  if (typeof value !== 'object' || value === null) return []
  return 'bankId' in value ? [{ ...value }] : Object.values(value).flatMap(matchesIn)
}

function cut(value: unknown, isOwn: (brandId: string) => boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => cut(one, isOwn))
  if (typeof value !== 'object' || value === null) return value
  const foreign =
    'bankId' in value && !('brandId' in value && typeof value.brandId === 'string' && isOwn(value.brandId))
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !foreign || !PRIVATE.has(key))
      .map(([key, one]) => [key, cut(one, isOwn)]),
  )
}
