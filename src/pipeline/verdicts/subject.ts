// What is known of a listing while verdicts on it are settled, and which of them are on one case. Pure.
import type { Decision } from '../../domain/decision.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { VerdictSubject } from './ports.ts'

export interface OpenSubject {
  readonly decisions: Decision[]
  readonly verdicts: Verdict[]
}

export const openSubject = (subject: VerdictSubject): OpenSubject => ({
  decisions: subject.decisions.toSorted((a, b) => a.sequence - b.sequence),
  verdicts: [...subject.verdicts],
})

/** The case that a verdict is on, where it named none itself: that of its decision. */
export const caseOf = (verdict: Verdict, { decisions }: Pick<OpenSubject, 'decisions'>): string | null =>
  decisions.find((d) => d.decisionId === verdict.decisionId.toLowerCase())?.caseId ?? verdict.caseId ?? null

/** Whether a verdict on that revision of that case may replace this one. */
export const sameCase = (
  verdict: Pick<Verdict, 'revision' | 'caseId'>,
  on: { readonly revision: number; readonly caseId: string | null },
): boolean => verdict.revision === on.revision || (on.caseId !== null && verdict.caseId === on.caseId)
