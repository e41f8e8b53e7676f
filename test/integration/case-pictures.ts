// Pictures of cases and listings and what verdicts do with them in the banks, as the stores write it to a real PostgreSQL.
import type { Pool } from 'pg'
import { bankEffects, bankJoins } from '../../src/adapters/postgres/bank-joins.ts'
import { createPictureStore } from '../../src/adapters/postgres/picture-store.ts'
import { inTransaction } from '../../src/adapters/postgres/transaction.ts'
import type { KeptPicture } from '../../src/domain/kept-picture.ts'
import type { Outcome } from '../../src/domain/policy.ts'
import type { ShownSet } from '../../src/pipeline/pictures/ports.ts'
import { shownBy } from '../../src/pipeline/pictures/shown.ts'
import type { BankDispute, BankJoin, CaseLook } from '../../src/pipeline/verdicts/ports.ts'
import { seenPicture } from '../unit/seen-picture.ts'

/** Keeps these pictures and shows them in a case, which need not be there, in their order. */
export async function showInCase(
  pool: Pool,
  caseId: string,
  pictures: readonly KeptPicture[],
  revision = 1,
): Promise<void> {
  await createPictureStore(pool).put(pictures)
  await pool.query(
    `insert into case_picture (case_id, revision, ordinal, sha256)
     select $1, $2, x.place - 1, x.sha256 from unnest($3::text[]) with ordinality x (sha256, place)`,
    [caseId, revision, pictures.map(({ sha256 }) => sha256)],
  )
}

/** An open case of a listing, as far as what it shows is concerned; one that is there is carried over to the revision. */
export async function openCase(pool: Pool, caseId: string, listingId: string, revision = 1, at = new Date()) {
  await pool.query(
    `insert into review_case (case_id, listing_id, revision, state, risk, brand_ids, opened_at)
     values ($1, $2, $3, 'open', 0.9, '{nike}', $4) on conflict (case_id) do update set revision = excluded.revision`,
    [caseId, listingId, revision, at],
  )
}

/** What a listing with pictures of these hashes shows; throws without any. */
export function shownSet(listingId: string, hashes: readonly Uint8Array[]): ShownSet {
  const set = shownBy(
    listingId,
    hashes.map((bytes) => ({ ...seenPicture('a'), hash: { bytes, quality: 100 } })),
  )
  if (set === undefined) throw new Error('nothing is shown')
  return set
}

/** How a listing stands, and since when; `shown`: the set that the decision on it names. */
export interface Offer {
  readonly listingId: string
  readonly sellerId: string
  readonly shown?: ShownSet | undefined
  readonly revision?: number
  readonly outcome?: Outcome
  readonly withdrawn?: number
  readonly at?: Date
}

/** A listing that was decided with these pictures, and what it shows noted before, as screening does. */
export async function offer(pool: Pool, offered: Offer): Promise<void> {
  const { listingId, sellerId, shown, revision = 1, outcome = 'allow', withdrawn = 0, at = new Date() } = offered
  await createPictureStore(pool).noteShown(shown === undefined ? [] : [shown])
  await pool.query(
    `insert into listing (listing_id, seller_id, revision, outcome, withdrawn_revision) values ($1, $2, $3, $4, $5)
     on conflict (listing_id) do update set revision = excluded.revision`,
    [listingId, sellerId, revision, outcome, withdrawn],
  )
  await pool.query(
    `insert into decision (listing_id, revision, sequence, decision_id, stage, outcome, risk, decided_at, shown, body)
     values ($1, $2, $2, gen_random_uuid(), 'screening', $3, 0.5, $4, decode($5, 'hex'), '{}')`,
    [listingId, revision, outcome, at, shown?.digest],
  )
}

/** What a confirmed case does to the bank of nike, as far as nothing else is said. */
export const joinOf = (more: Partial<BankJoin> = {}): BankJoin => ({
  verdictId: 'V-1',
  caseId: 'C-1',
  listingId: 'L-1',
  revision: 1,
  brandId: 'nike',
  brandIds: ['nike'],
  pictures: null,
  by: 'ann',
  byBrand: false,
  ...more,
})

/** These verdicts join and leave the banks, in a transaction as the settlement's. */
export const settleJoins = (
  pool: Pool,
  joins: readonly BankJoin[],
  leaves: readonly string[] = [],
  look?: CaseLook,
  disputes?: readonly BankDispute[],
): Promise<void> =>
  inTransaction(pool, () => Promise.resolve({ done: undefined, last: bankJoins(joins, leaves, look, disputes) }))

/** The same with what each verdict is told of the pictures of its case; undefined when nothing was. */
export function toldOfJoins(pool: Pool, joins: readonly BankJoin[], look?: CaseLook): Promise<unknown[] | undefined> {
  const { statements, accounts } = bankEffects(joins, [], look)
  return inTransaction<unknown[] | undefined>(pool, () =>
    Promise.resolve({
      done: undefined,
      last: statements,
      heard: (answers) => accounts && answers[statements.indexOf(accounts)]?.rows,
    }),
  )
}
