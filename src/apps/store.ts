// The store as the commands open it: the given PostgreSQL, the embedded one, or the one that a running `start` has.
import { setTimeout as sleep } from 'node:timers/promises'
import { isStarting, runningEmbeddedPostgres } from '../adapters/embedded-postgres/attach.ts'
import { isBrieflyTaken } from '../adapters/embedded-postgres/data-dir-lock.ts'
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
  /** Milliseconds to wait for a `start` that is not ready yet; and a `start` for a command that came before it. */
  readonly startingMs?: number
}

/** A first start makes its database in 2 to 4 s; several times that where the machine is busy. */
const STARTING_MS = 30_000
const AGAIN_MS = 100

/** @throws TouchstoneError `not-ready` where the `start` that has the data directory takes too long. */
export async function openDatabase(config: Config, options: OpenOptions): Promise<OpenDatabase> {
  const { DATABASE_URL: given, TOUCHSTONE_DATA_DIR: dataDir } = config
  if (given !== undefined) return await opened(given, undefined, options)
  const { beside } = options
  const until = performance.now() + (options.startingMs ?? STARTING_MS)
  for (let told = false; ; told = true) {
    try {
      const running = beside ? runningEmbeddedPostgres(dataDir) : undefined
      if (running !== undefined) return await opened(running.url, undefined, options)
      const server = await startEmbeddedPostgres({ dataDir, log: options.say, brief: beside })
      return await opened(server.url, server, options)
    } catch (error) {
      if (beside ? !isStarting(error) : !isBrieflyTaken(error)) throw error
      if (performance.now() >= until) throw beside ? stillStarting(dataDir, error) : error
      if (!told) options.say(beside ? WAITING_FOR_START : WAITING_FOR_COMMAND)
      await sleep(AGAIN_MS)
    }
  }
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
