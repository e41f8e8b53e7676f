// One transaction on one connection: typed queries inside, and a connection that failed is never used again.
import { Kysely, PostgresDialect } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import type { Tables } from './tables.ts'

export interface Transaction {
  /** The connection itself, for a neighbour that must write in the same transaction. */
  readonly client: PoolClient
  readonly db: Kysely<Tables>
}

export type TransactionMode = 'read committed' | 'repeatable read, read only'

/** What `work` returns to undo everything and still resolve. */
export interface Undo<T> {
  readonly undo: T
}

/**
 * Runs `work` between begin and commit. `work` awaits nothing but the database. A rejection means that the outcome is
 * unknown where the commit itself failed, and that nothing was written otherwise. The connection is destroyed, because
 * nobody knows in what state it is; only after an expected refusal (`TouchstoneError`) it is rolled back and kept.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (tx: Transaction) => Promise<{ readonly done: T } | Undo<T>>,
  mode: TransactionMode = 'read committed',
): Promise<T> {
  const client = await pool.connect()
  let result: { readonly done: T } | Undo<T>
  try {
    await client.query(`begin isolation level ${mode}`)
    result = await work({ client, db: queriesOn(client) })
    const end = await client.query('undo' in result ? 'rollback' : 'commit')
    // The server answers the commit of a transaction that had failed with ROLLBACK, and no error.
    if (!('undo' in result) && end.command !== 'COMMIT')
      throw new Error('the transaction had failed: nothing was committed')
  } catch (error) {
    const kept = error instanceof TouchstoneError && (await rolledBack(client))
    client.release(!kept)
    throw error
  }
  client.release()
  return 'undo' in result ? result.undo : result.done
}

async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('rollback')
    return true
  } catch {
    return false
  }
}

const known = new WeakMap<PoolClient, Kysely<Tables>>()

function queriesOn(client: PoolClient): Kysely<Tables> {
  let db = known.get(client)
  if (db === undefined) {
    const borrowed = { query: client.query.bind(client), release: (): void => undefined }
    const pool = { connect: () => Promise.resolve(borrowed), end: () => Promise.resolve(), options: {} }
    db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
    known.set(client, db)
  }
  return db
}
