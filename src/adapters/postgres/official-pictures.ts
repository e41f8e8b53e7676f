// Which pictures of cases are official ones: compared by who holds the banks in memory before the transaction, and under the
// head's lock only with what changed since.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { CaseHashes, CaseLook, LookForOfficials, OfficialLook } from '../../pipeline/verdicts/ports.ts'
import { lookElsewhere, timeFor, type LookElsewhere } from './look-elsewhere.ts'
import { framesOf } from './picture-frames.ts'
import { openedWith } from './pictures-of-case.ts'
import type { Statement } from './statement.ts'
import { within } from './within.ts'

/** Nothing was looked at: everything is compared under the lock, 16 µs for each picture and official one on a busy machine. */
export const NOT_LOOKED: OfficialLook = { change: 0n, looked: [], near: [] }

/** Of one case: all of the revision the verdict is about and all it was opened with, of which each may have a hundred, and what may join of others. */
const MOST = 224

/** Of one case `c` that somebody may speak about. Nothing is locked: it may show others by the time of the verdict. */
export const shownInCase = (theCase: Statement<boolean>): Statement => sql`
  (select s.sha256, c.listing_id, c.case_id from review_case c ${ofCase(sql`c.revision`)} where ${theCase})`

/** Of the cases that went over to these revisions or later ones, up to them. */
export const shownAt = (rows: readonly { readonly listingId: string; readonly revision: number }[]): Statement => sql`
  (select s.sha256, c.listing_id, c.case_id from unnest(${rows.map((r) => r.listingId)}::text[], ${rows.map((r) => r.revision)}::int[]) x (listing_id, revision)
   join review_case c on c.listing_id = x.listing_id collate "C" and c.revision >= x.revision
   ${ofCase(sql`x.revision`)})`

/**
 * Of a case `c` up to this revision: each picture once, however often its seller sends it again, and what a verdict joins unnamed
 * first (bank-joins.ts): its own, what it was opened with, then the newest, before others those that name a brand of the case or none.
 */
const ofCase = (revision: Statement): Statement => sql`
   cross join lateral (select ${openedWith(sql`c.case_id`)} as revision) o
   cross join lateral (
     select p.sha256 from (
       select distinct on (s.sha256) s.sha256, s.revision, s.ordinal, s.revision = ${revision} as is_own,
              bool_or(s.revision = o.revision) over (partition by s.sha256) as is_opened,
              s.brand_ids && c.brand_ids or s.brand_ids = '{}' as is_meant
       from case_picture s where s.case_id = c.case_id and s.revision <= ${revision}
       order by s.sha256, s.revision desc, s.ordinal) p
     order by p.is_own or p.is_opened desc, p.is_meant desc, p.revision desc, p.ordinal limit ${MOST}) s`

/**
 * Looks what `shown` names up, outside of any transaction: it may take its time, but a bounded one (each of `pieces` by itself for
 * what other sellers show; all of `shown` when not said). Rejects where the hashes to ask the official ones for are not
 * there in time; what others show is then merely not known.
 */
export async function lookAhead(
  pool: Pool,
  shown: Statement,
  look: LookForOfficials | undefined,
  { pieces = [shown], ...options }: LookElsewhere & { readonly pieces?: readonly Statement[] } = {},
): Promise<CaseLook> {
  const elsewhere = await lookElsewhere(pool, pieces, options)
  if (look === undefined) return { ...NOT_LOOKED, ...elsewhere }
  const hashes = sql<CaseHashes>`
    select p.sha256, v.frame, v.hash, v.variants from picture p ${framesOf(sql`p`)}
    where not p.blank and p.sha256 in (select s.sha256 from ${shown} s)`
  const rows = await within(pool, timeFor(pieces.length, options.times), hashes)
  return { ...(await look(rows)), ...elsewhere }
}

/**
 * Common table expressions behind `shown` (sha256, frame, hash, variants): `official` (sha256, frame, kind, brand_id, alone) says of which bank a
 * picture is like an entry, in any form by which an entry of it would match, within what that bank calls the same; `alone`: one that is
 * its owner's word alone. By its text, as in bank-rights.ts.
 *
 * Every hash of these banks counts, those of derived forms too. What cannot be read as a hash is compared with nothing,
 * instead of failing every verdict; the same bytes are the same picture whatever their hash. Each hash is read from its text
 * once: for every pair anew, as it was, took ten times as long. `entry` has two parts so that each goes by an index: what
 * changed since the look, and, where a bank changed or a picture was not looked at, what was there before.
 */
export const officialOf = ({ change, looked, near }: OfficialLook): Statement => {
  const since = sql`${String(change)}::bigint`
  const hashOf = (text: Statement) => sql`case when ${text} ~ '^[0-9a-f]{64}$' then ('x' || ${text})::bit(256) end`
  const bank = sql`b.body ->> 'kind' as kind, b.body ->> 'brandId' as brand_id`
  const alone = sql`g.source::text ~ '"by"\\s*:\\s*"brand"' as alone`
  const isOfficial = sql`b.body ->> 'kind' in ('genuine', 'allowed')`
  return sql`
    turned as materialized (
      select distinct s.sha256, s.frame, s.sha256 = any(${looked}::text[]) as is_looked, ${hashOf(sql`v.hash`)} as hash
      from shown s, unnest(s.variants) v (hash)),
    entry as materialized (
      select e.kind, e.brand_id, e.alone, e.most, e.was_there, ${hashOf(sql`f.hash`)} as hash
      from (
        select ${bank}, ${alone}, (b.body ->> 'maxDistance')::int as most, false as was_there, g.hash || g.forms as hashes
        from bank_image g join bank b on b.bank_id = g.bank_id
        where g.change > ${since} and g.state = 'active' and ${isOfficial}
        union all
        select ${bank}, ${alone}, (b.body ->> 'maxDistance')::int, b.change <= ${since}, g.hash || g.forms
        from bank b join bank_image g on g.bank_id = b.bank_id
        where (b.change > ${since} or (select exists (select sha256 from shown except select unnest(${looked}::text[]) collate "C")))
          and g.change <= ${since} and g.state = 'active' and ${isOfficial}) e, unnest(e.hashes) f (hash)),
    official as materialized (
      select t.sha256, t.frame, e.kind, e.brand_id, e.alone from turned t join entry e
        on not (t.is_looked and e.was_there) and bit_count(t.hash # e.hash) <= e.most
      union
      select s.sha256, s.frame, ${bank}, ${alone}
      from shown s join bank_image g on g.sha256 = s.sha256 and g.state = 'active' join bank b on b.bank_id = g.bank_id
      where ${isOfficial}
      union
      -- A bank that changed since may call less the same by now.
      select n.sha256 collate "C", n.frame, ${bank}, n.alone
      from unnest(${near.map((one) => one.sha256)}::text[], ${near.map((one) => one.frame)}::int[],
                  ${near.map((one) => one.bankId)}::text[], ${near.map((one) => one.alone)}::boolean[]) n (sha256, frame, bank_id, alone)
      join bank b on b.bank_id = n.bank_id collate "C"
      where b.change <= ${since} and ${isOfficial})`
}
