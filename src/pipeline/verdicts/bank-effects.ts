// What a verdict does to the banks: pictures of what it confirms join, those of the verdict that it undoes leave, what it rejects is disputed. Pure.
import type { Verdict } from '../../domain/verdict.ts'
import type { BankDispute, BankJoin } from './ports.ts'
import { caseOf, sameCase, type OpenSubject } from './subject.ts'

export interface BankEffects {
  readonly bankJoins: BankJoin[]
  readonly bankLeaves: string[]
  readonly bankDisputes: BankDispute[]
}

/**
 * Adds what a verdict that is recorded now does; `subject` is its listing before it. A verdict that was undone before it
 * came joins and disputes nothing. One on an earlier revision of the same case can be undone too: an edit does not make a mistake
 * final. None undoes one on another case or listing, whatever it names.
 */
export function addBankEffects(effects: BankEffects, verdict: Verdict, subject: OpenSubject): void {
  const { verdictId, listingId, revision, brandId = null, by, supersedes, pictures = null } = verdict
  const caseId = caseOf(verdict, subject)
  const others = subject.verdicts.filter((other) => sameCase(other, { revision, caseId }))
  if (others.some((other) => other.verdictId === supersedes)) effects.bankLeaves.push(String(supersedes))
  const undone = others.some((other) => other.supersedes === verdictId)
  if (undone) return
  if (verdict.verdict === 'rejected' && brandId !== null) effects.bankDisputes.push({ listingId, revision, brandId })
  if (verdict.verdict !== 'confirmed' || caseId === null) return
  const looked = subject.decisions.find((d) => d.decisionId === verdict.decisionId.toLowerCase())
  const brandIds = [...new Set([...(looked?.brandIds ?? []), ...(brandId === null ? [] : [brandId])])]
  const about = { verdictId, caseId, listingId, revision, brandId, brandIds, pictures }
  effects.bankJoins.push({ ...about, by: by.subject, byBrand: by.role === 'brand' })
}
