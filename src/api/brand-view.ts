// What a rights holder may see of a listing: the decisions that name one of its brands, without any other brand in them.
import { withoutOrigins } from '../domain/bank-evidence.ts'
import type { Decision } from '../domain/decision.ts'
import type { ListingHistory } from '../pipeline/ports.ts'

/** The history for a caller of these brands; undefined where no decision names one of them. */
export function historyForBrands(history: ListingHistory, brandIds: readonly string[]): ListingHistory | undefined {
  const decisions = decisionsForBrands(history.decisions, brandIds)
  if (decisions.length === 0) return undefined
  const seen = new Set(decisions.map((d) => d.revision))
  return {
    ...history,
    decisions,
    revisions: history.revisions
      .filter((r) => seen.has(r.revision))
      .map((r) => ({ ...r, listing: listingForBrands(r.listing) })),
    // A refusal names no brand: it is the seller's and the marketplace's matter.
    refusals: [],
  }
}

/** Those that name one of the brands, without any other brand in them. */
export function decisionsForBrands(decisions: readonly Decision[], brandIds: readonly string[]): Decision[] {
  const own = new Set(brandIds)
  return decisions.filter((d) => d.brandIds.some((id) => own.has(id))).map((d) => decisionForBrands(d, own))
}

/** What the marketplace knows of its seller (age, sales, complaints) is not the rights holder's; who it is stays. */
export function listingForBrands(listing: unknown): unknown {
  if (typeof listing !== 'object' || listing === null) return listing
  return Object.fromEntries(Object.entries(listing).filter(([field]) => field !== 'seller'))
}

function decisionForBrands(decision: Decision, own: ReadonlySet<string>): Decision {
  const others = new Set(decision.brandIds.filter((id) => !own.has(id)))
  return {
    ...decision,
    brandIds: decision.brandIds.filter((id) => own.has(id)),
    signals: decision.signals.map((signal) => ({
      ...signal,
      evidence: withoutOrigins(
        without(signal.evidence, own, others) as Decision['signals'][number]['evidence'],
        // A bank of the deployment's own has pictures of every brand's cases.
        (brandId) => own.has(brandId),
      ),
    })),
  }
}

/**
 * Evidence is free JSON, so what names another brand is taken out wherever it stands: an object whose `brandId` is not
 * ours, and a string or a key that is the id of another brand of the decision.
 */
function without(value: unknown, own: ReadonlySet<string>, others: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) {
    return value.filter((v) => !namesOther(v, own, others)).map((v) => without(v, own, others))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, v]) => !others.has(key) && !namesOther(v, own, others))
      .filter(([key, v]) => !/brandids?$/i.test(key) || typeof v !== 'string' || own.has(v))
      .map(([key, v]) => [
        key,
        /brandids$/i.test(key) && Array.isArray(v) ? v.filter((id) => own.has(String(id))) : without(v, own, others),
      ]),
  )
}

function namesOther(value: unknown, own: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  if (typeof value === 'string') return others.has(value)
  if (typeof value !== 'object' || value === null || !('brandId' in value)) return false
  return typeof value.brandId === 'string' && !own.has(value.brandId)
}
