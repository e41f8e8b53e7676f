// A PostgreSQL of our own for those who give no DATABASE_URL: created, started or adopted, and stopped with us.
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { canWork, chooseAccount, isRoot } from './account.ts'
import { findBinaries } from './binaries.ts'
import {
  clearDrafts,
  createRecord,
  initialise,
  pgdataOf,
  readRecord,
  SUPERUSER,
  type ClusterRecord,
} from './cluster.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { runServer, signalServer, stopServer } from './server.ts'
import { TouchstoneError } from '../../errors.ts'

export interface EmbeddedPostgres {
  /** With user, password and database; on 127.0.0.1 only. */
  readonly url: string
  /** The server process. */
  readonly pid: number
  /** It was left running by a process that was killed. */
  readonly adopted: boolean
  /** Stops the server and frees the data directory. May be called twice. */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** Touchstone's data directory; made if missing. */
  readonly dataDir: string
  /** Progress for a person, one line at a time. */
  readonly log: (message: string) => void
  /** For a command, which soon ends: a start waits for it. */
  readonly brief?: boolean
  /** PostgreSQL settings that differ from ours. */
  readonly settings?: Readonly<Record<string, string>>
}

export const DATABASE = 'touchstone'

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // A socket's path is limited to 107 bytes, and nobody needs one.
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  fsync: 'on',
  // Two processes of ours with a pool each, tools, and room for psql.
  max_connections: '60',
  shared_buffers: '128MB',
  // Fewer checkpoints under a burst of listings, at the price of at most 1 GB on disk; the default.
  max_wal_size: '1GB',
  // Logs carry statements on errors, and statements could carry data.
  log_min_error_statement: 'panic',
  log_line_prefix: '%m [%p] ',
  timezone: 'UTC',
  log_timezone: 'UTC',
} as const

/**
 * 1 lock the directory, 2 choose who runs the server, 3 find the binaries, 4 create the cluster, 5 adopt or start,
 * 6 create the database. Throws `already-running`, or `database-unavailable` with what to do.
 *
 * The lock dies with the process, the server does not: after a kill -9 the next start adopts it.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const lock = lockDataDir(options.dataDir, options.brief)
  try {
    const dataDir = realpathSync(options.dataDir)
    const known = readRecord(dataDir)
    const account = chooseAccount(known !== undefined && existsSync(pgdataOf(known)) ? pgdataOf(known) : undefined)
    const binaries = findBinaries(account, options.log)
    const record = known ?? createRecord(account, dataDir)
    checkReach(record, dataDir)
    if (!record.home.startsWith(dataDir))
      options.log(
        `The database lies in ${record.home}: as root PostgreSQL runs as ${account.name}, who cannot enter ${dataDir}`,
      )
    clearDrafts(record)
    if (!existsSync(pgdataOf(record))) {
      mkdirSync(record.home, { recursive: true })
      options.log('Creating the embedded database (a few seconds, only this once)')
      await initialise(binaries, account, record)
    }
    if (!canWork(account, pgdataOf(record))) {
      throw new TouchstoneError(
        'database-unavailable',
        `${pgdataOf(record)} can no longer be used by ${account.name}, as whom PostgreSQL runs. Let that user enter it again, or set TOUCHSTONE_DATA_DIR to a new directory.`,
      )
    }
    const logFile = join(dataDir, 'postgres.log')
    const server = await runServer({
      binaries,
      account,
      record,
      logFile,
      settings: { ...SETTINGS, ...options.settings },
      log: options.log,
    })
    const url = (database: string) => `postgres://${SUPERUSER}:${record.password}@127.0.0.1:${server.port}/${database}`
    try {
      await createDatabase(url('postgres'))
    } catch (error) {
      await stopServer(server.pid)
      throw error
    }
    if (!server.adopted) options.log(`PostgreSQL runs on port ${server.port} (pid ${server.pid})`)
    // Who ends without `stop`, by process.exit or an exception that nobody caught, leaves no server behind either.
    const onExit = () => signalServer(server.pid, 'SIGINT')
    process.once('exit', onExit)
    let stopping: Promise<void> | undefined
    const stop = async () => {
      await stopServer(server.pid).finally(() => lock.release())
      process.off('exit', onExit)
    }
    return { url: url(DATABASE), pid: server.pid, adopted: server.adopted, stop: () => (stopping ??= stop()) }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** A directory that root used may have its data where only root and the server's user get to. */
function checkReach(record: ClusterRecord, dataDir: string): void {
  if (isRoot() || record.home.startsWith(dataDir)) return
  throw new TouchstoneError(
    'database-unavailable',
    `${dataDir} was used as root before, and its database lies in ${record.home}. Start as root again, or set TOUCHSTONE_DATA_DIR to a new directory.`,
  )
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`create database ${DATABASE}`)
  } finally {
    await client.end()
  }
}
