// What sellers show on their listings, by hash alone: what of a confirmed case honest sellers show too is found by it.
import { sql } from 'kysely'
import { framesOf } from './picture-frames.ts'
import type { Statement } from './statement.ts'

/** As far as the banks of confirmed pictures reach: what is farther would not be stopped by the entry. */
const SAME = 31

/**
 * Keys of a hash: the value of each of its sixteen parts with the part's place. Two hashes that differ in at most 15 bits
 * have one in common for certain, of those that differ in 31 nine of ten.
 */
export const keysOf = (hash: Statement) => sql`
  array(select (part << 16) + ('x' || substr(${hash}, part * 4 + 1, 4))::bit(16)::int from generate_series(0, 15) part)`

/**
 * Of the pictures that `shown` names (sha256, listing_id, case_id), those that a listing of another seller showed before, and
 * shows while it stands allowed: before a revision of that case with such a picture was first decided. Not before the case
 * was opened, which may be long after its pictures were on sale, and long before an edit brought others; an edit that
 * keeps one makes it no newer. What a listing shows is what its decisions name, and when is when they were made: by the
 * clock of the store. Outside of any transaction: strangers choose how many are near.
 */
export const shownElsewhere = (shown: Statement): Statement<{ sha256: string; frame: number; listing_id: string }> =>
  sql<{ sha256: string; frame: number; listing_id: string }>`
    with asked as materialized (
      select distinct s.sha256, s.listing_id, s.case_id, v.frame, h.hash, ${keysOf(sql`h.hash`)} as keys
      from ${shown} s join picture p on p.sha256 = s.sha256 and not p.blank ${framesOf(sql`p`)},
           unnest(case when cardinality(v.variants) = 0 then array[v.hash] else v.variants end) h (hash)
      where h.hash ~ '^[0-9a-f]{64}$'),
    -- By the index, picture after picture: comparing all took 8 s for 12 pictures and 100,000 that listings show.
    near as materialized (
      select distinct a.sha256, a.frame, a.case_id, a.listing_id, o.listing_id as by_listing, o.digest
      from asked a join lateral (
        select n.listing_id, n.digest from shown_set n
        where n.keys && a.keys and bit_count(('x' || n.hash)::bit(256) # ('x' || a.hash)::bit(256)) <= ${SAME} offset 0) o on true),
    said as materialized (
      select d.listing_id, d.shown, d.revision, min(d.decided_at) as at
      from (select distinct by_listing from near) b join decision d on d.listing_id = b.by_listing
      where d.shown is not null group by d.listing_id, d.shown, d.revision),
    -- The first revision of the case that has the very picture, and the first that shows one like it.
    since as materialized (
      select x.case_id, x.sha256, x.frame, min(x.at) as at from (
        select a.case_id, a.sha256, a.frame, d.decided_at as at
        from (
          select y.case_id, y.listing_id, y.sha256, y.frame, min(c.revision) as revision
          from (select distinct case_id, listing_id, sha256, frame from asked) y
          join case_picture c on c.case_id = y.case_id and c.sha256 = y.sha256
          group by y.case_id, y.listing_id, y.sha256, y.frame) a
        join decision d on d.listing_id = a.listing_id and d.revision = a.revision and d.stage = 'screening'
        union all
        select n.case_id, n.sha256, n.frame, s.at
        from near n join said s on s.listing_id = n.listing_id and s.shown = n.digest
        where n.by_listing = n.listing_id
          and s.revision >= (select min(c.revision) from case_picture c where c.case_id = n.case_id)) x
      group by x.case_id, x.sha256, x.frame)
    select distinct n.sha256, n.frame, n.listing_id
    from near n
    join listing mine on mine.listing_id = n.listing_id
    join listing l on l.listing_id = n.by_listing and l.outcome = 'allow' and l.withdrawn_revision < l.revision
      and (l.seller_id, coalesce(' ' || l.marketplace, '')) <> (mine.seller_id, coalesce(' ' || mine.marketplace, ''))
    join said s on s.listing_id = n.by_listing and s.shown = n.digest
    left join since t on (t.case_id, t.sha256, t.frame) = (n.case_id, n.sha256, n.frame)
    group by n.sha256, n.frame, n.case_id, n.listing_id, n.by_listing, l.revision, t.at
    having bool_or(s.revision = l.revision) and min(s.at) < coalesce(t.at, now())`
