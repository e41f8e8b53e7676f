// What sellers show on their listings, by hash alone: what of a confirmed case honest sellers show too is found by it.
import { sql } from 'kysely'
import type { FrameOfListing } from '../../pipeline/verdicts/ports.ts'
import type { Statement } from './statement.ts'

/**
 * As far as a bank of confirmed pictures reaches that no analyst widened: what is farther from all forms of an entry it would
 * not stop. Beyond, the keys find too few: 5 in 100 of those that differ in 63 bits.
 */
const SAME = 31

/**
 * Keys of a hash: sixteen times 20 bits of it, each four more than its sixteenth, with their place. Two hashes that differ in
 * at most 7 bits have one in common for certain, of those that differ in 16, 24, 31 bits 99.8, 92, 72 of a hundred; by chance
 * it is one in 65,000 rows. With the sixteenths alone (9 in 10 at 31 bits) it was one in 4,000, and what had to be compared for
 * one verdict took 0.3 s where listings showed a million.
 */
export const keysOf = (hash: Statement) => sql`
  array(select (part << 20) + ('x' || substr(${hash} || ${hash}, part * 4 + 1, 5))::bit(20)::int from generate_series(0, 15) part)`

/** Keys as the version before knows them, the sixteenths alone: it finds no row without, and wrote no others. */
export const oldKeysOf = (hash: Statement) => sql`
  array(select (part << 16) + ('x' || substr(${hash}, part * 4 + 1, 4))::bit(16)::int from generate_series(0, 15) part)`

/** A frame of a picture of a case, by all hashes by which an entry of it would match. */
export interface FrameOfCase extends FrameOfListing {
  readonly caseId: string
  readonly hashes: readonly string[]
}

/**
 * These, each with whether a listing of another seller showed it before, and shows it while it stands allowed: before a
 * revision of that case with such a picture was first
 * decided. Not before the case was opened, which may be long after its pictures were on sale, and long before an edit brought
 * others; an edit that keeps one makes it no newer. What a listing shows is what its decisions name, and when is when they
 * were made: by the clock of the store. Strangers choose how many are near: see look-ahead.ts for how long it may take.
 */
export const shownElsewhere = (
  frames: readonly FrameOfCase[],
): Statement<FrameOfListing & { readonly isElsewhere: boolean }> =>
  sql<FrameOfListing & { isElsewhere: boolean }>`
    with ${sinceWhen(frames)}
    select a.sha256, a.frame, a.listing_id as "listingId",
           exists (
             select from met m left join since t on (t.case_id, t.sha256, t.frame) = (m.case_id, m.sha256, m.frame)
             where (m.case_id, m.sha256, m.frame) = (a.case_id, a.sha256, a.frame)
               and exists (${witnessesOf(hadBefore)})) as "isElsewhere"
    from asked a`

/** So many of one frame, the first that are found: floods may have any number. */
const MOST_MET = 200

/** Those listings of each picture that have a frame of it elsewhere, as `shownElsewhere` means it: those decided last, so many at most. */
export const listingsElsewhere = (
  frames: readonly FrameOfCase[],
  most: number,
): Statement<{ readonly sha256: string; readonly listings: readonly string[] }> =>
  sql<{ sha256: string; listings: string[] }>`
    with ${sinceWhen(frames)}
    select n.sha256, array_agg(n.listing_id order by n.at desc, n.listing_id) as listings
    from (
      select x.*, row_number() over (partition by x.sha256 order by x.at desc, x.listing_id) as nth
      from (
        select distinct a.sha256, w.listing_id, w.at
        from met a left join since t on (t.case_id, t.sha256, t.frame) = (a.case_id, a.sha256, a.frame)
        cross join lateral (
          select w.listing_id, (select max(d.decided_at) from decision d where d.listing_id = w.listing_id) as at
          from (${witnessesOf(hadBefore)} limit ${MOST_MET}) w) w) x) n
    where n.nth <= ${most} group by n.sha256`

/** `asked`, of these `met` that another seller's listing shows on sale, and `since` when the case shows them. */
const sinceWhen = (frames: readonly FrameOfCase[]): Statement => sql`
    asked as materialized (
      select a.listing_id collate "C" as listing_id, a.case_id collate "C" as case_id, a.sha256 collate "C" as sha256, a.frame,
             string_to_array(a.hashes, ',') as hashes
      from unnest(${frames.map((one) => one.listingId)}::text[], ${frames.map((one) => one.caseId)}::text[],
                  ${frames.map((one) => one.sha256)}::text[], ${frames.map((one) => one.frame)}::int[],
                  ${frames.map((one) => one.hashes.join(','))}::text[]) a (listing_id, case_id, sha256, frame, hashes)),
    -- Of most nothing is near that counts: only of the others it matters since when.
    met as materialized (select a.* from asked a where exists (${witnessesOf(sql`true`)})),
    -- The first revision of the case that has the very picture, and the first that shows one like it.
    since as materialized (
      select x.case_id, x.sha256, x.frame, min(x.at) as at from (
        select m.case_id, m.sha256, m.frame, d.decided_at as at
        from met m
        -- One case at a time: joined, the pictures of all cases were read for each verdict.
        cross join lateral (
          select min(c.revision) as revision from case_picture c where c.case_id = m.case_id and c.sha256 = m.sha256) y
        join decision d on d.listing_id = m.listing_id and d.revision = y.revision and d.stage = 'screening'
        union all
        select m.case_id, m.sha256, m.frame, d.at
        from met m
        cross join lateral (
          select d.shown, min(d.decided_at) as at from decision d
          where d.listing_id = m.listing_id and d.shown is not null
            and d.revision >= (select min(c.revision) from case_picture c where c.case_id = m.case_id)
          group by d.shown) d
        where exists (
          select from ${hashesOf(sql`m.hashes`)} cross join lateral (
            select n.hash, n.keys, n.wide_keys from shown_set n where n.listing_id = m.listing_id and n.digest = d.shown offset 0) n
          where ${isNear} offset 0)) x
      group by x.case_id, x.sha256, x.frame)`

/** Each hash of an array once, with its keys; what cannot be read as one is like nothing. */
const hashesOf = (hashes: Statement): Statement => sql`
  (select ('x' || h.hash)::bit(256) as bits, ${keysOf(sql`h.hash`)} as wide_keys, ${oldKeysOf(sql`h.hash`)} as keys
   from (select distinct u.hash from unnest(${hashes}) u (hash)) h where h.hash ~ '^[0-9a-f]{64}$' offset 0) h`

const isSame: Statement = sql`bit_count(('x' || n.hash)::bit(256) # h.bits) <= ${SAME}`

/** Rows from before there were wider keys have none until they are filled in (see shown-widening.ts). */
const isNear: Statement = sql`
  (n.wide_keys && h.wide_keys or n.wide_keys is null and n.keys && h.keys) and ${isSame}`

/** The rows that are near, by the index of the new keys; by that of the old ones too, until none is left that has no others. */
const nearRows: Statement = sql`
  select n.listing_id, n.digest from shown_set n where n.wide_keys && h.wide_keys and ${isSame}
  union all
  select n.listing_id, n.digest from shown_set n
  where (select exists (select from shown_widening)) and n.wide_keys is null and n.keys && h.keys and ${isSame}`

/** Of a listing `w` whether a set that its decisions name showed it before `t`, whichever that was. */
const hadBefore: Statement = sql`exists (
  select from decision d cross join lateral (
    select n.hash, n.keys, n.wide_keys from shown_set n where n.listing_id = d.listing_id and n.digest = d.shown offset 0) n
  cross join ${hashesOf(sql`a.hashes`)}
  where d.listing_id = w.listing_id and d.decided_at < coalesce(t.at, now()) and ${isNear} offset 0)`

/**
 * Listings of other sellers that stand allowed and show a frame of `a`, some more than once. By the index, hash after hash: comparing
 * all took 8 s for 12 pictures and 100,000 that listings show. Where one is enough it is the first; of a row that is near it
 * is asked first whether its listing stands so, which ends it for records that nobody ever decided. `offset 0` keeps that order.
 */
const witnessesOf = (before: Statement): Statement => sql`
  select w.listing_id from ${hashesOf(sql`a.hashes`)} cross join lateral (
    ${nearRows} offset 0) w
  where exists (
    select from listing l join listing mine on mine.listing_id = a.listing_id
    where l.listing_id = w.listing_id and l.outcome = 'allow' and l.withdrawn_revision < l.revision
      and (l.seller_id, coalesce(' ' || l.marketplace, '')) <> (mine.seller_id, coalesce(' ' || mine.marketplace, ''))
      and exists (
        select from decision d where d.listing_id = l.listing_id and d.revision = l.revision and d.shown = w.digest offset 0)
    offset 0)
    and ${before} offset 0`
