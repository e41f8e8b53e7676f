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
