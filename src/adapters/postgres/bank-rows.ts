// A picture of a bank as its row has it.
import { sql } from 'kysely'
import type { BankAlert, BankImage } from '../../domain/bank.ts'

export interface ImageRow {
  readonly image_id: string
  readonly bank_id: string
  readonly sha256: string
  readonly hash: string
  readonly quality: number
  readonly state: BankImage['state'] | 'removed'
  readonly source: BankImage['source']
  readonly added_at: Date
  readonly added_by: string
  /** Null: all. */
  readonly quarantined_for: (string | null)[] | null
  readonly quarantined_at: Date | null
  readonly quarantined_name: string | null
  readonly alerts?: BankAlert[] | null
}

/** Who put a picture into quarantine where no person did. */
export const BY_ITSELF = 'quarantine'

const iso = (column: 'first_at' | 'last_at') =>
  sql`to_char(${sql.ref(`a.${column}`)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** Of a query in which `i` is the picture. */
export const IMAGE_COLUMNS = sql`i.image_id, i.bank_id, i.sha256, i.hash, i.quality, i.state, i.source, i.added_at, i.added_by, i.quarantined_for, i.quarantined_at, i.quarantined_name`

/** With what is to be said of it to a person. */
export const LISTED_COLUMNS = sql`${IMAGE_COLUMNS}, (
  select json_agg(json_build_object(
    'marketplace', a.marketplace, 'result', a.result, 'sellers', a.sellers, 'newSellers', a.new_sellers,
    'seconds', a.seconds, 'firstAt', ${iso('first_at')}, 'lastAt', ${iso('last_at')}) order by a.first_at, a.marketplace)
  from bank_alert a where a.image_id = i.image_id) as alerts`

/** With what those who follow find it by. */
export const INDEXED_COLUMNS = sql`${IMAGE_COLUMNS}, i.forms`

/** Of a row that is not removed. */
export function imageOf(row: ImageRow): BankImage {
  if (row.state === 'removed') throw new Error(`the picture ${row.image_id} is removed`)
  return {
    imageId: row.image_id,
    bankId: row.bank_id,
    sha256: row.sha256,
    hash: row.hash,
    quality: row.quality,
    state: row.state,
    source: row.source,
    addedAt: row.added_at.toISOString(),
    addedBy: row.added_by,
    ...(row.state === 'quarantined' ? { quarantine: quarantineOf(row) } : {}),
    ...(row.alerts === undefined || row.alerts === null ? {} : { alerts: row.alerts }),
  }
}

function quarantineOf(row: ImageRow): BankImage['quarantine'] {
  const { quarantined_for, quarantined_at, quarantined_name, added_at } = row
  return {
    scope: quarantined_for ?? 'all',
    // Both are there; a process of the version before may have written it a moment ago.
    since: (quarantined_at ?? added_at).toISOString(),
    by: quarantined_name ?? BY_ITSELF,
    why: (quarantined_name ?? BY_ITSELF) === BY_ITSELF ? 'too-many-sellers' : 'by-hand',
  }
}
