// The server process: adopt the one that a killed parent left behind, or start one; stop it by its pid.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { TouchstoneError, messageOf } from '../../errors.ts'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { pgdataOf, SUPERUSER, type ClusterRecord } from './cluster.ts'
import { isAlive, waitUntilGone, worksIn } from './process-table.ts'

export interface Running {
  readonly pid: number
  readonly port: number
  readonly adopted: boolean
}

export interface ServerPlan {
  readonly binaries: Binaries
  readonly account: Account
  readonly record: ClusterRecord
  readonly logFile: string
  /** Server settings by name. */
  readonly settings: Readonly<Record<string, string>>
  readonly log: (message: string) => void
}

/** A custom setting that carries what the server was started with, so that one with other settings is not adopted. */
const STAMP = 'touchstone.started_with'
/** A server killed outright frees its shared memory within about 2 s, when its children notice. */
const SHARED_MEMORY_MS = 10_000
/** Recovery after a crash replays the log since the last checkpoint; slow disks need minutes. */
const RECOVERY_MS = 300_000
const LOG_LIMIT_BYTES = 10 * 1024 * 1024

/** Runs with the data directory's lock held, so a server found here is never another Touchstone's. */
export async function runServer(plan: ServerPlan): Promise<Running> {
  return (await adopt(plan)) ?? (await start(plan))
}

/** The adopted server, or undefined when none runs any more. */
async function adopt(plan: ServerPlan): Promise<Running | undefined> {
  const pgdata = realpathSync(pgdataOf(plan.record))
  const pidFile = join(pgdata, 'postmaster.pid')
  const found = readPidFile(pidFile)
  if (found === undefined) return undefined
  if (!isAlive(found.pid) || !worksIn(found.pid, pgdata)) {
    // The pid may be some other process's by now, and PostgreSQL would refuse to start beside it.
    rmSync(pidFile, { force: true })
    return undefined
  }
  // It may have been killed with its parent while still starting up, so it is asked more than once.
  const until = Date.now() + SHARED_MEMORY_MS
  while (Date.now() < until && isAlive(found.pid)) {
    const port = readPidFile(pidFile)?.port
    const answer = port === undefined ? undefined : await ask(plan, port)
    if (port !== undefined && answer === stampOf(plan)) {
      plan.log(`Adopted the PostgreSQL that an earlier run left behind (pid ${found.pid}, port ${port})`)
      return { pid: found.pid, port, adopted: true }
    }
    if (answer !== undefined) break
    await sleep(100)
  }
  if (!isAlive(found.pid)) return undefined
  plan.log(`Stopping the PostgreSQL that an earlier run left behind (pid ${found.pid})`)
  await stopServer(found.pid)
  return undefined
}

function readPidFile(file: string): { pid: number; port: number | undefined } | undefined {
  try {
    // Lines: pid, data directory, start time, port, ... The later ones are written a little later.
    const lines = readFileSync(file, 'utf8').split('\n')
    const pid = Number(lines[0])
    const port = Number(lines[3])
    return Number.isInteger(pid) && pid > 1 ? { pid, port: port > 0 ? port : undefined } : undefined
  } catch {
    return undefined
  }
}

async function start(plan: ServerPlan): Promise<Running> {
  rotate(plan.logFile)
  const until = Date.now() + SHARED_MEMORY_MS
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const logFrom = sizeOf(plan.logFile)
    const child = launch(plan, port)
    const failure = await becomesReady(plan, child, port)
    if (failure === undefined && child.pid !== undefined) return { pid: child.pid, port, adopted: false }
    const said = readFileSync(plan.logFile).subarray(logFrom).toString('utf8')
    // Both pass: the port was taken since we looked, or the children of a killed server have not noticed yet.
    const passing = /could not bind|pre-existing shared memory|lock file "postmaster.pid" already exists/.test(said)
    if (!passing || Date.now() >= until) {
      throw new TouchstoneError(
        'database-unavailable',
        `The embedded PostgreSQL did not start (${failure}). ${tail(said)} The log is ${plan.logFile}. Free disk space and rights are the usual causes; or set DATABASE_URL.`,
      )
    }
    if (attempt === 1) plan.log('Waiting for the remains of an earlier PostgreSQL to go away')
    await sleep(Math.min(100 * 2 ** attempt, 1_000))
  }
}

function launch(plan: ServerPlan, port: number): ChildProcess {
  const settings = { ...plan.settings, port: String(port), [STAMP]: stampOf(plan) }
  const output = openSync(plan.logFile, 'a', 0o600)
  try {
    const child = spawn(
      plan.binaries.postgres,
      [
        '-D',
        realpathSync(pgdataOf(plan.record)),
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      {
        ...plan.account.ids,
        cwd: '/',
        // A session of its own: Ctrl-C in the terminal must not stop it before we have drained.
        detached: true,
        stdio: ['ignore', output, output],
        env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
      },
    )
    child.unref()
    return child
  } finally {
    closeSync(output)
  }
}

/** undefined when it answers, else why not. */
async function becomesReady(plan: ServerPlan, child: ChildProcess, port: number): Promise<string | undefined> {
  let ended: string | undefined
  child.once('error', (error) => (ended = messageOf(error)))
  child.once('exit', (code, signal) => (ended = `exit ${code ?? signal}`))
  const begun = Date.now()
  let spokenAt = begun
  while (Date.now() - begun < RECOVERY_MS) {
    if ((await ask(plan, port)) === stampOf(plan)) return undefined
    if (ended !== undefined) return ended
    if (Date.now() - spokenAt > 5_000) {
      plan.log(`PostgreSQL is recovering, ${Math.round((Date.now() - begun) / 1000)} s so far`)
      spokenAt = Date.now()
    }
    await sleep(25)
  }
  if (child.pid !== undefined) await stopServer(child.pid)
  return `not ready after ${RECOVERY_MS / 1000} s`
}

/** The stamp of the server on that port if it takes our password; '' if it is someone else's; undefined if it does not answer. */
async function ask(plan: ServerPlan, port: number): Promise<string | undefined> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password: plan.record.password,
    database: 'postgres',
    connectionTimeoutMillis: 2_000,
    query_timeout: 5_000,
  })
  // A server that dies under an idle connection says so here; the next query tells us anyway.
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ stamp: string | null }>('select current_setting($1, true) as stamp', [STAMP])
    return rows[0]?.stamp ?? ''
  } catch (error) {
    // 28…: it answers and refuses our password.
    return error instanceof pg.DatabaseError && error.code?.startsWith('28') === true ? '' : undefined
  } finally {
    await client.end().catch(() => {})
  }
}

/** What must be equal for a server to be taken over: its program and its settings. */
function stampOf(plan: ServerPlan): string {
  const settings = Object.entries(plan.settings).sort(([a], [b]) => (a < b ? -1 : 1))
  return [plan.binaries.postgres, ...settings.map(([name, value]) => `${name}=${value}`)].join(' ')
}

/** False when the server is gone already. */
export function signalServer(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (!isAlive(pid)) return false
    throw new TouchstoneError(
      'database-unavailable',
      `PostgreSQL (pid ${pid}) cannot be stopped by this user: ${messageOf(error)}. Stop it by hand.`,
      { cause: error },
    )
  }
}

/** Fast shutdown (running transactions are rolled back), then ever harder; resolves when the process is gone. */
export async function stopServer(pid: number): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!signalServer(pid, signal)) return
    if (await waitUntilGone(pid, patience)) return
  }
  throw new TouchstoneError('database-unavailable', `PostgreSQL (pid ${pid}) does not end. Stop it by hand.`)
}

/** Another process may take it before the server does; `start` then tries the next. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return address.port
}

function rotate(logFile: string): void {
  if (sizeOf(logFile) > LOG_LIMIT_BYTES) renameSync(logFile, `${logFile}.1`)
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-4).join(' ')
}
