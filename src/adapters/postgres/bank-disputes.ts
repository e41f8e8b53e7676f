// What a brand's rejection does to the banks: another brand's word on the same revision is its word alone from then on.
import { sql } from 'kysely'
import type { BankDispute } from '../../pipeline/verdicts/ports.ts'
import { saysWhose } from './bank-rights.ts'
import type { Statement } from './statement.ts'

/**
 * What joined from that revision by another rights holder's word counts where that brand is named, until somebody vouches, as
 * it does where the rejection came first (`WORD_OF` in bank-joins.ts). Untouched stays what a person of the deployment
 * confirmed or vouched for. To be sent behind the head, after what joins, and before the head moves.
 *
 * Found by its verdict, and read as text: of an entry that somebody imported the name of a file may not be JSON that can be
 * taken apart. Within a string a quote is escaped, so none can say what is looked for.
 */
export function disputed(disputes: readonly BankDispute[]): Statement[] {
  if (disputes.length === 0) return []
  return [
    sql`
    update bank_image i set source = ('{"by":"brand",' || substr(i.source::text, 2))::json, change = h.change + 1,
      changed_at = now(), changed_by = 'verdict'
    from reference_head h where i.image_id in (${disputedImages(disputes)})`,
  ]
}

/** To be locked before, with all else that the verdict changes of banks (bank-joins.ts). */
export function disputedImages(disputes: readonly BankDispute[]): Statement {
  return sql`
    select i.image_id
    from unnest(${disputes.map((d) => d.listingId)}::text[], ${disputes.map((d) => d.revision)}::int[],
                ${disputes.map((d) => d.brandId)}::text[]) x (listing_id, revision, brand_id)
    join verdict v on v.listing_id = x.listing_id collate "C" and v.body ->> 'verdict' = 'confirmed'
      and v.body -> 'by' ->> 'role' = 'brand' and v.body ->> 'brandId' <> x.brand_id
    join bank_image i on i.verdict_id = v.verdict_id and i.state <> 'removed'
      and i.source::text ~ ('"revision"\\s*:\\s*' || x.revision || '\\M') and not (${saysWhose(sql`i`)})`
}
