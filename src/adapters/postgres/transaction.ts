// One transaction on one connection: typed queries inside, few round trips, and a connection that failed is never used again.
import { Kysely, PostgresDialect, sql } from 'kysely'
import type { PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient, QueryResult } from 'pg'
import { TouchstoneError } from '../../errors.ts'
import { named, namesOf } from './prepared.ts'
import { inOneRoundTrip } from './round-trip.ts'
import { compiled } from './statement.ts'
import type { Answers, Statement } from './statement.ts'
import type { Tables } from './tables.ts'

export interface Transaction {
  /** The connection itself, for a neighbour that must write in the same transaction. */
  readonly client: PoolClient
  readonly db: Kysely<Tables>
  /** All in one round trip, executed in this order; rejects with the first failure. */
  send<const Sent extends readonly Statement[]>(statements: Sent): Promise<Answers<Sent>>
}

export type TransactionMode = 'read committed' | 'repeatable read, read only'

/** What `work` returns to commit. */
export interface Done<T> {
  readonly done: T
  /** The last statements, which go with the commit: what they lock is held for no round trip. */
  readonly last?: readonly Statement[]
  /** Resolves to this instead: told by what the last statements answered. It must not fail, for all is committed by then. */
  readonly heard?: (answers: readonly QueryResult[]) => T
}

/** What `work` returns to undo everything and still resolve. */
export interface Undo<T> {
  readonly undo: T
}

/**
 * Runs `work` between begin and commit. `work` awaits nothing but the database. A rejection means that the outcome is
 * unknown where the commit itself failed, and that nothing was written otherwise. The connection is destroyed, because
 * nobody knows in what state it is; only after an expected refusal (`TouchstoneError`) it is rolled back and kept.
 */
export function inTransaction<T>(
  pool: Pool,
  work: (tx: Transaction) => Promise<Done<T> | Undo<T>>,
  mode: TransactionMode = 'read committed',
): Promise<T> {
  return run(pool, mode, [], work)
}

/** The same with the first statements in one round trip with the begin; `work` gets their answers. */
export function inTransactionFrom<T, const First extends readonly Statement[]>(
  pool: Pool,
  first: First,
  work: (tx: Transaction, answers: Answers<First>) => Promise<Done<T> | Undo<T>>,
): Promise<T> {
  return run(pool, 'read committed', first, (tx, answers) => work(tx, answers as Answers<First>))
}

async function run<T>(
  pool: Pool,
  mode: TransactionMode,
  first: readonly Statement[],
  work: (tx: Transaction, answers: QueryResult[]) => Promise<Done<T> | Undo<T>>,
): Promise<T> {
  const client = await pool.connect()
  let result: Done<T> | Undo<T>
  let last: QueryResult[] = []
  try {
    const tx = transactionOn(client, namesOf(pool))
    const [, ...answers] = await tx.send([BEGIN[mode], ...first])
    result = await work(tx, answers)
    if ('undo' in result) {
      await tx.send([ROLLBACK])
    } else {
      last = await tx.send([...(result.last ?? []), COMMIT])
      const end = last.at(-1)
      // The server answers the commit of a transaction that had failed with ROLLBACK, and no error.
      if (end?.command !== 'COMMIT') throw new Error('the transaction had failed: nothing was committed')
    }
  } catch (error) {
    const kept = error instanceof TouchstoneError && (await rolledBack(client))
    client.release(!kept)
    throw error
  }
  client.release()
  if ('undo' in result) return result.undo
  return result.heard === undefined ? result.done : result.heard(last)
}

const BEGIN: Readonly<Record<TransactionMode, Statement>> = {
  'read committed': sql`begin isolation level read committed`,
  'repeatable read, read only': sql`begin isolation level repeatable read, read only`,
}
const COMMIT = sql`commit`
const ROLLBACK = sql`rollback`

async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('rollback')
    return true
  } catch {
    return false
  }
}

type Naming = ReturnType<typeof namesOf>

const known = new WeakMap<PoolClient, Transaction>()

function transactionOn(client: PoolClient, nameOf: Naming): Transaction {
  let tx = known.get(client)
  if (tx === undefined) {
    const send = (statements: readonly Statement[]) =>
      inOneRoundTrip(
        client,
        statements.map((statement) => compiled(statement, nameOf)),
      )
    tx = { client, db: queriesOn(client, nameOf), send: send as Transaction['send'] }
    known.set(client, tx)
  }
  return tx
}

function queriesOn(client: PoolClient, nameOf: Naming): Kysely<Tables> {
  const query = (text: string, values: readonly unknown[]) =>
    client.query({ text, values: [...values], ...named(nameOf(text)) })
  // The other form of `query`, with a cursor, is never used here.
  const borrowed = { query: query as unknown as PostgresPoolClient['query'], release: (): void => undefined }
  const pool = { connect: () => Promise.resolve(borrowed), end: () => Promise.resolve(), options: {} }
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}
