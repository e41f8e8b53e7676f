// Which version of a model was active when: promoted and rolled back under the reference lock, as policies are.
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { ActiveModel, ModelName } from '../../domain/model.ts'
import { TouchstoneError } from '../../errors.ts'
import type { Tables } from './tables.ts'

/** The latest activation of each name counts; one without a version says that what ships decides. */
export async function activeModels(db: Kysely<Tables>): Promise<ActiveModel[]> {
  const { rows } = await sql<ActiveModel>`
    select m.name, m.version, m.sha256, m.card
    from (select distinct on (name) name, version from model_activation order by name, activation desc) a
    join model m on m.name = a.name and m.version = a.version
    order by m.name`.execute(db)
  return rows
}

export interface Step {
  readonly version: string | null
  readonly before: string | null
}

const latest = (db: Kysely<Tables>, name: ModelName) =>
  db
    .selectFrom('model_activation')
    .select(['activation', 'version', 'previous'])
    .where('name', '=', name)
    .orderBy('activation', 'desc')
    .limit(1)
    .executeTakeFirst()

/** `version` null: what ships. undefined where it is active already. Throws `not-found`. */
export async function activate(
  tx: Kysely<Tables>,
  name: ModelName,
  version: string | null,
  by: string,
  change: bigint,
): Promise<Step | undefined> {
  if (version !== null) await assertKnown(tx, name, version)
  const active = await latest(tx, name)
  if ((active?.version ?? null) === version) return undefined
  await tx
    .insertInto('model_activation')
    .values({ name, version, kind: 'promote', previous: active?.activation ?? null, change: String(change), by })
    .execute()
  return { version, before: active?.version ?? null }
}

async function assertKnown(tx: Kysely<Tables>, name: ModelName, version: string): Promise<void> {
  const known = await tx
    .selectFrom('model')
    .select('version')
    .where('name', '=', name)
    .where('version', '=', version)
    .executeTakeFirst()
  if (known === undefined)
    throw new TouchstoneError('not-found', `there is no version ${version} of the model ${name} in the registry`)
}

/** Makes active what was before the active one, what ships at last; again goes back one more. Throws `nothing-to-roll-back`. */
export async function deactivate(tx: Kysely<Tables>, name: ModelName, by: string, change: bigint): Promise<Step> {
  const active = await latest(tx, name)
  // What ships may have been promoted in the place of another version: that one lies before it.
  if (active === undefined || (active.version === null && active.previous === null))
    throw new TouchstoneError(
      'nothing-to-roll-back',
      active === undefined
        ? `No version of the model ${name} was promoted: what ships decides`
        : `Every promotion of the model ${name} was rolled back: what ships decides`,
    )
  const before =
    active.previous === null
      ? undefined
      : await tx
          .selectFrom('model_activation')
          .select(['version', 'previous'])
          .where('activation', '=', active.previous)
          .executeTakeFirstOrThrow()
  const version = before?.version ?? null
  await tx
    .insertInto('model_activation')
    .values({ name, version, kind: 'rollback', previous: before?.previous ?? null, change: String(change), by })
    .execute()
  return { version, before: active.version }
}
