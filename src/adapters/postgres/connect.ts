// The connections to PostgreSQL: a few for what decides, others for reading, so that a busy console never starves the gate.
import { PostgresDialect, Kysely } from 'kysely'
import type { PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { messageOf, TouchstoneError } from '../../errors.ts'
import { named, namesOf, prepareStatementsOf } from './prepared.ts'
import type { Tables } from './tables.ts'

/** Everything of ours lives here, so that a database may be shared with other programs. */
export const SCHEMA = 'touchstone'

const OLDEST_SERVER = 140_000
const STATEMENT_MS = 15_000
/**
 * What decides looks rows up by their keys, however many rows there are. A prepared statement keeps its plan, perhaps from
 * when the tables were empty and reading them whole was cheapest; they grow by thousands a second.
 */
const DECIDING_PLANS = { enable_seqscan: 'off', random_page_cost: '1.1' }

export interface ConnectOptions {
  /** Shown in pg_stat_activity, so that an operator sees which process holds what. */
  readonly applicationName?: string
  /** Connections for screening, deadlines and publishing. */
  readonly deciding?: number
  /** Connections for the API and for tools. */
  readonly reading?: number
  /**
   * Milliseconds that a process may stand still inside a transaction before the server ends it. A frozen worker blocks
   * its partitions for that long, so it must stay below the leases (3 s).
   */
  readonly idleInTransactionMs?: number
  /** Milliseconds to wait for a row; several waiters behind one frozen holder must fit. */
  readonly lockMs?: number
  readonly statementMs?: number
  /** The longest transaction, where the server knows such a limit (PostgreSQL 17). */
  readonly transactionMs?: number
  /** Told of connections that broke while nobody used them; the pool replaces them by itself. */
  readonly onError?: (error: Error) => void
}

export interface Database {
  readonly deciding: pg.Pool
  readonly reading: pg.Pool
  /** A connection of its own, not yet connected, for LISTEN; the caller ends it. */
  listener(): pg.Client
  close(): Promise<void>
}

/** Opens the pools and makes sure that a server answers which is new enough; throws `database-unavailable`. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Database> {
  let closing = false
  // A pool has ended before its last connections have: a server of ours that is stopped then says so on them.
  const onError = (error: Error): void => (closing ? undefined : options.onError?.(error))
  const base = {
    connectionString: url,
    application_name: options.applicationName ?? 'touchstone',
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    // A server that is gone without a word must not hold a caller for the minutes that TCP would wait.
    query_timeout: 1.5 * (options.statementMs ?? STATEMENT_MS),
  } satisfies pg.ClientConfig
  const pool = (max: number, more: Readonly<Record<string, string>>): pg.Pool => {
    const onConnect = (client: pg.ClientBase): Promise<void> => prepare(client, options, more)
    // The types say that nothing is returned, but the pool waits for what is.
    const awaited = { onConnect }
    const created = new pg.Pool({ ...base, max, idleTimeoutMillis: 60_000, ...awaited })
    // A connection that the server ends while it is checked out emits an error that nobody else listens to: without
    // this the process would die of it.
    created.on('connect', (client) => client.on('error', onError))
    created.on('error', onError)
    return created
  }
  const deciding = pool(options.deciding ?? 8, DECIDING_PLANS)
  prepareStatementsOf(deciding)
  const reading = pool(options.reading ?? 6, {})
  const close = async (): Promise<void> => {
    closing = true
    await Promise.all([deciding.end(), reading.end()])
  }
  try {
    const { rows } = await deciding.query<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    )
    const version = rows[0]?.version ?? 0
    if (version < OLDEST_SERVER) throw new Error(`PostgreSQL 14 or newer is needed, this server says ${version}`)
  } catch (error) {
    await close()
    throw new TouchstoneError('database-unavailable', `The database cannot be used: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  return { deciding, reading, listener: () => new pg.Client(base), close }
}

/**
 * Typed queries on a pool. Its `destroy` is never called: the pool belongs to the `Database`. A connection whose query
 * failed with anything but an answer of the server is not used again: the query may still be running on it.
 */
export function queries(pool: pg.Pool): Kysely<Tables> {
  const nameOf = namesOf(pool)
  const connect = async (): Promise<PostgresPoolClient> => {
    const client = await pool.connect()
    let broken = false
    const query = async (text: string, values: readonly unknown[]): Promise<pg.QueryResult> => {
      try {
        return await client.query({ text, values: [...values], ...named(nameOf(text)) })
      } catch (error) {
        broken ||= !(error instanceof pg.DatabaseError) || isOfPlan(error)
        throw error
      }
    }
    // The other form of `query`, with a cursor, is never used here.
    return {
      query: query as unknown as PostgresPoolClient['query'],
      release: (destroy) => client.release(destroy === true || broken),
    }
  }
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: { connect, end: () => Promise.resolve(), options: {} } }),
  })
}

/** A prepared statement that a change of the tables has spoilt stays spoilt on its connection: 0A000, and class 26. */
const isOfPlan = ({ code }: pg.DatabaseError): boolean => code === '0A000' || code?.startsWith('26') === true

// Set in the session and not at start-up, because a pooler in between refuses unknown start-up parameters.
async function prepare(
  client: pg.ClientBase,
  options: ConnectOptions,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const settings = {
    ...more,
    search_path: SCHEMA,
    // A plan that avoids reading whole tables is priced by the server, before 18, as if it took hours; it would then compile
    // every time, for seconds, what takes milliseconds.
    jit: 'off',
    idle_in_transaction_session_timeout: options.idleInTransactionMs ?? 2_000,
    lock_timeout: options.lockMs ?? 10_000,
    statement_timeout: options.statementMs ?? STATEMENT_MS,
    transaction_timeout: options.transactionMs ?? 20_000,
  }
  await client.query(
    `select set_config(wanted.name, wanted.value, false) from unnest($1::text[], $2::text[]) wanted (name, value)
     where exists (select from pg_settings known where known.name = wanted.name)`,
    [Object.keys(settings), Object.values(settings).map(String)],
  )
}

/** A host with several addresses fails with one error per address, and none in words of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return messageOf(error)
}
