// Which pictures of a case a verdict speaks of: the same are looked up before it and joined by it.
import { sql } from 'kysely'
import { inLots } from './in-lots.ts'
import { openedWith } from './pictures-of-case.ts'
import type { Statement } from './statement.ts'

/** Of a case, besides its own and those it was opened with, the newest: whoever edits without end must not hold up everybody's reference data. */
const MOST_READ = 1_000

/**
 * Of a case, by one word, besides its own and those that it was opened with: the newest. Whoever edits often neither washes
 * out what was seen first nor has one word put any number of strangers' pictures into a bank.
 */
const MOST_BETWEEN = 24

/** Cases of one listing of which one verdict from the log may speak: it names none, and the first that reaches its revision is the one. */
const MOST_CASES = 8

/**
 * Common table expressions behind `asked` (verdict_id, unique; case_id, listing_id, revision, brand_id, by_brand, named: the
 * sha256 as JSON, or null).
 *
 * The pictures of each case up to the revision that the verdict is about, each once, its own before earlier ones. An edit
 * keeps no fake out of the bank: an earlier revision that the case was carried over from is part of what is confirmed
 * (`is_about`), as far as it names no other brands alone: back to the last one that was left on sale, or of which somebody has
 * said something, whose word joins its pictures and takes them back. Of all others a verdict may name pictures.
 */
export const OF_CASE: Statement = sql`
    floored as materialized (
      select x.*, greatest(
        (select coalesce(max(d.revision), 0) from decision d
         where d.listing_id = x.listing_id collate "C" and d.revision < x.revision and d.outcome = 'allow' and not exists (
           select from decision n where (n.listing_id, n.revision) = (d.listing_id, d.revision) and n.sequence > d.sequence)),
        (select coalesce(max(v.revision), 0) from verdict v
         where v.listing_id = x.listing_id collate "C" and v.revision < x.revision and v.body ->> 'verdict' <> 'cannot-tell'
           and (x.brand_id is null or coalesce(v.body ->> 'brandId', x.brand_id) = x.brand_id))) as floor,
        ${openedWith(sql`x.case_id collate "C"`)} as opened
      from asked x),
    of_case as materialized (
      select x.verdict_id, c.*, case when c.is_own or x.named is null
                                     then c.is_own or c.is_meant and (c.is_opened or c.nth <= ${MOST_BETWEEN}) else x.named::jsonb ? c.sha256 end as is_about
      from floored x cross join lateral (
        select o.*, row_number() over (
          partition by o.is_own or o.is_opened order by not o.is_meant, o.revision desc, o.ordinal) as nth
        from (
          select distinct on (c.sha256) c.sha256, c.revision, c.ordinal, c.brand_ids, c.revision = x.revision as is_own,
                 c.is_opened, c.revision > x.floor and (
                   x.brand_id is null or c.brand_ids @> array[x.brand_id] or c.brand_ids = '{}' and not x.by_brand) as is_meant
          from (
            select s.*, bool_or(s.revision = x.opened) over (partition by s.sha256) as is_opened
            from ((select * from case_picture s where s.case_id = x.case_id collate "C" and s.revision in (x.revision, x.opened)
                     and s.revision <= x.revision)
                  union
                  (select * from case_picture s where s.case_id = x.case_id collate "C" and (s.revision <= x.revision
                     or x.named::jsonb ? s.sha256)
                   order by s.revision desc, s.ordinal limit ${MOST_READ})) s) c
          order by c.sha256, c.revision = x.revision desc, c.revision > x.floor desc, c.revision desc, c.ordinal) o) c)`

export interface PictureOfCase {
  readonly listingId: string
  readonly caseId: string
  readonly sha256: string
}

/** Listings whose pictures are read in one statement: where they were edited without end it takes 0.5 s of a very busy server. */
const LISTINGS = 24

/** What is to be looked up before verdicts on so many listings. */
export interface SpokenOf {
  readonly listings: number
  /** What may join by them: of each listing those that they name, its own, what it was opened with, then the newest. */
  readonly pictures: Statement<PictureOfCase>
}

/** What of a verdict says of which pictures it speaks. */
export interface Word {
  readonly listingId: string
  readonly revision: number
  readonly brandId?: string | null | undefined
  readonly byBrand?: boolean
  /** By sha256; null, or not said: it does not say. */
  readonly pictures?: readonly string[] | null | undefined
}

/** Of the cases that went over to these revisions or later ones, up to them. */
export function shownAt(words: readonly Word[]): SpokenOf[] {
  const ofListings = [...Map.groupBy(words, ({ listingId }) => listingId).values()]
  return inLots(ofListings, LISTINGS).map((lot) => ({ listings: lot.length, pictures: spokenOf(wordsOf(lot.flat())) }))
}

const wordsOf = (words: readonly Word[]): Statement => sql`
    select x.place || ' ' || c.case_id as verdict_id, c.case_id, c.listing_id, x.revision, x.brand_id, x.by_brand, x.named
    from unnest(${words.map((w) => w.listingId)}::text[], ${words.map((w) => w.revision)}::int[],
                ${words.map((w) => w.brandId ?? null)}::text[], ${words.map((w) => w.byBrand ?? false)}::boolean[],
                ${words.map((w) => (w.pictures ? JSON.stringify(w.pictures) : null))}::text[])
      with ordinality x (listing_id, revision, brand_id, by_brand, named, place)
    cross join lateral (
      select r.case_id, r.listing_id from review_case r
      where r.listing_id = x.listing_id collate "C" and r.revision >= x.revision
      order by r.revision, r.case_id limit ${MOST_CASES}) c`

/** What of a word that comes by the case says of which pictures it speaks. */
export interface WordOnCase {
  readonly brandId?: string | null | undefined
  /** Of a rights holder: it speaks for the one of these that the case is about. */
  readonly brandIds?: readonly string[] | undefined
  /** By place in the listing or by sha256; null, or not said: it does not say. */
  readonly pictures?: readonly (number | string)[] | null | undefined
}

/** Of one case `c` that somebody may speak about. Nothing is locked: it may show others by the time of the verdict. */
export function shownInCase(
  theCase: Statement<boolean>,
  { brandId = null, brandIds, pictures = null }: WordOnCase = {},
): SpokenOf[] {
  const own = brandIds ?? []
  // What no place can be is refused where the case is known.
  const places = pictures?.filter((one) => typeof one === 'number' && one < 2 ** 31) ?? []
  const named = pictures?.filter((one) => typeof one === 'string') ?? []
  const asked = sql`
    select c.case_id as verdict_id, c.case_id, c.listing_id, c.revision,
           coalesce(${brandId}::text, (select min(b) from unnest(c.brand_ids) b where b = any(${own}::text[]))) as brand_id,
           ${brandIds !== undefined}::boolean as by_brand,
           case when ${pictures !== null}::boolean then (
             select coalesce(json_agg(s.sha256), '[]') from (
               select n.sha256 from unnest(${named}::text[]) n (sha256)
               union
               select s.sha256 from case_picture s
               where s.case_id = c.case_id and s.revision = c.revision and s.ordinal = any(${places}::int[])) s)::text end as named
    from review_case c where ${theCase}`
  return [{ listings: 1, pictures: spokenOf(asked) }]
}

/** A picture of which several verdicts speak is looked up once, where the first of them wants it. */
const spokenOf = (asked: Statement): Statement<PictureOfCase> => sql<PictureOfCase>`
    with asked as materialized (${asked}),
    ${OF_CASE}
    select x.listing_id as "listingId", x.case_id as "caseId", c.sha256
    from of_case c join floored x using (verdict_id)
    where case when x.named is null then c.is_about else x.named::jsonb ? c.sha256 end
    group by x.listing_id, x.case_id, c.sha256
    order by bool_and(x.named is null), bool_and(not c.is_own and not c.is_opened), bool_and(not c.is_meant),
             max(c.revision) desc, min(c.ordinal), c.sha256`
