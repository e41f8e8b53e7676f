// Which pictures of cases are official ones: compared by who holds the banks in memory before the transaction, and under the
// head's lock only with what changed since, as far as that is little.
import { sql } from 'kysely'
import type { OfficialLook } from '../../pipeline/verdicts/ports.ts'
import { isWordOf } from './bank-rights.ts'
import type { Statement } from './statement.ts'

/** Nothing was looked at. */
export const NOT_LOOKED: OfficialLook = { change: 0n, looked: [], near: [] }

/** Hashes of entries that are read under the lock, of what came, of what was there in banks that changed, and of all others. */
const MOST_ENTRIES = 50_000

/** Pairs of hashes that are compared under the lock: 0.4 µs each on a busy machine, for which everybody waits who changes reference data. */
const MOST_PAIRS = 2_000_000

/**
 * Common table expressions behind `shown` (sha256, frame, hash, variants; may_join; named, null where the verdict names none):
 * `official` (sha256, frame, kind, brand_id, alone) says of which bank a picture that may join is like an entry, in any form by which an
 * entry of it would match, within what that bank calls the same; `alone`: one that is its owner's word alone. `compared`
 * (sha256, frame, is_compared) says of which that is known: of those that a verdict names first, and of all others only as far as it
 * ends soon. By its text, as in bank-rights.ts.
 *
 * Every hash of these banks counts, those of derived forms too. What cannot be read as a hash is compared with nothing,
 * instead of failing every verdict; the same bytes are the same picture whatever their hash. Each hash is read from its text
 * once: for every pair anew, as it was, took ten times as long. `entry` has three parts so that each goes by an index: what
 * changed since the look; of banks that changed since what was there before; and, where something was not looked at, all
 * that was there before.
 */
export const officialOf = ({ change, looked, near }: OfficialLook): Statement => {
  const since = sql`${String(change)}::bigint`
  const hashOf = (text: Statement) => sql`case when ${text} ~ '^[0-9a-f]{64}$' then ('x' || ${text})::bit(256) end`
  const bank = sql`b.body ->> 'kind' as kind, b.body ->> 'brandId' as brand_id`
  const alone = sql`${isWordOf(sql`g`, 'brand')} as alone`
  const isOfficial = sql`b.body ->> 'kind' in ('genuine', 'allowed')`
  const part = (place: number, which: Statement) => sql`
      (select ${place}::int as part, ${bank}, ${alone}, (b.body ->> 'maxDistance')::int as most, ${hashOf(sql`f.hash`)} as hash
       from bank b join bank_image g on g.bank_id = b.bank_id, unnest(g.hash || g.forms) f (hash)
       where ${which} and g.state = 'active' and ${isOfficial} limit ${MOST_ENTRIES + 1})`
  return sql`
    candidate as materialized (
      select s.sha256, s.frame, s.variants, bool_or(s.named is not null) as is_named, (s.sha256, s.frame) in (
        select * from unnest(${looked.map((one) => one.sha256)}::text[], ${looked.map((one) => one.frame)}::int[])) as is_looked
      from shown s where s.may_join group by s.sha256, s.frame, s.variants),
    entry as materialized (${part(1, sql`g.change > ${since}`)}
      union all ${part(2, sql`b.change > ${since} and g.change <= ${since}`)}
      union all ${part(
        3,
        sql`b.change <= ${since} and g.change <= ${since} and (select exists (select from candidate where not is_looked))`,
      )}),
    size as materialized (
      select count(*) filter (where part < 3) as since, count(*) filter (where part = 3) as before,
             greatest(count(*) filter (where part = 1), count(*) filter (where part = 2)) > ${MOST_ENTRIES} as too_many_since,
             count(*) filter (where part = 3) > ${MOST_ENTRIES} as too_many_before
      from entry),
    compared as materialized (
      select sha256, frame, variants, is_looked, may and sum(pairs) over (
               order by may desc, is_named desc, is_looked desc, sha256, frame rows unbounded preceding) <= ${MOST_PAIRS} as is_compared
      from candidate c cross join size z cross join lateral (
        select not z.too_many_since and (c.is_looked or not z.too_many_before) as may,
               cardinality(c.variants) * (z.since + case when c.is_looked then 0 else z.before end) as pairs) x),
    turned as materialized (
      select distinct c.sha256, c.frame, c.is_looked, ${hashOf(sql`v.hash`)} as hash
      from compared c, unnest(c.variants) v (hash) where c.is_compared and (select exists (select from entry))),
    official as materialized (
      select t.sha256, t.frame, e.kind, e.brand_id, e.alone from turned t join entry e
        on (e.part < 3 or not t.is_looked) and bit_count(t.hash # e.hash) <= e.most
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
