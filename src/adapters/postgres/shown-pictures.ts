// What sellers show on their listings, by hash alone: what of a confirmed case honest sellers show too is found by it.
import { sql } from 'kysely'
import { framesOf } from './picture-frames.ts'
import type { ShownPicture } from '../../pipeline/pictures/ports.ts'
import type { Statement } from './statement.ts'

/** A listing that stands for longer is written anew when it is edited; the table stays as long as a season. */
const DAYS = 90
/** As far as the banks of confirmed pictures reach: what is farther would not be stopped by the entry. */
const SAME = 31

/**
 * Keys of a hash: the value of each of its sixteen parts with the part's place. Two hashes that differ in at most 15 bits
 * have one in common for certain, of those that differ in 31 nine of ten.
 */
const keysOf = (hash: Statement) => sql`
  array(select (part << 16) + ('x' || substr(${hash}, part * 4 + 1, 4))::bit(16)::int from generate_series(0, 15) part)`

/** Written once for a listing; what a newer revision shows as well is of the newer one. */
export function writeShown(rows: readonly ShownPicture[]): Statement {
  const byId = [...new Map(rows.map((one) => [one.listingId + one.hash, one])).values()].toSorted((a, b) =>
    a.listingId + a.hash < b.listingId + b.hash ? -1 : 1,
  )
  return sql`
    insert into shown_picture (listing_id, hash, revision, keys)
    select x.listing_id, x.hash, x.revision, ${keysOf(sql`x.hash`)}
    from unnest(${byId.map((one) => one.listingId)}::text[], ${byId.map((one) => one.hash)}::text[],
                ${byId.map((one) => one.revision)}::int[]) x (listing_id, hash, revision)
    on conflict (listing_id, hash) do update set revision = excluded.revision
      where shown_picture.revision < excluded.revision`
}

/**
 * Of the pictures that `shown` names (sha256, listing_id), those that a listing of another seller showed before the case was
 * opened, and shows while it stands allowed. Outside of any transaction: strangers choose how many are near.
 */
export const shownElsewhere = (shown: Statement): Statement<{ sha256: string; frame: number; listing_id: string }> =>
  sql<{ sha256: string; frame: number; listing_id: string }>`
    with asked as materialized (
      select distinct s.sha256, s.listing_id, v.frame, h.hash, ${keysOf(sql`h.hash`)} as keys
      from ${shown} s join picture p on p.sha256 = s.sha256 and not p.blank ${framesOf(sql`p`)},
           unnest(case when cardinality(v.variants) = 0 then array[v.hash] else v.variants end) h (hash)
      where h.hash ~ '^[0-9a-f]{64}$')
    select distinct a.sha256, a.frame, a.listing_id from asked a
    join listing mine on mine.listing_id = a.listing_id
    join lateral (
      select min(c.opened_at) as opened_at from review_case c
      where c.listing_id = a.listing_id and c.revision = mine.revision) own on true
    -- By the index, picture after picture: comparing all took 8 s for 12 pictures and 100,000 that listings show.
    join lateral (
      select n.listing_id, n.revision from shown_picture n
      where n.keys && a.keys and n.at < coalesce(own.opened_at, now())
        and bit_count(('x' || n.hash)::bit(256) # ('x' || a.hash)::bit(256)) <= ${SAME} offset 0) o on true
    join listing l on l.listing_id = o.listing_id and l.revision = o.revision
      and l.outcome = 'allow' and l.withdrawn_revision < l.revision
      and (l.seller_id, coalesce(' ' || l.marketplace, '')) <> (mine.seller_id, coalesce(' ' || mine.marketplace, ''))`

export const forgetShown = (limit: number): Statement => sql`
  delete from shown_picture s using (
    select listing_id, hash from shown_picture where at < now() - ${DAYS} * interval '1 day' order by at limit ${limit}) old
  where s.listing_id = old.listing_id and s.hash = old.hash`
