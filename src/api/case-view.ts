// A case as a rights holder may see it: its own brands, no figures of the seller, nothing that was said for other brands.
import type { Decision } from '../domain/decision.ts'
import type { Verdict } from '../domain/verdict.ts'
import type { CaseDetails } from '../review/ports.ts'
import { decisionsForBrands, listingForBrands } from './brand-view.ts'

/** What the store gave for these brands; of what names several brands only the part that concerns them. */
export function caseForBrands(details: CaseDetails, brandIds: readonly string[]): CaseDetails {
  const own = new Set(brandIds)
  return {
    ...details,
    listing: listingForBrands(details.listing),
    decisions: decisionsForBrands(details.decisions, brandIds),
    verdicts: details.verdicts.flatMap((verdict) => verdictForBrands(verdict, own)),
    // Written to the marketplace: invoices, suppliers, names.
    appeals: details.appeals.map((appeal) => ({ ...appeal, text: '' })),
  }
}

/** Who speaks for all may have written of other brands: what was said is told, its words are not. */
function verdictForBrands(verdict: Verdict, own: ReadonlySet<string>): Verdict[] {
  const { brandId } = verdict
  if (brandId !== undefined && brandId !== null) return own.has(brandId) ? [verdict] : []
  return [{ ...verdict, reason: null, note: null, by: { ...verdict.by, subject: verdict.by.role } }]
}

export const decisionForCaller = (decision: Decision, brandIds: readonly string[] | undefined): Decision | undefined =>
  brandIds === undefined ? decision : decisionsForBrands([decision], brandIds)[0]
