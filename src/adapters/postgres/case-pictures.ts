// What a decision leaves for later: which pictures its case shows, and that the listing is to be tried again.
import { sql } from 'kysely'
import type { CasePicture, WantedRescreen } from '../../pipeline/ports.ts'
import { pack } from './bytes.ts'
import type { Statement } from './statement.ts'

/** The pictures themselves were put before, outside of the locks. */
export function writeCasePictures(rows: readonly CasePicture[]): Statement[] {
  if (rows.length === 0) return []
  return [
    sql`
    insert into case_picture (case_id, revision, ordinal, sha256, brand_ids, whole)
    select x.case_id, x.revision, x.ordinal, x.sha256, array(select jsonb_array_elements_text(x.brand_ids::jsonb)), x.whole
    from unnest(${rows.map((r) => r.caseId)}::text[], ${rows.map((r) => r.revision)}::int[],
                         ${rows.map((r) => r.ordinal)}::int[], ${rows.map((r) => r.sha256)}::text[],
                         ${rows.map((r) => JSON.stringify(r.brandIds))}::text[], ${rows.map((r) => r.whole === true)}::boolean[])
         x (case_id, revision, ordinal, sha256, brand_ids, whole)
    on conflict (case_id, revision, ordinal) do update
      set sha256 = excluded.sha256, brand_ids = excluded.brand_ids, whole = excluded.whole`,
  ]
}

/** Seconds until a listing that could not be looked at is tried again: most outages of one host are over by then. */
const FIRST_AFTER = 60

/** One row a listing: a newer revision takes the place of the older one and begins anew. */
export function writeRescreens(rows: readonly WantedRescreen[]): Statement[] {
  if (rows.length === 0) return []
  const inline = pack(rows.map(packInline))
  return [
    sql`
    insert into rescreen (listing_id, revision, seen, due_at, inline)
    select x.listing_id, x.revision, x.seen::jsonb, now() + ${FIRST_AFTER} * interval '1 second',
           substring(${inline.blob}::bytea from x.start for x.length)
    from unnest(${rows.map((r) => r.listingId)}::text[], ${rows.map((r) => r.revision)}::int[],
                ${rows.map((r) => JSON.stringify(r.seen))}::text[], ${inline.starts}::int[], ${inline.lengths}::int[])
         x (listing_id, revision, seen, start, length)
    on conflict (listing_id) do update
      set inline = excluded.inline, revision = excluded.revision, seen = excluded.seen, attempts = 0, due_at = excluded.due_at, after_change = 0`,
  ]
}

/** With its revision: a process of the version before puts a newer one into the row and leaves these as they are. */
function packInline({ revision, inline }: WantedRescreen): Uint8Array | null {
  return inline === undefined ? null : Buffer.from(JSON.stringify({ revision, inline }))
}

export function unpackInline(packed: Uint8Array | null, of: number): Pick<WantedRescreen, 'inline'> {
  if (packed === null) return {}
  const { revision, inline } = JSON.parse(Buffer.from(packed).toString()) as Required<WantedRescreen>
  return revision === of ? { inline } : {}
}
