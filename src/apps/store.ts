// The store as the commands open it: the given PostgreSQL, the embedded one, or the one that a running `start` has.
import { setTimeout as sleep } from 'node:timers/promises'
import { isPassing, runningEmbeddedPostgres } from '../adapters/embedded-postgres/attach.ts'
import { takenBy } from '../adapters/embedded-postgres/data-dir-lock.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../adapters/embedded-postgres/embedded-postgres.ts'
import { connect, type Database } from '../adapters/postgres/connect.ts'
import { migrate } from '../adapters/postgres/migrate.ts'
import { STORE_MIGRATIONS } from '../adapters/postgres/migrations.ts'
import { LOG_MIGRATIONS } from '../adapters/postgres-log/migrations.ts'
import type { Config } from '../config.ts'
import { messageOf, TouchstoneError } from '../errors.ts'

export interface OpenDatabase {
  readonly url: string
  readonly database: Database
  /** The process of the server where it is ours: it stops with us, and without it there is nothing to go on with. */
  readonly serverPid: number | undefined
  close(): Promise<void>
}

export interface OpenOptions {
  readonly applicationName: string
  /** Progress for a person. */
  readonly say: (message: string) => void
  readonly onError: (error: Error) => void
  /** Work beside a running `start` instead of refusing: for commands that only read or change reference data. */
  readonly beside: boolean
  /** Milliseconds to wait for a `start` that is not ready yet, and for a command that came before. */
  readonly startingMs?: number
}

/** A first start makes its database in 2 to 4 s; several times that where the machine is busy. */
const STARTING_MS = 30_000
/** A training of many verdicts, or an import of many pictures, takes minutes. */
const COMMAND_MS = 600_000
const AGAIN_MS = 100

/**
 * @throws TouchstoneError `not-ready` where the `start` that has the data directory takes too long, `already-running` where
 * another `start` has it, or a command for too long.
 */
export async function openDatabase(config: Config, options: OpenOptions): Promise<OpenDatabase> {
  const { DATABASE_URL: given, TOUCHSTONE_DATA_DIR: dataDir } = config
  if (given !== undefined) return await opened(given, undefined, options)
  const { beside } = options
  const begun = performance.now()
  /** Since when no command is in the way: what comes behind one has its own time. */
  let since = begun
  for (let told: string | undefined; ;) {
    try {
      return await embedded(dataDir, options)
    } catch (error) {
      const holder = takenBy(error)
      const behindCommand = holder === 'command'
      if (beside ? !isPassing(error) : !behindCommand && holder !== 'nobody known') throw error
      const now = performance.now()
      if (behindCommand) since = now
      const waited = now - (behindCommand ? begun : since)
      if (waited >= (options.startingMs ?? (behindCommand ? COMMAND_MS : STARTING_MS)))
        throw beside && !behindCommand ? stillStarting(dataDir, error) : error
      const waiting = behindCommand ? WAITING_FOR_COMMAND : WAITING_FOR_START
      if (told !== waiting && holder !== 'nobody known') options.say((told = waiting))
      await sleep(AGAIN_MS)
    }
  }
}

/** A server of a gate serves commands too; one of a command ends with it, and is nothing to stand on for another. */
async function embedded(dataDir: string, options: OpenOptions): Promise<OpenDatabase> {
  let server: EmbeddedPostgres
  try {
    // First of all the lock: while nobody has it a server that runs is one that a killed gate left, and the next may stop it.
    server = await startEmbeddedPostgres({ dataDir, log: options.say, brief: options.beside })
  } catch (error) {
    const running = options.beside && takenBy(error) === 'gate' ? runningEmbeddedPostgres(dataDir) : undefined
    if (running === undefined) throw error
    return await opened(running.url, undefined, options)
  }
  return await opened(server.url, server, options)
}

const WAITING_FOR_START = 'The gate is just starting: waiting for its embedded database'
const WAITING_FOR_COMMAND = 'A command works on the embedded database: waiting for its end'

const stillStarting = (dataDir: string, cause: unknown) =>
  new TouchstoneError(
    'not-ready',
    `the gate on ${dataDir} is still starting, and its embedded database is not made yet`,
    { cause },
  )

async function opened(url: string, server: EmbeddedPostgres | undefined, options: OpenOptions): Promise<OpenDatabase> {
  try {
    const database = await connect(url, { applicationName: options.applicationName, onError: options.onError })
    try {
      await migrate(database.deciding, 'store', STORE_MIGRATIONS)
      await migrate(database.deciding, 'log', LOG_MIGRATIONS)
    } catch (error) {
      await database.close()
      throw error
    }
    return {
      url,
      database,
      serverPid: server?.pid,
      async close() {
        await database.close()
        await server?.stop()
      },
    }
  } catch (error) {
    await server?.stop().catch((e: unknown) => options.say(`the embedded server did not stop: ${messageOf(e)}`))
    throw error
  }
}
