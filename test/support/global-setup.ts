// Starts the PostgreSQL of a test run, or uses the one of DATABASE_URL, and tells the tests where it is.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres/embedded-postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server whose user may create databases; tests take one of their own from support/database.ts. */
    serverUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['DATABASE_URL']
  if (given !== undefined && given !== '') {
    project.provide('serverUrl', given)
    return async () => {}
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'touchstone-test-'))
  const server = await startEmbeddedPostgres({
    dataDir,
    log: () => {},
    // Its data never outlive the run. TOUCHSTONE_TEST_FSYNC=on makes it as slow and as durable as production.
    settings: { fsync: process.env['TOUCHSTONE_TEST_FSYNC'] ?? 'off', max_connections: '200' },
  })
  const forget = dieWithUs(server.pid, dataDir)
  project.provide('serverUrl', server.url)
  return async () => {
    await server.stop()
    forget()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/**
 * The server is in a session of its own and would outlive a killed test run. A shell waits for the end of a pipe that
 * only we hold: whatever ends us closes it, and the shell then ends the server and removes its data.
 */
function dieWithUs(pid: number, dataDir: string): () => void {
  const script = 'read -r done; [ "$done" = done ] && exit; kill -QUIT "$1"; sleep 1; rm -rf "$2"'
  const watch = spawn('/bin/sh', ['-c', script, 'sh', String(pid), dataDir], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watch.unref()
  watch.stdin.on('error', () => {})
  return () => watch.stdin.end('done\n')
}
