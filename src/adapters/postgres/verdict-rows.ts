// The rows of verdicts, which are the labels: written once by their id, whoever says it.
import { sql } from 'kysely'
import type { Decision } from '../../domain/decision.ts'
import type { Verdict } from '../../domain/verdict.ts'
import { packJson } from './bytes.ts'
import type { Transaction } from './transaction.ts'

/** False when somebody else recorded one of them meanwhile: under another listing, or its row would have been locked. */
export async function recordVerdicts(tx: Transaction, verdicts: readonly Verdict[]): Promise<boolean> {
  if (verdicts.length === 0) return true
  // Ids in one order everywhere: two that record the same ids wait for each other at the first, never crosswise.
  const byId = verdicts.toSorted((a, b) => (a.verdictId < b.verdictId ? -1 : 1))
  const bodies = packJson(byId)
  const [written] = await tx.send([
    sql`
    insert into verdict (verdict_id, listing_id, revision, body)
    select x.verdict_id, x.listing_id, x.revision,
           convert_from(substring(${bodies.blob}::bytea from x.start for x.length), 'UTF8')::json
    from unnest(${byId.map((v) => v.verdictId)}::text[], ${byId.map((v) => v.listingId)}::text[],
                ${byId.map((v) => v.revision)}::int[], ${bodies.starts}::int[], ${bodies.lengths}::int[])
         x (verdict_id, listing_id, revision, start, length)
    on conflict (verdict_id) do nothing`,
  ])
  return written.rowCount === verdicts.length
}

/** A verdict, with its decision where only that one says which case it is on. */
export interface VerdictRow {
  readonly body: Verdict
  readonly decision: Decision | null
}

/** Columns and tables of a `VerdictRow`; the verdict is `v`. */
export const VERDICT = sql`
  v.body, d.body as decision from verdict v
  left join decision d on v.body ->> 'caseId' is null and d.listing_id = v.listing_id and d.revision = v.revision
    and d.decision_id = (v.body ->> 'decisionId')::uuid`

export const verdictOf = ({ body, decision }: VerdictRow): Verdict => ({
  ...body,
  caseId: body.caseId ?? decision?.caseId ?? null,
})
