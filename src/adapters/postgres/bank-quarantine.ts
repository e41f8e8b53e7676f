// Quarantine: by a person, or by itself within bounds when a picture of a bank met too many sellers; that alert stays until it is answered.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { AlertResult } from '../../domain/bank.ts'
import type { BankScope, BankStore } from '../../rights/bank-ports.ts'
import { owned, stopped } from './bank-rights.ts'
import { BY_ITSELF, type ImageRow } from './bank-rows.ts'
import { lockHead, moveHead } from './reference-head.ts'
import type { Tables } from './tables.ts'
import { inTransaction } from './transaction.ts'

/**
 * Two marketplaces may be one owner's; each is spared its own sellers' honest listings anyway. When a third says the same,
 * the picture is no counterfeit for those either that have not met it yet.
 */
const INDEPENDENT = 3
/** Of an alert that nobody answers and that does not come again. */
const KEPT_ALERTS = sql`interval '7 days'`

export function createAlarm(pool: Pool): BankStore['alarm'] {
  return (bankId, imageId, met, perHour) =>
    inTransaction(pool, async (tx) => {
      const next = await lockHead(tx.db)
      const { rows } = await sql<Pick<ImageRow, 'state' | 'quarantined_for'> & { looked: boolean }>`
        select state, quarantined_for,
               coalesce(released_at > now() - ${met.seconds} * interval '1 second', false) as looked
        from bank_image where image_id = ${imageId} and bank_id = ${bankId} and state <> 'removed' for update`.execute(
        tx.db,
      )
      const [row] = rows
      const { quarantined_for: before } = row ?? {}
      // Others count the same sellers, and may have counted some of them before somebody looked.
      if (row === undefined || row.looked || isThere(row, met.marketplace)) return { undo: undefined }
      const result = await resultOf(tx.db, met, before ?? [], perHour)
      await write(tx.db, imageId, met, result)
      if (result === 'bound' || result === 'new-sellers') return { done: result }
      const scope = result === 'quarantined-for-all' ? null : [...(before ?? []), met.marketplace]
      await sql`
        update bank_image set state = 'quarantined', quarantined_by = 'deployment', quarantined_for = ${scope}::text[],
          quarantined_at = coalesce(quarantined_at, now()), quarantined_name = ${BY_ITSELF},
          change = ${String(next)}::bigint, changed_at = now(), changed_by = ${BY_ITSELF}
        where image_id = ${imageId}`.execute(tx.db)
      await moveHead(tx.db, next)
      return { done: result }
    })
}

type Met = Parameters<BankStore['alarm']>[2]

const isThere = ({ state, quarantined_for }: Pick<ImageRow, 'state' | 'quarantined_for'>, marketplace: string | null) =>
  state === 'quarantined' && (quarantined_for === null || quarantined_for.includes(marketplace))

/** Each marketplace has a bound of its own: none uses up another's. */
async function resultOf(
  db: Kysely<Tables>,
  met: Met,
  before: readonly (string | null)[],
  perHour: number,
): Promise<AlertResult> {
  if (!met.enough) return 'new-sellers'
  const { rows } = await sql<{ here: number; all: number }>`
    select count(*) filter (where marketplace is not distinct from ${met.marketplace})::int as here,
           count(*) filter (where result = 'quarantined-for-all')::int as all
    from bank_alert where quarantined_at > now() - interval '1 hour'`.execute(db)
  const { here, all } = rows[0] ?? { here: 0, all: 0 }
  if (here >= perHour) return 'bound'
  return before.length + 1 >= INDEPENDENT && all < perHour ? 'quarantined-for-all' : 'quarantined'
}

async function write(db: Kysely<Tables>, imageId: string, met: Met, result: AlertResult): Promise<void> {
  const at = result === 'bound' || result === 'new-sellers' ? null : sql`now()`
  await sql`
    insert into bank_alert as a (image_id, marketplace, result, sellers, new_sellers, seconds, quarantined_at)
    values (${imageId}, ${met.marketplace}, ${result}, ${met.sellers}, ${met.newSellers}, ${met.seconds}, ${at})
    on conflict (image_id, coalesce(' ' || marketplace, '')) do update
      set result = excluded.result, sellers = excluded.sellers, new_sellers = excluded.new_sellers,
          seconds = excluded.seconds, last_at = now(), quarantined_at = excluded.quarantined_at`.execute(db)
}

/** Under the lock of the head: `quarantine` of the port. */
export async function setQuarantine(
  db: Kysely<Tables>,
  next: bigint,
  asked: {
    readonly bankId: string
    readonly imageId: string
    readonly by: string
    readonly on: boolean
    readonly scope: BankScope
  },
): Promise<{ changed: boolean; result: boolean }> {
  const { bankId, imageId, by, on, scope } = asked
  const who = scope === 'all' ? 'deployment' : 'brand'
  const { rows } = await sql<Pick<ImageRow, 'state' | 'quarantined_for'> & { quarantined_by: string | null }>`
    select i.state, i.quarantined_by, i.quarantined_for from bank_image i join bank b on b.bank_id = i.bank_id
    where i.image_id = ${imageId} and i.bank_id = ${bankId} and i.state <> 'removed' and ${owned(scope)}
    for update of i`.execute(db)
  const [row] = rows
  if (row === undefined) return { changed: false, result: false }
  const isOn = row.state === 'quarantined'
  const ofDeployment = isOn && row.quarantined_by !== 'brand'
  if (!on && ofDeployment && who === 'brand') throw stopped(`the picture ${imageId}`)
  // What the deployment says of one that its owner had put there already stands as well.
  const widens = isOn && (row.quarantined_for !== null || (who === 'deployment' && !ofDeployment))
  const answered = !on && who === 'deployment' && (await answerAlerts(db, imageId))
  if (on ? isOn && !widens : !isOn && !answered) return { changed: false, result: false }
  await sql`
    update bank_image set state = ${on ? 'quarantined' : 'active'},
      quarantined_by = ${on ? (ofDeployment ? 'deployment' : who) : null}, quarantined_for = null,
      quarantined_at = ${on ? sql`now()` : null}, quarantined_name = ${on ? by : null},
      released_at = ${on ? sql`released_at` : sql`now()`},
      change = ${String(next)}::bigint, changed_at = now(), changed_by = ${by}
    where image_id = ${imageId}`.execute(db)
  return { changed: true, result: true }
}

async function answerAlerts(db: Kysely<Tables>, imageId: string): Promise<boolean> {
  const { numAffectedRows } = await sql`delete from bank_alert where image_id = ${imageId}`.execute(db)
  return (numAffectedRows ?? 0n) > 0n
}

/** Of pictures that have left their banks, however they did, and those that nobody answered for a week. */
export async function forgetAlerts(pool: Pool): Promise<void> {
  await inTransaction(pool, async ({ db }) => {
    await sql`
      delete from bank_alert a where not exists (
        select from bank_image i where i.image_id = a.image_id
          and (i.state = 'quarantined' or i.state = 'active' and a.last_at > now() - ${KEPT_ALERTS}))`.execute(db)
    return { done: undefined }
  })
}
