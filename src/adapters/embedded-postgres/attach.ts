// The address of the embedded server that a running Touchstone has, for commands that work beside it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pgdataOf, readRecord, SUPERUSER } from './cluster.ts'
import { DATABASE } from './embedded-postgres.ts'
import { isAlive } from './process-table.ts'

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
