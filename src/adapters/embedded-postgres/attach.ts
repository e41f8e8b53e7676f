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

/** 57P03: it starts or recovers; 3D000: our database in it is not made yet. */
const STARTING: ReadonlySet<unknown> = new Set(['ECONNREFUSED', '57P03', '3D000'])

/** What is met beside a gate that is just starting: its directory is taken and no server runs, or one that is not ready. */
export function isStarting(error: unknown): boolean {
  if (!(error instanceof TouchstoneError)) return false
  if (error.code === 'already-running') return true
  return error.cause instanceof Error && 'code' in error.cause && STARTING.has(error.cause.code)
}
