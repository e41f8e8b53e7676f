// The store as the commands open it: the given PostgreSQL, the embedded one, or the one that a running `start` has.
import { runningEmbeddedPostgres } from '../adapters/embedded-postgres/attach.ts'
import { startEmbeddedPostgres } from '../adapters/embedded-postgres/embedded-postgres.ts'
import { connect, type Database } from '../adapters/postgres/connect.ts'
import { migrate } from '../adapters/postgres/migrate.ts'
import { STORE_MIGRATIONS } from '../adapters/postgres/migrations.ts'
import { LOG_MIGRATIONS } from '../adapters/postgres-log/migrations.ts'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'

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
}

export async function openDatabase(config: Config, options: OpenOptions): Promise<OpenDatabase> {
  const running =
    options.beside && config.DATABASE_URL === undefined
      ? runningEmbeddedPostgres(config.TOUCHSTONE_DATA_DIR)
      : undefined
  const given = config.DATABASE_URL ?? running?.url
  const server =
    given === undefined
      ? await startEmbeddedPostgres({ dataDir: config.TOUCHSTONE_DATA_DIR, log: options.say })
      : undefined
  const url = given ?? server?.url ?? ''
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
