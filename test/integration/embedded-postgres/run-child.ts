// Starts child.ts as a process of its own, reads what it says, and leaves nothing behind.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { waitUntilGone } from '../../../src/adapters/embedded-postgres/process-table.ts'

export interface Said {
  readonly url?: string
  readonly pid?: number
  readonly adopted?: boolean
  readonly failed?: string
  readonly message?: string
  readonly log?: string
  readonly interrupted?: boolean
}

export interface Child {
  readonly process: ChildProcess
  /** Everything it has said so far. */
  readonly lines: readonly Said[]
  /** The first line, past or to come, that `match` accepts; rejects when the process ends without it. */
  said(match: (line: Said) => boolean): Promise<Said>
  /** Where the server is, or the failure to start. */
  outcome(): Promise<Said>
  kill(signal: NodeJS.Signals): Promise<void>
  /** Stops the server in good order. */
  stop(): Promise<void>
}

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

export function runChild(
  dataDir: string,
  options: { settings?: object; script?: string; spawn?: SpawnOptions } = {},
): Child {
  const args = [options.script ?? CHILD, dataDir, JSON.stringify(options.settings ?? {})]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options.spawn })
  const lines: Said[] = []
  const waiting = new Set<() => void>()
  let errors = ''
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdin?.on('error', () => {})
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(JSON.parse(line) as Said)
      for (const look of waiting) look()
    })
  }
  const said = (match: (line: Said) => boolean) =>
    new Promise<Said>((found, fail) => {
      const look = () => {
        const line = lines.find(match)
        if (line === undefined) return
        waiting.delete(look)
        found(line)
      }
      waiting.add(look)
      look()
      void ended.then(() => fail(new Error(`the child ended: ${JSON.stringify(lines)} ${errors}`)))
    })
  return {
    process: child,
    lines,
    said,
    outcome: () => said((line) => line.url !== undefined || line.failed !== undefined),
    async kill(signal) {
      child.kill(signal)
      await ended
    },
    async stop() {
      child.stdin?.write('stop\n')
      await ended
    },
  }
}

/** A directory for one test; any server that still works in it when the test ends is ended, then it is removed. */
export function freshDataDir(): string {
  const parent = mkdtempSync(join(tmpdir(), 'touchstone-embedded-'))
  // As root the server runs as another user, who must get in.
  chmodSync(parent, 0o711)
  const dataDir = join(parent, 'data')
  onTestFinished(async () => {
    await endServerIn(dataDir)
    rmSync(parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  })
  return dataDir
}

/** Where PostgreSQL keeps the data of a Touchstone data directory. */
export function pgdataIn(dataDir: string): string | undefined {
  const record = join(dataDir, 'postgres.json')
  if (!existsSync(record)) return undefined
  return join(resolve(dataDir, (JSON.parse(readFileSync(record, 'utf8')) as { home: string }).home), 'pgdata')
}

export async function endServerIn(dataDir: string): Promise<void> {
  const pgdata = pgdataIn(dataDir)
  const pidFile = pgdata === undefined ? undefined : join(pgdata, 'postmaster.pid')
  if (pidFile === undefined || !existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  try {
    process.kill(pid, 'SIGQUIT')
  } catch {
    return
  }
  await waitUntilGone(pid, 10_000)
}

export async function query<Row extends pg.QueryResultRow>(url: string | undefined, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}
