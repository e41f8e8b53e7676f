// Brings the tables up to what this version of the code expects; many processes may start at once.
import type { Pool, PoolClient } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import { SCHEMA } from './connect.ts'

export interface Migration {
  /** Says what it does; recorded, and compared with what is recorded, so never change it. */
  readonly name: string
  readonly sql: string
}

// Any constant that other programs in the same database are unlikely to use.
const LOCK = 7_046_029_254

/** Milliseconds; the longest that a timer can wait. */
const FOREVER = 2_147_483_647

/**
 * Applies what is missing of `migrations`, in order, each in a transaction of its own. Every namespace counts for
 * itself. Returns the names of those that this call applied. Throws `database-newer` when the database has more than
 * the code knows, or others.
 */
export async function migrate(pool: Pool, namespace: string, migrations: readonly Migration[]): Promise<string[]> {
  const client = await pool.connect()
  try {
    const applied: string[] = []
    for (;;) {
      const name = await next(client, namespace, migrations)
      if (name === undefined) break
      applied.push(name)
    }
    client.release()
    return applied
  } catch (error) {
    client.release(true)
    throw error
  }
}

async function next(
  client: PoolClient,
  namespace: string,
  migrations: readonly Migration[],
): Promise<string | undefined> {
  await client.query('begin')
  // Building an index on a large table, or waiting for another process that does, takes as long as it takes.
  await client.query(
    `select set_config(name, '0', true) from pg_settings
     where name in ('statement_timeout', 'lock_timeout', 'transaction_timeout')`,
  )
  await unhurried(client, 'select pg_advisory_xact_lock($1)', [LOCK])
  await client.query(`create schema if not exists ${SCHEMA}`)
  await client.query(
    `create table if not exists ${SCHEMA}.migration (
       namespace text, number int, name text not null, applied_at timestamptz not null default now(),
       primary key (namespace, number))`,
  )
  const { rows } = await client.query<{ number: number; name: string }>(
    `select number, name from ${SCHEMA}.migration where namespace = $1 order by number`,
    [namespace],
  )
  for (const row of rows) {
    const known = migrations[row.number - 1]
    if (known?.name === row.name) continue
    throw new TouchstoneError(
      'database-newer',
      `The database has the migration ${namespace}/${row.number} "${row.name}", ` +
        (known === undefined ? 'which this version does not know' : `where this version has "${known.name}"`),
    )
  }
  const missing = migrations[rows.length]
  if (missing !== undefined) {
    await unhurried(client, missing.sql)
    await client.query(`insert into ${SCHEMA}.migration (namespace, number, name) values ($1, $2, $3)`, [
      namespace,
      rows.length + 1,
      missing.name,
    ])
  }
  await client.query('commit')
  return missing?.name
}

/** The driver knows this limit per query, its types do not. */
async function unhurried(client: PoolClient, text: string, values?: unknown[]): Promise<void> {
  const query = { text, query_timeout: FOREVER, ...(values === undefined ? {} : { values }) }
  await client.query(query)
}
