// Kept pictures as people get to see them: those of banks and cases, by whose they are.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { KeptPictureReader } from '../../api/ports.ts'
import { owned } from './bank-rights.ts'
import { queries } from './connect.ts'

export function createKeptPictures(pool: Pool): KeptPictureReader {
  const db = queries(pool)
  return {
    async body(sha256, scope) {
      const about =
        scope === 'all'
          ? sql<boolean>`true`
          : sql<boolean>`c.brand_ids && ${[...scope.brandIds]}::text[] and x.brand_ids && ${[...scope.brandIds]}::text[]`
      const { rows } = await sql<{ body: Uint8Array }>`
        select p.body from picture p
        where p.sha256 = ${sha256} and (
          exists (select from bank_image i join bank b on b.bank_id = i.bank_id
                  where i.sha256 = p.sha256 and i.state <> 'removed' and ${owned(scope)})
          or exists (select from case_picture x join review_case c on c.case_id = x.case_id
                     where x.sha256 = p.sha256 and ${about}))`.execute(db)
      return rows[0]?.body
    },
  }
}
