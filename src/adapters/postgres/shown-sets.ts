// What sellers were seen to show: written before it is decided, kept while it may matter, removed where no decision names it.
import { sql } from 'kysely'
import type { ShownSet } from '../../pipeline/pictures/ports.ts'
import { inLots } from './in-lots.ts'
import { keysOf, oldKeysOf } from './shown-pictures.ts'
import type { Statement } from './statement.ts'

/** A listing that stands for longer is written anew when it is edited; the table stays as long as a season. */
const DAYS = 90
/** What is shown still when a listing is edited is new again, which costs as much as writing it: not each time. */
const FRESH_DAYS = 30
/** What was shown just before it would be new again must last as long as what was shown just after. */
const KEPT = sql`now() - ${DAYS + FRESH_DAYS} * interval '1 day'`
/** Written in one statement: some seconds on a very busy server, which ends one after 15 s. */
const BITE = 2_000
/** A record is decided within minutes, or noted again when it is tried again. */
const UNPROVEN = sql`now() - interval '1 day'`

/**
 * Which of them are so, says the decision that names the set: until then a row is the word of whoever sent a record. Sent
 * one after the other, each committed: who removes the sets that no decision names does not remove what was noted before.
 * `most`: rows in one statement.
 */
export function writeShown(sets: readonly ShownSet[], most = BITE): readonly Statement[] {
  // Nothing twice, and in the one order in which all who write them wait for each other.
  const byId = [...new Map(sets.map((one) => [JSON.stringify([one.listingId, one.digest]), one]))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, one]) => one)
  const rows = byId.flatMap(({ listingId, digest, hashes }) =>
    [...new Set(hashes)].toSorted().map((hash) => ({ listingId, digest, hash })),
  )
  return [
    sql`
    insert into shown_unproven as u (listing_id, digest, hashes)
    select x.listing_id, decode(x.digest, 'hex'), string_to_array(x.hashes, ',')
    from unnest(${byId.map((one) => one.listingId)}::text[], ${byId.map((one) => one.digest)}::text[],
                ${byId.map((one) => one.hashes.join(','))}::text[]) x (listing_id, digest, hashes)
    on conflict (listing_id, digest) do update set at = now() where u.at < now() - interval '1 hour'`,
    ...inLots(rows, most).map(noted),
  ]
}

const noted = (
  rows: readonly { readonly listingId: string; readonly digest: string; readonly hash: string }[],
): Statement => sql`
    insert into shown_set as s (listing_id, digest, hash, keys, wide_keys)
    select x.listing_id, decode(x.digest, 'hex'), x.hash, ${oldKeysOf(sql`x.hash`)}, ${keysOf(sql`x.hash`)}
    from unnest(${rows.map((one) => one.listingId)}::text[], ${rows.map((one) => one.digest)}::text[],
                ${rows.map((one) => one.hash)}::text[]) x (listing_id, digest, hash)
    on conflict (listing_id, digest, hash) do update set at = now(), wide_keys = excluded.wide_keys
      where s.at < now() - ${FRESH_DAYS} * interval '1 day'`

/**
 * Answers a row for each that it looked at. What a newer set of the listing shows too stays as long as that: it says since
 * when. What somebody writes just now is left for the next time, so that nobody waits crosswise.
 */
export const forgetShown = (limit: number): Statement => sql`
  with old as materialized (
    select listing_id, digest, hash from shown_set where at < ${KEPT} order by at limit ${limit} for update skip locked),
  later as materialized (
    select s.listing_id, s.hash, max(s.at) as at from (select distinct listing_id from old) o
    join shown_set s on s.listing_id = o.listing_id and s.at >= ${KEPT} group by s.listing_id, s.hash),
  kept as (
    update shown_set s set at = l.at from old o join later l on l.listing_id = o.listing_id and l.hash = o.hash
    where (s.listing_id, s.digest, s.hash) = (o.listing_id, o.digest, o.hash)),
  gone as (
    delete from shown_set s using old o
    where (s.listing_id, s.digest, s.hash) = (o.listing_id, o.digest, o.hash)
      and not exists (select from later l where l.listing_id = o.listing_id and l.hash = o.hash))
  select listing_id from old`

/** Removes the sets that no decision names a day later: refused, duplicates, invented. Answers a row for each it looked at. */
export const forgetUnproven = (limit: number): Statement => sql`
  with old as materialized (
    select listing_id, digest, hashes from shown_unproven where at < ${UNPROVEN} order by at limit ${limit}
    for update skip locked),
  gone as (
    delete from shown_set s using (
      select o.listing_id, o.digest, h.hash from old o, unnest(o.hashes) h (hash)
      where not exists (select from decision d where d.listing_id = o.listing_id and d.shown = o.digest)) x
    where (s.listing_id, s.digest, s.hash) = (x.listing_id, x.digest, x.hash)),
  asked as (
    delete from shown_unproven u using old o where (u.listing_id, u.digest) = (o.listing_id, o.digest))
  select listing_id from old`
