// Opens the log in PostgreSQL for a process of its own; the argument is JSON of its options.
import { createPostgresLog, type PostgresLogOptions } from '../../src/adapters/postgres-log/postgres-log.ts'
import type { Log } from '../../src/pipeline/log/ports.ts'

export async function open(argument: string): Promise<Log> {
  return createPostgresLog(JSON.parse(argument) as PostgresLogOptions)
}
