// The one number of all reference data: whoever changes brands, banks, policies or models takes its row first.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** Who follows the changes listens here; the payload is the number. */
export const REFERENCE_CHANNEL = 'touchstone_reference'

/** The number that this change will have; everybody else who changes something waits from here on. */
export async function lockHead(tx: Kysely<Tables>): Promise<bigint> {
  const head = await tx.selectFrom('reference_head').select('change').forUpdate().executeTakeFirstOrThrow()
  return BigInt(head.change) + 1n
}

/** The notification goes out with the commit. */
export async function moveHead(tx: Kysely<Tables>, change: bigint): Promise<void> {
  await tx
    .updateTable('reference_head')
    .set({ change: String(change) })
    .execute()
  await sql`select pg_notify(${REFERENCE_CHANNEL}, ${String(change)})`.execute(tx)
}
