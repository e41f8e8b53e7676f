// A picture that leaves a bank: the listings that it stopped are found by it and queued to be tried again, a bite at a time.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { bankImagesNamed } from '../../domain/bank-evidence.ts'
import type { Decision } from '../../domain/decision.ts'
import type { Statement } from './statement.ts'
import { inTransactionFrom } from './transaction.ts'

/**
 * Remembers which pictures of banks a decision that stops a listing names. What a person decided is not among it: that
 * stands, whatever becomes of the picture.
 *
 * A worker may know a picture for a second after it left, so whoever writes such a decision takes a share of the picture's
 * row: either the departure waits and finds this listing, or this waits and finds that the picture has left, and marks it
 * once more. To be sent behind the head, where that is taken: whoever takes a picture out of a bank holds the head and
 * waits for the shares. Pictures in one order, so that nobody waits crosswise.
 */
export function noteMatches(decisions: readonly Decision[]): Statement[] {
  const rows = new Map<string, { imageId: string; listingId: string; revision: number }>()
  for (const decision of decisions) {
    if (decision.outcome === 'allow' || decision.stage === 'review') continue
    const { listingId, revision } = decision
    for (const imageId of bankImagesNamed(decision)) rows.set(imageId + listingId, { imageId, listingId, revision })
  }
  if (rows.size === 0) return []
  const noted = [...rows.values()]
  const imageIds = [...new Set(noted.map((one) => one.imageId))]
  return [
    sql`
    insert into bank_match (image_id, listing_id, revision)
    select x.image_id, x.listing_id, x.revision
    from unnest(${noted.map((one) => one.imageId)}::uuid[], ${noted.map((one) => one.listingId)}::text[],
                ${noted.map((one) => one.revision)}::int[]) x (image_id, listing_id, revision)
    on conflict (image_id, listing_id) do update set revision = excluded.revision`,
    sql`select from bank_image where image_id = any(${imageIds}::uuid[]) order by image_id for share`,
    // Written even where the mark is there: who works it off waits, and then sees these listings.
    sql`
    insert into bank_departure (image_id, change)
    select image_id, change from bank_image where image_id = any(${imageIds}::uuid[]) and state = 'removed' order by image_id
    on conflict (image_id) do update set change = excluded.change`,
  ]
}

/** Pictures whose listings are looked for in one step: a whole bank may be taken down at once. */
const MARKS = 100

interface Matched {
  readonly image_id: string
  readonly listing_id: string
}

/**
 * Queues up to `limit` listings that stand as a picture decided that has left its bank. How much was worked off: 0 when
 * there is nothing, or only what others hold at the moment.
 *
 * Locks marks, then listings, and waits for nobody who holds either: what is locked is met again the next time.
 */
export function queueDeparted(pool: Pool, limit: number): Promise<number> {
  return inTransactionFrom(pool, [takeMarks], async (tx, [marks]) => {
    if (marks.rows.length === 0) return { undo: 0 }
    const imageIds = marks.rows.map((row) => row.image_id)
    const [matched] = await tx.send([lockMatched(imageIds, limit)])
    const [, , done] = await tx.send([queue(matched.rows), forget(matched.rows), endMarks(imageIds)])
    return { done: matched.rows.length + (done.rowCount ?? 0) }
  })
}

const takeMarks: Statement<{ image_id: string }> = sql<{ image_id: string }>`
  select image_id from bank_departure order by change, image_id limit ${MARKS} for update skip locked`

const lockMatched = (imageIds: readonly string[], limit: number): Statement<Matched> => sql<Matched>`
  select m.image_id, m.listing_id from bank_match m join listing l on l.listing_id = m.listing_id
  where m.image_id = any(${imageIds}::uuid[]) order by m.image_id, m.listing_id limit ${limit} for update of l skip locked`

const pairs = (rows: readonly Matched[]) => sql`
  unnest(${rows.map((row) => row.image_id)}::uuid[], ${rows.map((row) => row.listing_id)}::text[]) x (image_id, listing_id)`

/**
 * Of these listings, those that still stand so. What was seen of their pictures is what their case shows: the try must meet
 * the same bytes. One that waits already goes on with what it has seen, and begins anew.
 */
const queue = (rows: readonly Matched[]): Statement => sql`
  insert into rescreen (listing_id, revision, seen, due_at, after_change)
  select l.listing_id, l.revision, coalesce(shown.sha256s, '[]'), now(), left_at.change
  from (
    select m.listing_id, m.revision, max(d.change) as change
    from ${pairs(rows)}
    join bank_match m on m.image_id = x.image_id and m.listing_id = x.listing_id collate "C"
    join bank_departure d on d.image_id = m.image_id
    group by m.listing_id, m.revision) left_at
  join listing l on l.listing_id = left_at.listing_id and l.revision = left_at.revision
  left join lateral (
    select jsonb_agg(c.sha256 order by place) as sha256s
    from generate_series(0, (
      select max(ordinal) from case_picture where case_id = l.case_id and revision = l.revision)) place
    left join case_picture c on c.case_id = l.case_id and c.revision = l.revision and c.ordinal = place) shown on true
  where l.outcome in ('hold', 'block') and l.withdrawn_revision < l.revision
    and not exists (
      select from decision d where d.listing_id = l.listing_id and d.revision = l.revision and d.stage = 'review')
  on conflict (listing_id) do update
    set revision = excluded.revision, attempts = 0, due_at = least(rescreen.due_at, excluded.due_at),
      seen = case when rescreen.revision = excluded.revision then rescreen.seen else excluded.seen end,
      after_change = greatest(rescreen.after_change, excluded.after_change)`

const forget = (rows: readonly Matched[]): Statement => sql`
  delete from bank_match m using ${pairs(rows)}
  where m.image_id = x.image_id and m.listing_id = x.listing_id collate "C"`

const endMarks = (imageIds: readonly string[]): Statement => sql`
  delete from bank_departure d where d.image_id = any(${imageIds}::uuid[])
    and not exists (select from bank_match m where m.image_id = d.image_id)`
