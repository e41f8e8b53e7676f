// The rows of listings: locked in one order, and read as what is known of each.
import { sql } from 'kysely'
import type { Decision } from '../../domain/decision.ts'
import type { Outcome } from '../../domain/policy.ts'
import type { Standing, WithdrawnUnknown } from '../../pipeline/ports.ts'
import type { Statement } from './statement.ts'

export interface StandingRow {
  readonly listing_id: string
  readonly marketplace: string | null
  readonly seller_id: string | null
  readonly revision: number
  readonly sequence: number
  readonly outcome: Outcome | null
  readonly withdrawn_revision: number
  readonly withdrawn_by_others?: readonly WithdrawnUnknown[] | null
  readonly case_id: string | null
  readonly withdrawn_case_id?: string | null
  readonly case_brand_ids?: readonly string[] | null
  /** Of a listing that stands held or blocked and never had a case: a verdict alone did it. */
  readonly caseless?: Pick<Decision, 'brandIds'> | null
}

/** A standing, and one of the wanted revisions when that is decided. */
export type KnownRow = StandingRow & { readonly known: number | null; readonly content_hash: string | null }

export interface WantedRevision {
  readonly listingId: string
  readonly revision: number
}

/**
 * Locks the rows of all listings, and makes those that are missing, in one statement and so in one order: locking first
 * and inserting afterwards can deadlock. The condition is never true, so an existing row is locked and not written.
 */
export const lockListings = (ids: readonly string[]): Statement => sql`
  insert into listing as l (listing_id)
  select id from unnest(${ids}::text[]) x (id) order by id collate "C"
  on conflict (listing_id) do update set listing_id = l.listing_id where false`

const IS_WITHDRAWN = sql`l.case_id is null and l.revision > 0 and l.withdrawn_revision >= l.revision`

/**
 * Of listings whose rows are locked, with the hashes of the wanted revisions: a row for each that is wanted. A case is
 * written under its listing's lock.
 */
export const readStandings = (wanted: readonly WantedRevision[]): Statement<KnownRow> => sql<KnownRow>`
  select l.listing_id, l.marketplace, l.seller_id, l.revision, l.sequence, l.outcome, l.withdrawn_revision,
         l.withdrawn_by_others, l.case_id, r.revision as known, r.content_hash,
         case when l.case_id is not null then (select brand_ids from review_case where case_id = l.case_id)
              when l.outcome in ('hold', 'block') or ${IS_WITHDRAWN} then (
                select brand_ids from review_case c where c.listing_id = l.listing_id order by c.revision desc, c.opened_at desc limit 1)
         end as case_brand_ids,
         case when ${IS_WITHDRAWN} then (
           select case when c.state = 'withdrawn' and c.revision = l.revision then c.case_id end
           from review_case c where c.listing_id = l.listing_id order by c.revision desc, c.opened_at desc limit 1)
         end as withdrawn_case_id,
         case when l.case_id is null and l.outcome in ('hold', 'block')
                   and not exists (select from review_case c where c.listing_id = l.listing_id) then (
                select body from decision d where d.listing_id = l.listing_id and d.revision = l.revision
                order by d.sequence desc limit 1)
         end as caseless
  from unnest(${wanted.map((one) => one.listingId)}::text[], ${wanted.map((one) => one.revision)}::int[]) x (listing_id, revision)
  join listing l on l.listing_id = x.listing_id collate "C"
  left join revision r on r.listing_id = x.listing_id collate "C" and r.revision = x.revision`

export function standingOf(row: StandingRow, hashes: ReadonlyMap<number, string>): Standing {
  const caseBrandIds = row.case_brand_ids ?? row.caseless?.brandIds
  return {
    listingId: row.listing_id,
    marketplace: row.marketplace,
    sellerId: row.seller_id,
    revision: row.revision,
    sequence: row.sequence,
    outcome: row.outcome,
    withdrawnRevision: row.withdrawn_revision,
    withdrawnByOthers: row.withdrawn_by_others ?? [],
    caseId: row.case_id,
    withdrawnCaseId: row.withdrawn_case_id ?? null,
    ...(caseBrandIds === undefined ? {} : { caseBrandIds }),
    hashes,
  }
}

/** One standing for each listing of the rows. */
export function standingsFrom(rows: readonly KnownRow[]): Map<string, Standing> {
  const hashes = new Map<string, Map<number, string>>()
  const standings = new Map<string, Standing>()
  for (const row of rows) {
    let known = hashes.get(row.listing_id)
    if (known === undefined) {
      known = new Map()
      hashes.set(row.listing_id, known)
      standings.set(row.listing_id, standingOf(row, known))
    }
    if (row.known !== null && row.content_hash !== null) known.set(row.known, row.content_hash)
  }
  return standings
}
