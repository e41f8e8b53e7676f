// Cases for those who look at them: the queue and one case, cut to the reader's brands in the queries themselves.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { CaseOpener, CaseState } from '../../domain/case.ts'
import type { Decision, Reason } from '../../domain/decision.ts'
import type { Listing } from '../../domain/listing.ts'
import type { Outcome } from '../../domain/policy.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { CaseDetails, CaseQuery, CaseReader, CaseSummary, Reader } from '../../review/ports.ts'
import { decodeCasePlace, encodeCasePlace } from './case-cursor.ts'
import { queries } from './connect.ts'
import type { LookTimes } from './look-ahead.ts'
import { markShown } from './mark-shown.ts'
import { openedWith, picturesOfCase } from './pictures-of-case.ts'
import type { Statement } from './statement.ts'
import { inTransaction } from './transaction.ts'

/** The newest so many of each kind: a seller who edits without end must not fill anyone's memory. */
const MOST = 200

/** `times`: for the look at what others have on sale. */
export function createCaseReader(pool: Pool, times?: LookTimes): CaseReader {
  const db = queries(pool)
  return {
    async list(query, reader) {
      const place = query.after === undefined ? undefined : decodeCasePlace(query.after, query.sort)
      const where = [...filters(query, reader), ...(place === undefined ? [] : [beyond(place)])]
      const { rows } = await sql<SummaryRow>`
        ${summary(reader)} where ${sql.join(where, sql` and `)} order by ${ORDERS[query.sort]}, c.case_id limit ${query.limit + 1}`.execute(
        db,
      )
      const shown = rows.slice(0, query.limit)
      const last = shown.at(-1)
      const next =
        rows.length <= query.limit || last === undefined
          ? undefined
          : encodeCasePlace({
              sort: query.sort,
              key: { risk: last.risk, due: last.due_key, closed: last.closed_key }[query.sort],
              caseId: last.case_id,
            })
      return { items: shown.map((row) => summaryOf(row, reader)), next }
    },

    async find(caseId, reader) {
      const found = await inTransaction<CaseDetails | undefined>(
        pool,
        async (tx) => {
          const [found] = await tx.send([
            sql<SummaryRow>`${summary(reader)} where c.case_id = ${caseId} and ${visible(reader)}`,
          ])
          const [row] = found.rows
          if (row === undefined) return { done: undefined }
          const own = reader.brandIds ?? null
          const [revisions, decisions, verdicts, appeals, pictures, opened, gone] = await tx.send([
            sql<{ listing: unknown }>`
              select listing from revision where listing_id = ${row.listing_id} and revision = ${row.revision}`,
            // Not by the text of a member: evidence may quote what cannot be turned into one.
            sql<{ body: Decision }>`
              select body from decision where listing_id = ${row.listing_id} order by sequence desc limit ${MOST}`,
            sql<{ body: Verdict }>`
              select body from verdict where listing_id = ${row.listing_id} and revision = ${row.revision}
                and (${own}::text[] is null or body ->> 'brandId' is null or body ->> 'brandId' = any(${own}::text[]))
              order by recorded_at desc limit ${MOST}`,
            sql<{ text: string; at: Date; revision: number }>`
              select text, at, revision from appeal where case_id = ${caseId} order by at desc limit ${MOST}`,
            picturesOfCase(caseId, sql`(${own}::text[] is null or s.brand_ids && ${own}::text[])`, MOST),
            sql<{ revision: number | null }>`select ${openedWith(sql`${caseId}`)} as revision`,
            // One that was kept anew since is there.
            sql<{ revision: number; pictures: number }>`
              select revision, count(*)::int as pictures from case_picture_gone g where case_id = ${caseId}
                and (${own}::text[] is null or brand_ids && ${own}::text[])
                and not exists (select from case_picture y
                                where (y.case_id, y.revision, y.ordinal) = (g.case_id, g.revision, g.ordinal))
              group by revision order by revision desc limit ${MOST}`,
          ])
          return {
            done: {
              summary: summaryOf(row, reader),
              listing: revisions.rows[0]?.listing,
              decisions: decisions.rows
                .map(({ body }) => body)
                .filter((d) => d.caseId === caseId)
                .toReversed(),
              verdicts: verdicts.rows.map(({ body }) => body).toReversed(),
              appeals: appeals.rows.map((one) => ({ ...one, at: one.at.toISOString() })).toReversed(),
              pictures: pictures.rows.map((one) => ({ ...one, shownElsewhere: null })),
              openedRevision: opened.rows[0]?.revision ?? null,
              noLongerKept: gone.rows,
            },
          }
        },
        'repeatable read, read only',
      )
      // Of a resolved one nobody is asked any more.
      if (found === undefined || found.summary.state === 'resolved') return found
      return { ...found, pictures: await markShown(pool, caseId, found.pictures, reader, times) }
    },
  }
}

const ORDERS = { due: sql`c.due_at`, risk: sql`c.risk desc`, closed: sql`c.closed_at desc` } as const

interface SummaryRow {
  readonly case_id: string
  readonly listing_id: string
  readonly revision: number
  readonly state: CaseState
  readonly opened_by: CaseOpener
  readonly marketplace: string | null
  readonly brand_ids: string[]
  readonly risk: number
  readonly outcome: Outcome
  readonly body: Decision
  readonly seller_id: string
  readonly opened_at: Date
  readonly due_at: Date | null
  readonly due_key: string | null
  readonly closed_key: string | null
  readonly closed_at: Date | null
  readonly claimed_by: string | null
  readonly claimed_until: Date | null
  readonly appeals: number
  readonly title: string
  readonly brand: string | null
  readonly price: Listing['price'] | null
}

/** Brands in the order of the case, those of the reader only. The outcome is that of the case's own revision. */
const summary = ({ brandIds }: Reader): Statement => sql`
  select c.case_id, c.listing_id, c.revision, c.state, c.opened_by, c.marketplace, c.risk, c.opened_at, c.due_at, c.closed_at,
    to_char(c.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as due_key,
    to_char(c.closed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as closed_key,
    array(select id from unnest(c.brand_ids) with ordinality x (id, n)
          where ${brandIds ?? null}::text[] is null or id = any(${brandIds ?? null}::text[]) order by n) as brand_ids,
    case when c.claimed_until > clock_timestamp() then c.claimed_by end as claimed_by, c.claimed_until,
    d.outcome, d.body, l.seller_id, r.title, r.brand, r.price,
    (select count(*)::int from appeal where case_id = c.case_id) as appeals
  from review_case c
  join listing l on l.listing_id = c.listing_id
  cross join lateral (select outcome, body from decision where listing_id = c.listing_id and revision = c.revision
                      order by sequence desc limit 1) d
  cross join lateral (select listing ->> 'title' as title, listing ->> 'brand' as brand, listing -> 'price' as price
                      from revision where listing_id = c.listing_id and revision = c.revision) r`

const visible = ({ brandIds }: Reader): Statement<boolean> =>
  sql<boolean>`(${brandIds ?? null}::text[] is null or c.brand_ids && ${brandIds ?? null}::text[])`

function filters(query: CaseQuery, reader: Reader): Statement[] {
  const { state, brandId, marketplace, openedBy, outcome, claimed, sort } = query
  const claim = sql`coalesce(c.claimed_until > clock_timestamp(), false)`
  return [
    visible(reader),
    ...(state === undefined ? [] : [sql`c.state = ${state}`]),
    ...(sort === 'closed' ? [sql`c.closed_at is not null`] : []),
    // Of a rights holder only its own: a filter must not tell what the answer hides.
    ...(brandId === undefined ? [] : [sql`c.brand_ids @> array[${brandId}::text]`]),
    ...(brandId === undefined || reader.brandIds === undefined
      ? []
      : [sql`${brandId} = any(${reader.brandIds}::text[])`]),
    ...(marketplace === undefined ? [] : [sql`c.marketplace = ${marketplace}`]),
    ...(openedBy === undefined ? [] : [sql`c.opened_by = ${openedBy}`]),
    ...(outcome === undefined ? [] : [sql`d.outcome = ${outcome}`]),
    ...(claimed === undefined
      ? []
      : [{ yes: claim, no: sql`not ${claim}`, me: sql`${claim} and c.claimed_by = ${reader.subject}` }[claimed]]),
  ]
}

/** Cases without a due time come last. */
function beyond({ sort, key, caseId }: ReturnType<typeof decodeCasePlace>): Statement {
  if (sort === 'risk') return sql`(c.risk < ${key}::float8 or (c.risk = ${key}::float8 and c.case_id > ${caseId}))`
  if (sort === 'closed')
    return sql`(c.closed_at < ${key}::timestamptz or (c.closed_at = ${key}::timestamptz and c.case_id > ${caseId}))`
  if (key === null) return sql`(c.due_at is null and c.case_id > ${caseId})`
  return sql`(c.due_at > ${key}::timestamptz or (c.due_at = ${key}::timestamptz and c.case_id > ${caseId}) or c.due_at is null)`
}

function summaryOf(row: SummaryRow, reader: Reader): CaseSummary {
  const { claimed_by: by, claimed_until: until } = row
  const told = reader.brandIds === undefined || by === reader.subject
  return {
    caseId: row.case_id,
    listingId: row.listing_id,
    revision: row.revision,
    state: row.state,
    openedBy: row.opened_by,
    marketplace: row.marketplace,
    brandIds: row.brand_ids,
    risk: row.risk,
    outcome: row.outcome,
    reason: reasonOf(row.body, reader),
    sellerId: row.seller_id,
    openedAt: row.opened_at.toISOString(),
    dueAt: row.state === 'withdrawn' ? null : (row.due_at?.toISOString() ?? null),
    closedAt: row.closed_at?.toISOString() ?? null,
    claim: by === null || until === null ? null : { by: told ? by : null, until: until.toISOString() },
    appeals: row.appeals,
    title: row.title,
    brand: row.brand ?? undefined,
    price: row.price ?? undefined,
  }
}

/** They come strongest first. A decision that names none of the reader's brands is not theirs to see. */
function reasonOf({ brandIds, reasons }: Decision, reader: Reader): Reason | undefined {
  return reader.brandIds?.some((id) => brandIds.includes(id)) === false ? undefined : reasons[0]
}
