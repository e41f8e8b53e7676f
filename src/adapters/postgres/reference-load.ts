// Reading what a gate is made of: all of it, or the kinds that changed; both inside one snapshot of the database.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Brand } from '../../domain/brand.ts'
import type { ReferenceData, ReferenceKinds, ReferenceNews } from '../../rights/ports.ts'
import { activeModels } from './model-history.ts'
import { activePolicy } from './policy-history.ts'
import type { Tables } from './tables.ts'

/** Of a transaction whose statements see one moment. */
export async function loadAll(tx: Kysely<Tables>): Promise<ReferenceData> {
  const { change, kinds } = await latestChanges(tx)
  return { change, kinds, brands: await brands(tx), policy: await policy(tx), models: await activeModels(tx) }
}

/** Of such a transaction too. Verdicts that move pictures into banks raise the number and none of the kinds: then one query. */
export async function loadNews(tx: Kysely<Tables>, known: ReferenceKinds): Promise<ReferenceNews> {
  const { change, kinds } = await latestChanges(tx)
  return {
    change,
    kinds,
    ...(kinds.brands !== known.brands && { brands: await brands(tx) }),
    ...(kinds.policy !== known.policy && { policy: await policy(tx) }),
    ...(kinds.models !== known.models && { models: await activeModels(tx) }),
  }
}

/** Behind the lock of the head nobody moves them any more. */
export async function latestChanges(tx: Kysely<Tables>): Promise<{ change: bigint; kinds: ReferenceKinds }> {
  const { rows } = await sql<{ change: string; brands: string; policy: string; models: string }>`
    select change,
           (select coalesce(max(b.change), 0) from brand b) as brands,
           (select coalesce(max(p.change), 0) from policy_activation p) as policy,
           (select coalesce(max(m.change), 0) from model_activation m) as models
    from reference_head`.execute(tx)
  const [row] = rows
  if (row === undefined) throw new Error('the store has no head')
  const { change, ...kinds } = row
  return {
    change: BigInt(change),
    kinds: { brands: BigInt(kinds.brands), policy: BigInt(kinds.policy), models: BigInt(kinds.models) },
  }
}

const brands = async (tx: Kysely<Tables>): Promise<Brand[]> =>
  (await tx.selectFrom('brand').select('body').orderBy('brand_id').execute()).map((row) => row.body)

const policy = async (tx: Kysely<Tables>) => (await activePolicy(tx))?.body
