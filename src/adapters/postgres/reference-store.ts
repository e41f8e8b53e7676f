// Brands and policies: versioned rows with one rising change number that workers follow.
import { sql, type Kysely } from 'kysely'
import type { Client, Pool } from 'pg'
import type { Brand } from '../../domain/brand.ts'
import { TouchstoneError } from '../../errors.ts'
import type { ReferenceStore } from '../../rights/ports.ts'
import { listen } from './change-listener.ts'
import { queries } from './connect.ts'
import { allPolicies, publish, rollback } from './policy-history.ts'
import { lockHead, moveHead, REFERENCE_CHANNEL } from './reference-head.ts'
import { loadAll, loadNews } from './reference-load.ts'
import type { Tables } from './tables.ts'
import { inTransaction } from './transaction.ts'

export interface ReferenceStoreOptions {
  readonly pool: Pool
  /** A connection of its own for the notifications. */
  readonly listener: () => Client
}

/** Number and data belong together, whoever writes meanwhile. */
const OF_ONE_MOMENT = 'repeatable read, read only'

/** Every write takes the one row of `reference_head` first, so changes have one order and a reader one number for all. */
export function createReferenceStore({ pool, listener: connect }: ReferenceStoreOptions): ReferenceStore {
  const db = queries(pool)
  return {
    async change() {
      return BigInt((await db.selectFrom('reference_head').select('change').executeTakeFirstOrThrow()).change)
    },

    load: () => inTransaction(pool, async ({ db: tx }) => ({ done: await loadAll(tx) }), OF_ONE_MOMENT),

    news: (known) => inTransaction(pool, async ({ db: tx }) => ({ done: await loadNews(tx, known) }), OF_ONE_MOMENT),

    onChange: (listener) => listen(connect, REFERENCE_CHANNEL, listener),

    async upsertBrands(brands, by) {
      const rows = uniqueBrands(brands)
      return await inTransaction(pool, async ({ db: tx }) => {
        const change = await lockHead(tx)
        const written = await writeBrands(tx, rows, change, by)
        const added = written.filter((row) => row.added).length
        const result = { added, changed: written.length - added, unchanged: rows.length - written.length }
        if (written.length === 0) return { undo: result }
        await moveHead(tx, change)
        return { done: result }
      })
    },

    brand: (brandId) => brandOf(db, brandId),

    changeBrand(brandId, change, by) {
      return inTransaction(pool, async ({ db: tx }) => {
        // First the lock, then the look: what an analyst took away meanwhile must not come back.
        const number = await lockHead(tx)
        const brand = change(await brandOf(tx, brandId))
        const [written] = await writeBrands(tx, uniqueBrands([brand]), number, by)
        if (written === undefined) return { undo: { brand, added: false } }
        await moveHead(tx, number)
        return { done: { brand, added: written.added } }
      })
    },

    policies: () => allPolicies(db),

    publishPolicy(policy, by, basedOn) {
      return inTransaction(pool, async ({ db: tx }) => {
        const change = await lockHead(tx)
        const published = await publish(tx, policy, by, basedOn, change)
        await moveHead(tx, change)
        return { done: published }
      })
    },

    rollbackPolicy(by) {
      return inTransaction(pool, async ({ db: tx }) => {
        const change = await lockHead(tx)
        const active = await rollback(tx, by, change)
        await moveHead(tx, change)
        return { done: active }
      })
    },
  }
}

async function brandOf(db: Kysely<Tables>, brandId: string): Promise<Brand | undefined> {
  return (await db.selectFrom('brand').select('body').where('brand_id', '=', brandId).executeTakeFirst())?.body
}

/** Those that are not there as they are; under the lock of the head. */
async function writeBrands(tx: Kysely<Tables>, brands: readonly Brand[], change: bigint, by: string) {
  const { rows } = await sql<{ added: boolean }>`
    insert into brand as b (brand_id, version, body, change, changed_by)
    select body ->> 'brandId', 1, body, ${String(change)}::bigint, ${by} from jsonb_array_elements(${JSON.stringify(brands)}::jsonb) body
    on conflict (brand_id) do update set version = b.version + 1, body = excluded.body, change = excluded.change,
      changed_at = now(), changed_by = excluded.changed_by where b.body <> excluded.body
    returning version = 1 as added`.execute(tx)
  return rows
}

/** The last of those with one id counts. Text that PostgreSQL cannot store is refused here, by name. */
function uniqueBrands(brands: readonly Brand[]): Brand[] {
  const byId = new Map<string, Brand>()
  for (const brand of brands) {
    const text = JSON.stringify(brand)
    if (/(?<!\\)(\\\\)*\\u(0000|d[89a-f]..)/.test(text)) {
      throw new TouchstoneError(
        'brand-invalid',
        `The brand ${brand.brandId} has text with U+0000 or half of a surrogate pair`,
      )
    }
    byId.set(brand.brandId, brand)
  }
  return [...byId.values()]
}
