// What people said of revisions becomes labels: the verdict that counts for each brand, and what was known when it was said.
import type { Decision } from '../domain/decision.ts'
import { placeOf } from '../domain/place.ts'
import type { Verdict } from '../domain/verdict.ts'
import type { JudgedRevision, LabelledListing, RecordedVerdict } from './ports.ts'

/**
 * The labels of one revision: at most one for each brand that was judged. Superseded verdicts and `cannot-tell` give none;
 * of several that count `confirmed` wins, as it does where they decide. A verdict on a decision that is not there gives none.
 * `shareOf` gives the share (above 0, to 1) of which a decision's listing was drawn for an audit, undefined where it was
 * not: a drawn one stands for many that went on sale unseen.
 */
export function labelsOf(
  judged: JudgedRevision,
  shareOf: (decision: Decision) => number | undefined,
): LabelledListing[] {
  const { listing, sellerId, marketplace, verdicts, decisions } = judged
  const superseded = new Set(verdicts.map((v) => v.supersedes))
  const byId = new Map(decisions.map((d) => [d.decisionId, d]))
  const counting = new Map<string, { verdict: RecordedVerdict; decision: Decision }>()
  for (const verdict of verdicts) {
    if (superseded.has(verdict.verdictId) || verdict.verdict === 'cannot-tell') continue
    const decision = byId.get(verdict.decisionId.toLowerCase())
    if (decision === undefined) continue
    const brand = verdict.brandId ?? ''
    const before = counting.get(brand)?.verdict
    if (before === undefined || outweighs(verdict, before)) counting.set(brand, { verdict, decision })
  }
  const share = decisions.reduce<number | undefined>((found, decision) => found ?? shareOf(decision), undefined)
  const at = decidedAt(judged)
  if (at === undefined) return []
  return [...counting.values()].map(({ verdict, decision }) => ({
    listing,
    signals: decision.signals,
    label: verdict.verdict === 'confirmed' ? 'confirmed' : 'rejected',
    brandId: verdict.brandId ?? null,
    at,
    recordedAt: verdict.recordedAt,
    saidBy: verdict.by,
    sellerId,
    marketplace: placeOf(marketplace),
    drawn: share !== undefined,
    weight: share === undefined ? 1 : 1 / share,
  }))
}

/** When the gate first decided a revision, RFC 3339 in UTC; undefined where it never did. */
export function decidedAt({ decisions }: Pick<JudgedRevision, 'decisions'>): string | undefined {
  const first = decisions[0]
  return first === undefined ? undefined : new Date(first.decidedAt).toISOString()
}

const outweighs = (verdict: Verdict, before: Verdict): boolean =>
  verdict.verdict === before.verdict ? Date.parse(verdict.at) > Date.parse(before.at) : verdict.verdict === 'confirmed'
