// The one number of all reference data: whoever changes brands, banks, policies or models takes its row first.
//
// Where it lies in the one lock order of the store: input offsets, listings by id, verdicts by id, pictures by sha256,
// reference_head, outbox heads by topic and partition. A verdict whose pictures join a bank holds listings when it comes
// here; who only changes reference data begins here, or with pictures, and locks no listing afterwards. It comes before
// the outbox heads because those are held for the commit alone: nobody waits while holding one. Pictures of banks that
// decisions name (bank-departures.ts) come right behind it, by their ids; they are changed only by who holds the head.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Statement } from './statement.ts'
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

/** The lock as a statement: those behind it see what it waited for. Without an answer, so that it can go with them. */
export const takeHead: Statement = sql`select from reference_head for update`
