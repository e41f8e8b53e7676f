// A picture of a bank as its row has it.
import { sql } from 'kysely'
import type { BankImage } from '../../domain/bank.ts'

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
}

/** Of a query in which `i` is the picture. */
export const IMAGE_COLUMNS = sql`i.image_id, i.bank_id, i.sha256, i.hash, i.quality, i.state, i.source, i.added_at, i.added_by`

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
  }
}
