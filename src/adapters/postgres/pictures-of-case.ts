// Which pictures of a case people are shown and may name: the newest, and always those that it was opened with.
import { sql } from 'kysely'
import type { Statement } from './statement.ts'

/**
 * The revision that a case was opened with; of a case of a version that did not say so, the first of which it has pictures.
 * `caseId` may be of a `c` or an `s` around it.
 */
export const openedWith = (caseId: Statement): Statement<number | null> => sql<number | null>`
  coalesce((select opened.opened_revision from review_case opened where opened.case_id = ${caseId}),
           (select min(oldest.revision) from case_picture oldest where oldest.case_id = ${caseId}))`

/**
 * `may`: of a picture `s`, whether the caller may see it; `most`: of the newest, which are as many as its seller likes. Newest
 * revision first.
 */
export function picturesOfCase(
  caseId: string | null,
  may: Statement<boolean>,
  most: number,
): Statement<{ revision: number; ordinal: number; sha256: string }> {
  const kept = sql`select s.revision, s.ordinal, s.sha256 from case_picture s where s.case_id = ${caseId} and ${may}`
  return sql<{ revision: number; ordinal: number; sha256: string }>`
    (${kept} order by s.revision desc, s.ordinal limit ${most})
    union
    (${kept} and s.revision = ${openedWith(sql`${caseId}`)})
    order by revision desc, ordinal`
}
