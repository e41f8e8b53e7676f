// The registry of models: versions kept by the hash of their bytes, and which of them decides.
import { createHash } from 'node:crypto'
import { sql, type Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { ModelName } from '../../domain/model.ts'
import { TouchstoneError } from '../../errors.ts'
import type { Activation, BothActivations, HeldAgainst, ModelRecord, ModelStore } from '../../learning/ports.ts'
import { queries } from './connect.ts'
import { activate, activeModels, deactivate, type Step } from './model-history.ts'
import { lockHead, moveHead } from './reference-head.ts'
import { latestChanges } from './reference-load.ts'
import type { Tables } from './tables.ts'
import { inTransaction } from './transaction.ts'

/** Every activation takes the row of `reference_head` first: a reader has one number for models, brands and policies. */
export function createModelStore(pool: Pool): ModelStore {
  const db = queries(pool)
  const change = (name: ModelName, step: (tx: Kysely<Tables>, change: bigint) => Promise<Step | undefined>) =>
    inTransaction<Activation>(pool, async ({ db: tx }) => {
      const number = await lockHead(tx)
      const done = await step(tx, number)
      if (done === undefined) {
        const version = (await activeModels(tx)).find((model) => model.name === name)?.version ?? null
        return { undo: { name, version, before: version, change: number - 1n } }
      }
      await moveHead(tx, number)
      return { done: { name, ...done, change: number } }
    })
  const changeBoth = (
    steps: (tx: Kysely<Tables>, change: bigint) => Promise<Readonly<Record<ModelName, Step | undefined>>>,
  ) =>
    inTransaction<BothActivations>(pool, async ({ db: tx }) => {
      const number = await lockHead(tx)
      const done = await steps(tx, number)
      const moved = done.fusion !== undefined || done.text !== undefined
      const now = await activeModels(tx)
      const activationOf = (name: ModelName): Activation => {
        const version = now.find((model) => model.name === name)?.version ?? null
        return { name, ...(done[name] ?? { version, before: version }), change: moved ? number : number - 1n }
      }
      const both = { fusion: activationOf('fusion'), text: activationOf('text') }
      if (!moved) return { undo: both }
      await moveHead(tx, number)
      return { done: both }
    })
  const records = async (name?: ModelName, version?: string): Promise<ModelRecord[]> => {
    const active = new Map((await activeModels(db)).map((model) => [model.name, model.version]))
    let query = db
      .selectFrom('model')
      .select(['name', 'version', 'sha256', 'card', 'made_at', 'made_by'])
      .orderBy('made_at', 'desc')
      .orderBy('name')
      .orderBy('version')
    if (name !== undefined) query = query.where('name', '=', name)
    if (version !== undefined) query = query.where('version', '=', version)
    return (await query.execute()).map((row) => ({
      name: row.name,
      version: row.version,
      sha256: row.sha256,
      card: row.card,
      madeAt: row.made_at.toISOString(),
      madeBy: row.made_by,
      active: active.get(row.name) === row.version,
    }))
  }

  /** True where the stored bytes were other than their hash says and are these now. */
  const mend = async (name: ModelName, version: string, body: Uint8Array): Promise<boolean> => {
    const { numUpdatedRows } = await db
      .updateTable('model')
      .set({ body: Buffer.from(body) })
      .where('name', '=', name)
      .where('version', '=', version)
      .where(sql<string>`encode(sha256(body), 'hex')`, '<>', sql.ref<string>('sha256'))
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  return {
    async put({ card, body, by }) {
      const { name, version, sha256 } = card
      assertSame(name, version, sha256, body)
      const written = await db
        .insertInto('model')
        .values({ name, version, sha256, card: JSON.stringify(card), body: Buffer.from(body), made_by: by })
        .onConflict((on) => on.doNothing())
        .returning('version')
        .executeTakeFirst()
      const [record] = await records(name, version)
      if (record === undefined) throw new Error(`the model ${name} ${version} was written and is not there`)
      if (record.sha256 !== sha256)
        throw new TouchstoneError(
          'model-invalid',
          `version ${version} of the model ${name} is in the registry with other bytes`,
        )
      const present = written === undefined
      return { record, present, mended: present && (await mend(name, version, body)) }
    },

    list: (name) => records(name),

    find: async (name, version) => (await records(name, version))[0],

    active: async () => (await records()).filter((record) => record.active),

    async body(name, version) {
      const row = await db
        .selectFrom('model')
        .select(['sha256', 'body'])
        .where('name', '=', name)
        .where('version', '=', version)
        .executeTakeFirst()
      if (row === undefined)
        throw new TouchstoneError('not-found', `there is no version ${version} of the model ${name} in the registry`)
      assertSame(name, version, row.sha256, row.body)
      return row.body
    },

    promote: (name, version, by, against) =>
      change(name, async (tx, number) => {
        if (against !== undefined) await assertUnchanged(tx, against)
        return await activate(tx, name, version, by, number)
      }),

    rollback: (name, by, check) =>
      change(name, async (tx, number) => {
        const active = await activeModels(tx)
        const step = await deactivate(tx, name, by, number)
        check?.(step.version, active)
        return step
      }),

    promoteBoth: (versions, by, against) =>
      changeBoth(async (tx, number) => {
        if (against !== undefined) await assertUnchanged(tx, against)
        const to = (name: ModelName) => activate(tx, name, versions[name], by, number)
        return { fusion: await to('fusion'), text: await to('text') }
      }),

    rollbackBoth: (by, check) =>
      changeBoth(async (tx, number) => {
        const now = await activeModels(tx)
        const back = (name: ModelName) => deactivate(tx, name, by, number)
        const steps = { fusion: await back('fusion'), text: await back('text') }
        check?.(await activeModels(tx), now)
        return steps
      }),
  }
}

/** What was held against one policy and one champion says nothing of others. */
async function assertUnchanged(tx: Kysely<Tables>, against: HeldAgainst): Promise<void> {
  const { kinds } = await latestChanges(tx)
  const other = [
    ...(kinds.models === against.models ? [] : ['a version of a model was promoted or rolled back']),
    ...(kinds.policy === against.policy ? [] : ['a policy was published or rolled back']),
  ]
  if (other.length > 0)
    throw new TouchstoneError(
      'model-conflict',
      `${other.join(', and ')} while the version was held against what decided before; nothing was promoted`,
    )
}

function assertSame(name: ModelName, version: string, sha256: string, body: Uint8Array): void {
  const found = createHash('sha256').update(body).digest('hex')
  if (found !== sha256)
    throw new TouchstoneError(
      'model-invalid',
      `the bytes of version ${version} of the model ${name} are damaged: their sha256 is ${found.slice(0, 12)}…, not ${sha256.slice(0, 12)}…`,
    )
}
