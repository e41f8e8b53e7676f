// The database cluster on disk: made once, complete or not at all, with a password of its own.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { TouchstoneError, messageOf } from '../../errors.ts'
import { own, placeForData, type Account } from './account.ts'
import type { Binaries } from './binaries.ts'

const recordSchema = z.object({
  /** The directory that holds the cluster: absolute here; relative in the file when inside the data directory, which may be moved. */
  home: z.string(),
  password: z.string().min(1),
})
/** `postgres.json` in the data directory. */
export type ClusterRecord = z.infer<typeof recordSchema>

export const SUPERUSER = 'touchstone'

const recordFile = (dataDir: string): string => join(dataDir, 'postgres.json')

/** PostgreSQL's own data directory. */
export const pgdataOf = (record: ClusterRecord): string => join(record.home, 'pgdata')

export function readRecord(dataDir: string): ClusterRecord | undefined {
  const file = recordFile(dataDir)
  if (!existsSync(file)) return undefined
  try {
    const record = recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return { ...record, home: resolve(dataDir, record.home) }
  } catch (error) {
    throw new TouchstoneError(
      'database-unavailable',
      `${file} cannot be read (${error instanceof z.ZodError || error instanceof SyntaxError ? 'it is damaged' : messageOf(error)}). It holds the password of the embedded database: restore it from a backup, or move ${dataDir} away to begin anew.`,
      { cause: error },
    )
  }
}

/** Chooses place and password and writes them down, before there is anything that would need them. */
export function createRecord(account: Account, dataDir: string): ClusterRecord {
  const home = placeForData(account, dataDir)
  if (existsSync(join(home, 'pgdata'))) {
    throw new TouchstoneError(
      'database-unavailable',
      `${home} holds a database, but ${recordFile(dataDir)} with its password is missing. Restore that file, or move ${home} away to begin anew.`,
    )
  }
  const record = { home, password: randomBytes(24).toString('base64url') }
  const draft = `${recordFile(dataDir)}.new`
  rmSync(draft, { force: true })
  const inside = relative(dataDir, home)
  const kept = { ...record, home: inside.startsWith('..') ? home : inside }
  writeFileSync(draft, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(draft, recordFile(dataDir))
  return record
}

/** Takes away what starts left that were killed half-way; called by every start. */
export function clearDrafts(record: ClusterRecord): void {
  if (!existsSync(record.home)) return
  for (const left of readdirSync(record.home).filter((name) => name.startsWith('initdb-'))) {
    try {
      rmSync(join(record.home, left), { recursive: true, force: true, maxRetries: 3 })
    } catch {
      // An initdb that outlived its parent may still be writing there; the next start takes it away.
    }
  }
}

/** Runs initdb aside and moves its result into place, so that a start that was killed half-way leaves nothing in the way. */
export async function initialise(binaries: Binaries, account: Account, record: ClusterRecord): Promise<void> {
  const draft = mkdtempSync(join(record.home, 'initdb-'))
  own(account, draft)
  try {
    const passwordFile = join(draft, 'password')
    writeFileSync(passwordFile, record.password, { mode: 0o600 })
    own(account, passwordFile)
    const pgdata = join(draft, 'pgdata')
    mkdirSync(pgdata, { mode: 0o700 })
    own(account, pgdata)
    await runInitdb(binaries, account, pgdata, passwordFile)
    renameSync(pgdata, pgdataOf(record))
  } finally {
    rmSync(draft, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function runInitdb(binaries: Binaries, account: Account, pgdata: string, passwordFile: string): Promise<void> {
  const child = spawn(
    binaries.initdb,
    // The built-in locale sorts by code point, on every machine alike, whatever its C library thinks.
    ['-D', pgdata, '-U', SUPERUSER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'].concat([
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
    ]),
    // A group of its own: Ctrl-C in the terminal is for us to handle.
    {
      ...account.ids,
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    },
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  const failure = await new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `exit ${code ?? signal}`))
  })
  if (failure === undefined) return
  throw new TouchstoneError(
    'database-unavailable',
    `The embedded database could not be created (${failure}): ${said.trim().split('\n').slice(-3).join(' ')}. Check free disk space and rights, or set DATABASE_URL.`,
  )
}
