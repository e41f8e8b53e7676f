// The secret that the audit sample is drawn with: made with the store, in no event, log or answer.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { queries } from './connect.ts'

export async function readAuditSecret(pool: Pool): Promise<string> {
  const { rows } = await sql<{ secret: string }>`select secret from audit_secret`.execute(queries(pool))
  const [row] = rows
  // Drawing with nothing in its place would be drawing in the open.
  if (row === undefined) throw new Error('the store has no secret for the audit sample')
  return row.secret
}
