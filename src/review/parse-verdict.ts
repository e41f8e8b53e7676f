// Data of an event to a Verdict: parsed once here, then trusted and frozen.
import { describeIssues } from '../domain/schema-issues.ts'
import { verdictSchema, type Verdict } from '../domain/verdict.ts'

export type VerdictReading =
  | { readonly kind: 'ok'; readonly value: Verdict }
  /** `path` is a JSON pointer to the first field at fault. */
  | { readonly kind: 'invalid'; readonly message: string; readonly path: string }

/** Unknown fields are left out. Never throws. */
export function parseVerdict(data: unknown): VerdictReading {
  const parsed = verdictSchema.safeParse(data)
  if (!parsed.success) return { kind: 'invalid', ...faultOf(parsed.error, data) }
  return { kind: 'ok', value: Object.freeze({ ...parsed.data, by: Object.freeze(parsed.data.by) }) }
}

function faultOf(error: Parameters<typeof describeIssues>[0], data: unknown): { message: string; path: string } {
  const { message, path } = describeIssues(error, data)
  return { message, path }
}

/** Whether two verdicts with one id say the same; null says as little as nothing. */
export function sameVerdict(a: Verdict, b: Verdict): boolean {
  return contentOf(a) === contentOf(b)
}

function contentOf(v: Verdict): string {
  return JSON.stringify([
    [v.verdictId, v.caseId ?? null, v.listingId, v.revision, v.decisionId.toLowerCase(), v.brandId ?? null],
    [v.verdict, v.reason ?? null, v.note ?? null, v.by.subject, v.by.role, v.at, v.source, v.supersedes ?? null],
    v.pictures ?? null,
  ])
}
