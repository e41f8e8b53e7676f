// The address of the embedded server that a running Touchstone has, for commands that work beside it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pgdataOf, readRecord, SUPERUSER } from './cluster.ts'
import { DATABASE } from './embedded-postgres.ts'
import { isAlive } from './process-table.ts'
import { TouchstoneError } from '../../errors.ts'

/** undefined when no server of this data directory runs, or may be seen by this user; nothing is started or locked. */
export function runningEmbeddedPostgres(dataDir: string): { readonly url: string } | undefined {
  const record = readRecord(dataDir)
  if (record === undefined) return undefined
  let lines: string[]
  try {
    lines = readFileSync(join(pgdataOf(record), 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return undefined
  }
  const pid = Number(lines[0])
  const port = Number(lines[3])
  if (!Number.isInteger(pid) || !isAlive(pid) || !(port > 0)) return undefined
  return { url: `postgres://${SUPERUSER}:${record.password}@127.0.0.1:${port}/${DATABASE}` }
}

/** 57P03: it starts, recovers or ends; 57P01: it ends; 3D000: our database in it is not made yet. */
const PASSING: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P03', '3D000'])
/** All that the driver says of a server that ended while it signed in. */
const ENDED = 'Connection terminated unexpectedly'

/** What is met beside another that is just starting or ending: the directory is taken and no server runs, or one that is not ready. */
export function isPassing(error: unknown): boolean {
  if (error instanceof TouchstoneError && error.code === 'already-running') return true
  const reason = error instanceof TouchstoneError ? error.cause : error
  return reason instanceof Error && (reason.message === ENDED || ('code' in reason && PASSING.has(reason.code)))
}
