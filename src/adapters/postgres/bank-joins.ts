// What a verdict does to the banks, inside its own transaction: confirmed pictures join, and leave when it is undone.
import { sql } from 'kysely'
import { confirmedBank } from '../../domain/bank.ts'
import type { BankImage } from '../../domain/bank.ts'
import type { BankDispute, BankJoin, CaseLook, FrameOfListing, JoinedPictures } from '../../pipeline/verdicts/ports.ts'
import { disputed, disputedImages } from './bank-disputes.ts'
import { packJson } from './bytes.ts'
import { framesOf, hasOthers } from './picture-frames.ts'
import { NOT_LOOKED, officialOf } from './official-pictures.ts'
import { OF_CASE } from './of-case.ts'
import { REFERENCE_CHANNEL, takeHead } from './reference-head.ts'
import type { Statement } from './statement.ts'

/**
 * The pictures of the cases join the banks of confirmed ones, each with its verdict; what joined with a verdict of `leaves`
 * leaves, and other verdicts' copies stay; what another brand of `disputes` calls genuine counts less. Not a blank picture,
 * and none that is like a genuine or an allowed one (see `SPARING`), as far as `look` says, and compared here with what changed since it. Said again it changes nothing.
 * Listings that a picture which leaves had stopped are tried again (bank-departures.ts).
 *
 * To be sent after everything but the outbox (the lock order in reference-head.ts), in a transaction that holds the
 * listings: what a case shows is written under its listing's lock. The number moves only when something did.
 */
export function bankJoins(
  joins: readonly BankJoin[],
  leaves: readonly string[],
  look: CaseLook = NOT_LOOKED,
  disputes: readonly BankDispute[] = [],
): Statement[] {
  if (joins.length + leaves.length + disputes.length === 0) return []
  const joining = joins.length === 0 ? [] : [join(joins, look, JOIN)]
  return [takeHead, ...joining, ...change(leaves, disputes), MOVE_HEAD]
}

/** The same, with the statement that answers what became of the pictures of each case; undefined where none joins. */
export function bankEffects(
  joins: readonly BankJoin[],
  leaves: readonly string[],
  look?: CaseLook,
  disputes: readonly BankDispute[] = [],
): { readonly statements: Statement[]; readonly accounts: Statement<JoinedPictures> | undefined } {
  if (joins.length === 0) return { statements: bankJoins(joins, leaves, look, disputes), accounts: undefined }
  const accounts = join(joins, look ?? NOT_LOOKED, ACCOUNTED) as Statement<JoinedPictures>
  return { statements: [takeHead, accounts, ...change(leaves, disputes), MOVE_HEAD], accounts }
}

function join(joins: readonly BankJoin[], look: CaseLook, ending: (insert: Statement) => Statement): Statement {
  const { elsewhere = [], lookedUp } = look
  const among = (frames: readonly FrameOfListing[]): Statement => sql`(
        select * from unnest(${frames.map((e) => e.listingId)}::text[], ${frames.map((e) => e.sha256)}::text[],
                             ${frames.map((e) => e.frame)}::int[]))`
  const isLimited = sql`${lookedUp !== undefined}::boolean`
  // To read the other frames of all animations would take seconds under the lock.
  const others = lookedUp?.filter(({ frame }) => frame > 0) ?? []
  const moving = sql`(select * from unnest(${others.map((e) => e.listingId)}::text[], ${others.map((e) => e.sha256)}::text[]))`
  const banks = packJson(joins.map(({ brandId }) => confirmedBank(brandId)))
  const bankIds = joins.map(({ brandId }) => confirmedBank(brandId).bankId)
  const sourceOf = ({ verdictId, caseId, listingId, brandIds }: BankJoin): BankImage['source'] => ({
    kind: 'verdict',
    verdictId,
    caseId,
    listingId,
    brandIds: [...brandIds],
  })
  const sources = packJson(joins.map(sourceOf))
  const insert = sql`
    insert into bank_image (image_id, bank_id, sha256, frame, hash, quality, forms, state, source, verdict_id, added_by, change)
    select gen_random_uuid(), bank_id, sha256, frame, hash, quality, forms, 'active',
           ('{"revision":' || of_revision || coalesce(',"by":"' || word_of || '"', '') || ',' || substr(convert_from(
             substring(${sources.blob}::bytea from start for length), 'UTF8'), 2))::json, verdict_id, by, change
    from joining on conflict (bank_id, sha256, coalesce(verdict_id, ''), frame) where state <> 'removed' do nothing`
  return sql`
    with asked as (
      select * from unnest(
        ${joins.map((j) => j.caseId)}::text[], ${joins.map((j) => j.listingId)}::text[], ${joins.map((j) => j.revision)}::int[],
        ${bankIds}::text[], ${joins.map((j) => j.brandId)}::text[], ${joins.map((j) => j.verdictId)}::text[], ${joins.map((j) => j.by)}::text[],
        ${joins.map((j) => JSON.stringify(j.brandIds))}::text[],
        ${joins.map((j) => (j.pictures === null ? null : JSON.stringify(j.pictures)))}::text[], ${banks.starts}::int[], ${banks.lengths}::int[],
        ${sources.starts}::int[], ${sources.lengths}::int[], ${joins.map((j) => j.byBrand)}::boolean[])
        x (case_id, listing_id, revision, bank_id, brand_id, verdict_id, by, brand_ids, named, bank_start, bank_length, start, length,
           by_brand)),
    ${OF_CASE},
    shown as materialized (
      select x.*, p.sha256, v.*, h.change + 1 as change, c.revision as of_revision, c.ordinal as of_ordinal,
             x.named is null and not c.is_own and not c.is_opened as is_between, k.is_named, k.is_named and (x.named is not null or u.is_seen) as may_join,
             u.is_seen, not k.is_read and ${hasOthers(sql`p`)} as is_cut
      from asked x
      join of_case c on c.verdict_id = x.verdict_id and (c.is_own or c.is_about)
      join picture p on p.sha256 = c.sha256 and not p.blank
      cross join lateral (
        select o.is_named, not ${isLimited} or o.is_named and x.named is not null or (x.listing_id, p.sha256) in ${moving} as is_read
        from (select x.named is null or x.named::jsonb ? c.sha256 as is_named) o offset 0) k
      ${framesOf(sql`p`, sql`case when k.is_read then p.frames else '[]' end`)}
      cross join lateral (
        select not ${isLimited} or (x.listing_id, p.sha256, v.frame) in ${among(lookedUp ?? [])} as is_seen) u
      cross join reference_head h),
    ${officialOf(look)},
    marked as materialized (
      select x.*, exists (${SPARING}) as is_official, (x.listing_id, x.sha256, x.frame) in ${among(elsewhere)} as is_elsewhere,
             not x.is_seen or (x.sha256, x.frame) in (select c.sha256, c.frame from compared c where not c.is_compared) as is_unknown
      from shown x),
    judged as materialized (select x.*, ${JOINS} as joins, ${WORD_OF} as word_of from marked x),
    joining as (select * from judged where joins),
    made as (
      insert into bank (bank_id, version, body, change, changed_by)
      select distinct on (bank_id) bank_id, 1,
             convert_from(substring(${banks.blob}::bytea from bank_start for bank_length), 'UTF8')::jsonb, change, by
      from joining on conflict (bank_id) do nothing)
    ${ending(insert)}`
}

/** Of earlier revisions that a verdict does not speak of, so many are named as left out, the newest: an endless case has a thousand. */
const MOST_LEFT_OUT = 24

/** Ends the statement with the joining alone. */
const JOIN = (insert: Statement): Statement => insert

/** Ends it with the joining, and what became of all pictures of each case: what was kept of them, or was once. */
const ACCOUNTED = (insert: Statement): Statement => sql`,
    joined as (${insert} returning verdict_id, sha256, frame),
    joined_of as (
      select verdict_id, count(*)::int as n, (count(*) filter (where by is not null))::int as limited,
             json_agg(json_strip_nulls(json_build_object('revision', of_revision, 'ordinal', of_ordinal, 'sha256', sha256, 'by', by))
                      order by of_revision desc, of_ordinal) as which
      from (
        -- What only a revision in between showed is nobody's word with all of its frames.
        select verdict_id, sha256, of_revision, of_ordinal, max(word_of) as by
        from joined join joining using (verdict_id, sha256, frame) group by verdict_id, sha256, of_revision, of_ordinal) p
      group by verdict_id),
    left_out as (
      select verdict_id, sha256, of_revision, of_ordinal, false as is_earlier,
             case when not bool_and(is_named) then 'unnamed' when bool_and(is_official and not is_cut) then 'official'
                  when bool_or(is_unknown or is_cut) then 'notLookedUp' else 'elsewhere' end as why
      from judged group by verdict_id, sha256, of_revision, of_ordinal having not bool_or(joins)
      union all
      select x.verdict_id, c.sha256, c.revision, c.ordinal, true, case when x.named is null then 'earlier' else 'unnamed' end
      from floored x join of_case c using (verdict_id) join picture p on p.sha256 = c.sha256
      where not c.is_own and not c.is_about and not p.blank and (not x.by_brand or c.brand_ids @> array[x.brand_id])),
    left_of as (
      select verdict_id, (count(*) filter (where why = 'official'))::int as official,
             (count(*) filter (where why = 'elsewhere'))::int as elsewhere,
             (count(*) filter (where why = 'notLookedUp'))::int as "notLookedUp",
             (count(*) filter (where why = 'unnamed'))::int as unnamed, (count(*) filter (where why = 'earlier'))::int as earlier,
             json_agg(json_build_object('revision', of_revision, 'ordinal', of_ordinal, 'sha256', sha256, 'why', why)
                      order by of_revision desc, of_ordinal) filter (where not is_earlier or nth <= ${MOST_LEFT_OUT}) as which
      from (select l.*, row_number() over (partition by verdict_id, is_earlier order by of_revision desc, of_ordinal) as nth from left_out l) l
      group by verdict_id)
    select x.bank_id as "bankId", coalesce(j.n, 0) as joined, coalesce(j.which, '[]'::json) as which, coalesce(j.limited, 0) as limited,
           coalesce(m.official, 0) as official, coalesce(m.elsewhere, 0) as elsewhere, coalesce(m."notLookedUp", 0) as "notLookedUp",
           coalesce(m.unnamed, 0) as unnamed, coalesce(m.earlier, 0) as earlier, coalesce(m.which, '[]'::json) as "leftOutWhich",
           k.blank, k.repeated, k.kept, g.gone, g."goneEarlier", coalesce(l.listed, 0) as listed
    from floored x
    left join joined_of j using (verdict_id)
    left join left_of m using (verdict_id)
    cross join lateral (
      select count(*)::int as kept, (count(*) - count(distinct c.sha256))::int as repeated,
             (count(distinct c.sha256) filter (where p.blank))::int as blank
      from case_picture c left join picture p on p.sha256 = c.sha256
      where c.case_id = x.case_id collate "C" and c.revision = x.revision) k
    cross join lateral (
      select (count(*) filter (where c.revision = x.revision))::int as gone,
             (count(*) filter (where c.revision < x.revision))::int as "goneEarlier"
      from case_picture_gone c
      where c.case_id = x.case_id collate "C" and (c.revision = x.revision or c.revision < x.revision and c.revision > x.floor
        and (x.brand_id is null or c.brand_ids @> array[x.brand_id])) and not exists (
        select from case_picture y where (y.case_id, y.revision, y.ordinal) = (c.case_id, c.revision, c.ordinal))) g
    left join lateral (
      select json_array_length(r.listing -> 'images') as listed from revision r
      where r.listing_id = x.listing_id collate "C" and r.revision = x.revision
        and json_typeof(r.listing -> 'images') = 'array') l on true`

/**
 * Counterfeiters show the maker's own photographs, which say nothing about the goods; in the counterfeit bank they would
 * hold every honest seller. They are scaled, encoded again and mirrored by each shop, so what counts is what the bank itself
 * calls the same, not the same bytes. An allowed picture is evidence against nobody, whoever owns its bank (only the
 * deployment fills one). A genuine one spares what it may own: the deployment's those of all brands, a brand's those of
 * cases that are about it, whoever of the brands of a case confirmed them. Where that is a rights holder's word alone it spares
 * what is its brand's alone: what it confirms itself, and of what is confirmed for all the cases about no other; else one
 * rights holder could keep another's counterfeits out of the bank. An official one that comes later makes what joined before
 * yield by the same rule (signals/image-hash/spared.ts).
 */
const SPARING = sql`
      select from official o where o.sha256 = x.sha256 and o.frame = x.frame and (
        o.kind = 'allowed' or o.brand_id is null or not o.alone and x.brand_ids::jsonb ? o.brand_id
        or o.alone and case when x.brand_id is null then x.brand_ids::jsonb = jsonb_build_array(o.brand_id)
                            else x.brand_id = o.brand_id end)`

/**
 * A picture that a listing of another seller shows, on sale and from before, is rather an innocent one that was put beside a
 * fake: people confirm a listing, not each of its pictures. It joins where the verdict names it, and where nothing else of
 * the case could: else a fake that one of its sellers got through could never be confirmed. Then an analyst has looked at
 * what others sell; a rights holder alone decides nothing over them (see `WORD_OF`). What nobody could look up in time,
 * or compare with the official ones, joins only where it is named, and is no reason for the others to join: strangers could
 * flood what is looked up. An official one that is named so yields where it is matched (signals/image-hash/spared.ts).
 */
const JOINS = sql`
      x.is_named and not x.is_official and (x.named is not null or not x.is_unknown and (not x.is_elsewhere or not bool_or(
        x.is_cut or not x.is_official and not x.is_elsewhere) over (partition by x.verdict_id)))`

/**
 * Whose word a picture is less than a person's who looked at it; null: none less. Of revisions between what the case was opened
 * with and the one that the verdict is about nobody has said anything, unless it is named: sellers could put a rival's pictures
 * there, in an edit that nobody sees. What it was opened with the gate stopped itself. And what a rights holder confirms
 * against others who show it on sale, or may for all that is known, or against another brand that calls the same revision
 * genuine, is its word alone, as what it uploads. Both count where the brand is named, until somebody vouches for them.
 */
const WORD_OF = sql`case when x.is_between then 'nobody' when x.by_brand and (x.is_elsewhere or x.is_unknown or exists (
      select from verdict v
      where v.listing_id = x.listing_id collate "C" and v.revision = x.of_revision and v.body ->> 'verdict' = 'rejected'
        and v.body ->> 'brandId' <> x.brand_id and not exists (
          select from verdict w where w.listing_id = v.listing_id and w.body ->> 'supersedes' = v.verdict_id))) then 'brand' end`

/** What joined before leaves, or counts for less. All in one order, in which decisions that name them take their shares. */
function change(leaves: readonly string[], disputes: readonly BankDispute[]): Statement[] {
  if (leaves.length + disputes.length === 0) return []
  return [
    // What those decisions wrote is then seen.
    sql`
    select from bank_image
    where image_id in (
      select image_id from bank_image where verdict_id = any(${leaves}::text[]) and state <> 'removed'
      union all ${disputedImages(disputes)})
    order by image_id for update`,
    ...leave(leaves),
    ...disputed(disputes),
  ]
}

function leave(verdictIds: readonly string[]): Statement[] {
  if (verdictIds.length === 0) return []
  return [
    sql`
    with gone as (
      update bank_image i set state = 'removed', change = h.change + 1, changed_at = now(), changed_by = 'verdict'
      from reference_head h where i.verdict_id = any(${verdictIds}::text[]) and i.state <> 'removed'
      returning i.image_id, i.change)
    insert into bank_departure (image_id, change) select image_id, change from gone`,
  ]
}

/** Whoever follows the reference data reads it anew with every number: a verdict without pictures costs them nothing. */
const MOVE_HEAD: Statement = sql`
  with moved as (
    update reference_head h set change = h.change + 1
    where h.change < (select max(i.change) from bank_image i)
    returning change)
  select pg_notify(${REFERENCE_CHANNEL}, change::text) from moved`
