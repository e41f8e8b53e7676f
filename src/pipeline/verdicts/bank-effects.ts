// What a verdict does to the banks: pictures of what it confirms join, those of the verdict that it undoes leave. Pure.
import type { Verdict } from '../../domain/verdict.ts'
import type { OpenSubject } from './decide.ts'
import type { BankJoin } from './ports.ts'

export interface BankEffects {
  readonly bankJoins: BankJoin[]
  readonly bankLeaves: string[]
}

/**
 * Adds what a verdict that is recorded now does; `subject` is its listing before it. A verdict that was undone before it
 * came joins nothing, and none undoes one on another revision or listing, whatever it names.
 */
export function addBankEffects(effects: BankEffects, verdict: Verdict, subject: OpenSubject): void {
  const { verdictId, listingId, revision, brandId, by, supersedes } = verdict
  const others = subject.verdicts.filter((other) => other.revision === revision)
  if (others.some((other) => other.verdictId === supersedes)) effects.bankLeaves.push(String(supersedes))
  const caseId = subject.decisions.find((d) => d.decisionId === verdict.decisionId.toLowerCase())?.caseId
  const undone = others.some((other) => other.supersedes === verdictId)
  if (verdict.verdict !== 'confirmed' || caseId === undefined || undone) return
  effects.bankJoins.push({ verdictId, caseId, listingId, revision, brandId: brandId ?? null, by: by.subject })
}
