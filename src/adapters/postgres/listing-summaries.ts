// What a person needs beside a decision to know which goods it is about, from the listings as they were recorded.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { ListingSummary, ListingSummaryReader } from '../../api/ports.ts'
import type { Listing } from '../../domain/listing.ts'
import { queries } from './connect.ts'

export function createListingSummaries(pool: Pool): ListingSummaryReader {
  const db = queries(pool)
  return {
    async summaries(ids) {
      if (ids.length === 0) return []
      // Only the members that are shown: a description may have 50,000 characters.
      const { rows } = await sql<SummaryRow>`
        select listing_id, revision, listing ->> 'title' as title, listing ->> 'brand' as brand, listing -> 'price' as price
        from revision where (listing_id, revision) in
          (select * from unnest(${ids.map((id) => id.listingId)}::text[], ${ids.map((id) => id.revision)}::int[]))`.execute(
        db,
      )
      return rows.map(summaryOf)
    },
  }
}

interface SummaryRow {
  readonly listing_id: string
  readonly revision: number
  readonly title: string
  readonly brand: string | null
  readonly price: Listing['price'] | null
}

const summaryOf = (row: SummaryRow): ListingSummary => ({
  listingId: row.listing_id,
  revision: row.revision,
  title: row.title,
  brand: row.brand ?? undefined,
  price: row.price ?? undefined,
})
