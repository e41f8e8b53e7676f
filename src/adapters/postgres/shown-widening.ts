// Fills in the wider keys of what was shown before there were any: a janitor's duty, in small steps beside everything else.
import { sql } from 'kysely'
import type { Statement } from './statement.ts'

/**
 * One step of so many rows, in their order; answers a row for each that it looked at, none when it came to the end of them.
 * Rows that somebody else holds just then are left out, so that nobody waits crosswise, and met in the next pass: when one has
 * met all, `shown_widening` is empty, and looks ask for the old keys no more. New rows have both, whoever writes them. One
 * process at a time.
 */
export const widenShown = (limit: number): Statement => sql`
  with reached as materialized (select * from shown_widening for update skip locked),
  page as materialized (
    select s.* from reached r cross join lateral (
      select s.listing_id, s.digest, s.hash, s.wide_keys is null as lacking from shown_set s
      where (s.listing_id, s.digest, s.hash) > (r.listing_id, r.digest, r.hash)
      order by s.listing_id, s.digest, s.hash limit ${limit}) s),
  held as materialized (
    select s.listing_id, s.digest, s.hash from page p
    join shown_set s on (s.listing_id, s.digest, s.hash) = (p.listing_id, p.digest, p.hash)
    where p.lacking for update of s skip locked),
  filled as (
    update shown_set s set wide_keys = wide_keys_of(s.hash) from held h
    where (s.listing_id, s.digest, s.hash) = (h.listing_id, h.digest, h.hash)),
  step as materialized (
    select (select count(*) from page) < ${limit} as is_end,
           r.missed or (select count(*) from page where lacking) > (select count(*) from held) as missed
    from reached r),
  goes_on as (
    update shown_widening w set (listing_id, digest, hash) =
      (select listing_id, digest, hash from page order by listing_id desc, digest desc, hash desc limit 1), missed = s.missed
    from step s where not s.is_end),
  begins_again as (
    update shown_widening w set listing_id = '', digest = '', hash = '', missed = false
    from step s where s.is_end and s.missed),
  ends as (delete from shown_widening w using step s where s.is_end and not s.missed)
  select p.listing_id from page p, step s where not s.is_end`
