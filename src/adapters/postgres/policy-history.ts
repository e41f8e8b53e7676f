// The versions of the policy and which of them was active when; published and rolled back under the reference lock.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Policy } from '../../domain/policy.ts'
import { TouchstoneError } from '../../errors.ts'
import type { PolicyRecord } from '../../rights/ports.ts'
import type { Tables } from './tables.ts'

interface Active {
  readonly activation: string
  readonly version: number
  readonly previous: string | null
  readonly body: Policy
}

/** The latest activation is the one that counts. */
export async function activePolicy(db: Kysely<Tables>): Promise<Active | undefined> {
  return await db
    .selectFrom('policy_activation as a')
    .innerJoin('policy as p', 'p.version', 'a.version')
    .select(['a.activation', 'a.version', 'a.previous', 'p.body'])
    .orderBy('a.activation', 'desc')
    .limit(1)
    .executeTakeFirst()
}

export async function allPolicies(db: Kysely<Tables>): Promise<PolicyRecord[]> {
  const { rows } = await sql<{ body: Policy; published_at: Date; published_by: string; active: boolean }>`
    select body, published_at, published_by,
           version = coalesce((select version from policy_activation order by activation desc limit 1), 0) as active
    from policy order by version`.execute(db)
  return rows.map((row) => ({
    policy: row.body,
    publishedAt: row.published_at.toISOString(),
    publishedBy: row.published_by,
    active: row.active,
  }))
}

/** Throws `policy-conflict` when the active version is not `basedOn`; 0: none may be active. */
export async function publish(
  tx: Kysely<Tables>,
  policy: Policy,
  by: string,
  basedOn: number | undefined,
  change: bigint,
): Promise<PolicyRecord> {
  const active = await activePolicy(tx)
  if (basedOn !== undefined && (active?.version ?? 0) !== basedOn) {
    throw new TouchstoneError('policy-conflict', `Version ${active?.version ?? 'none'} is active, not ${basedOn}`)
  }
  const highest = await tx
    .selectFrom('policy')
    .select(({ fn }) => fn.max('version').as('version'))
    .executeTakeFirst()
  const version = (highest?.version ?? 0) + 1
  const body: Policy = { ...policy, version }
  const row = await tx
    .insertInto('policy')
    .values({
      version,
      policy_id: policy.policyId,
      body: JSON.stringify(body),
      change: String(change),
      published_by: by,
    })
    .returning('published_at')
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('policy_activation')
    .values({ version, kind: 'publish', previous: active?.activation ?? null, change: String(change), by })
    .execute()
  return { policy: body, publishedAt: row.published_at.toISOString(), publishedBy: by, active: true }
}

/** Makes the version active that was before the active one; again goes back one more. Throws `nothing-to-roll-back`. */
export async function rollback(tx: Kysely<Tables>, by: string, change: bigint): Promise<PolicyRecord> {
  const active = await activePolicy(tx)
  const before =
    active === undefined || active.previous === null
      ? undefined
      : await tx
          .selectFrom('policy_activation as a')
          .innerJoin('policy as p', 'p.version', 'a.version')
          .select(['a.version', 'a.previous', 'p.body', 'p.published_at', 'p.published_by'])
          .where('a.activation', '=', active.previous)
          .executeTakeFirstOrThrow()
  if (before === undefined)
    throw new TouchstoneError('nothing-to-roll-back', 'No policy version was active before this one')
  await tx
    .insertInto('policy_activation')
    .values({ version: before.version, kind: 'rollback', previous: before.previous, change: String(change), by })
    .execute()
  return {
    policy: before.body,
    publishedAt: before.published_at.toISOString(),
    publishedBy: before.published_by,
    active: true,
  }
}
