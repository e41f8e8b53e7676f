// What learning reads: every revision that people looked at, with its verdicts and decisions, a page of listings at a time.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { Decision } from '../../domain/decision.ts'
import type { Listing } from '../../domain/listing.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { JudgedRevision, LabelStore } from '../../learning/ports.ts'
import { queries } from './connect.ts'

/** A page is some megabytes: a decision with its evidence has a few kilobytes. */
const PAGE = 500

interface Row {
  listing_id: string
  revision: number
  listing: Listing
  marketplace: string | null
  verdicts: Verdict[]
  recorded: string[]
  elsewhere: Verdict[] | null
  looked: Decision[] | null
  decisions: Decision[] | null
}

/** Documents are read whole and taken apart here: the server's own functions fail on texts with an escaped U+0000. */
export function createLabelStore(pool: Pool): LabelStore {
  const db = queries(pool)
  const page = async (after: { listingId: string; revision: number }): Promise<Row[]> => {
    const { rows } = await sql<Row>`
      select j.listing_id, j.revision, r.listing, l.marketplace,
        (select json_agg(v.body order by v.recorded_at, v.verdict_id) from verdict v
          where v.listing_id = j.listing_id and v.revision = j.revision) as verdicts,
        (select json_agg(v.recorded_at order by v.recorded_at, v.verdict_id) from verdict v
          where v.listing_id = j.listing_id and v.revision = j.revision) as recorded,
        (select json_agg(v.body) from verdict v
          where v.listing_id = j.listing_id and v.revision <> j.revision) as elsewhere,
        (select json_agg(d.body) from decision d
          where d.listing_id = j.listing_id and d.revision <> j.revision
            and exists (select from verdict v where v.listing_id = d.listing_id and v.revision = d.revision)) as looked,
        (select json_agg(d.body order by d.sequence) from decision d
          where d.listing_id = j.listing_id and d.revision = j.revision) as decisions
      from (select distinct listing_id, revision from verdict
            where (listing_id, revision) > (${after.listingId}, ${after.revision}::int)
            order by listing_id, revision limit ${PAGE}) j
      join revision r on r.listing_id = j.listing_id and r.revision = j.revision
      join listing l on l.listing_id = j.listing_id
      order by j.listing_id, j.revision`.execute(db)
    return rows
  }
  return {
    async *judged(): AsyncGenerator<JudgedRevision> {
      let after = { listingId: '', revision: 0 }
      for (;;) {
        const rows = await page(after)
        for (const row of rows) {
          const { listing, marketplace, verdicts, recorded, decisions } = row
          yield {
            listing,
            marketplace: marketplace ?? listing.marketplace ?? null,
            sellerId: listing.sellerId,
            verdicts: verdicts
              .map((verdict, i) => ({ ...verdict, recordedAt: new Date(recorded[i] ?? '').toISOString() }))
              .filter((verdict) => !replacedElsewhere(verdict, row)),
            decisions: decisions ?? [],
          }
        }
        const last = rows.at(-1)
        // A verdict lies only on a revision that is there, so a short page is the last one.
        if (last === undefined || rows.length < PAGE) return
        after = { listingId: last.listing_id, revision: last.revision }
      }
    },
  }
}

/** A person who looked at a later revision of the same case may take back what was said of an earlier one. */
function replacedElsewhere(verdict: Verdict, { elsewhere, looked, decisions }: Row): boolean {
  const replacing = elsewhere?.find((v) => v.supersedes === verdict.verdictId)
  if (replacing === undefined) return false
  const caseId = caseOf(verdict, decisions)
  return caseId !== null && caseId === caseOf(replacing, looked)
}

const caseOf = (verdict: Verdict, decisions: readonly Decision[] | null): string | null =>
  decisions?.find((d) => d.decisionId === verdict.decisionId.toLowerCase())?.caseId ?? verdict.caseId ?? null
