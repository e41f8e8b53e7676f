// Real: PostgreSQL and processes that are killed outright. However a run ended, the next one starts, with all its data.
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startEmbeddedPostgres } from '../../../src/adapters/embedded-postgres/embedded-postgres.ts'
import { isAlive, waitUntilGone } from '../../../src/adapters/embedded-postgres/process-table.ts'
import { freshDataDir, pgdataIn, query, runChild } from './run-child.ts'

test('after kill -9 of the process the next start takes its server over, rows and all', async () => {
  const dataDir = freshDataDir()
  const first = runChild(dataDir)
  const { url, pid } = await first.outcome()
  await query(url, 'create table kept as select 42 as n')
  await first.kill('SIGKILL')
  expect(isAlive(pid ?? 0)).toBe(true)

  const second = await startEmbeddedPostgres({ dataDir, log: () => {} })
  expect(second).toMatchObject({ adopted: true, pid })
  expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }])
  await second.stop()
  expect(isAlive(pid ?? 0)).toBe(false)
})

test('a process that ends by its own exception takes its server along, and the next starts at once', async () => {
  const dataDir = freshDataDir()
  const first = runChild(dataDir)
  const { url, pid } = await first.outcome()
  await query(url, 'create table kept as select 42 as n')
  const ended = new Promise((resolve) => first.process.once('close', resolve))
  first.process.stdin?.write('crash\n')
  expect(await ended).not.toBe(0)
  const second = await startEmbeddedPostgres({ dataDir, log: () => {} })
  expect(second.adopted).toBe(false)
  expect(isAlive(pid ?? 0)).toBe(false)
  expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }])
  await second.stop()
})

test('a server that was left with other settings is stopped and started anew', async () => {
  const dataDir = freshDataDir()
  const first = runChild(dataDir, { settings: { fsync: 'off' } })
  const { pid } = await first.outcome()
  await first.kill('SIGKILL')
  const second = await startEmbeddedPostgres({ dataDir, log: () => {} })
  expect(second.adopted).toBe(false)
  expect(isAlive(pid ?? 0)).toBe(false)
  expect(await query(second.url, 'show fsync')).toEqual([{ fsync: 'on' }])
  await second.stop()
})

test('the server killed outright and started at once: no row is lost', async () => {
  const dataDir = freshDataDir()
  const first = runChild(dataDir)
  const { url, pid } = await first.outcome()
  await query(url, 'create table kept as select 42 as n')
  process.kill(pid ?? 0, 'SIGKILL')
  await first.kill('SIGKILL')
  const second = await startEmbeddedPostgres({ dataDir, log: () => {} })
  expect(second.adopted).toBe(false)
  expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }])
  await second.stop()
})

test('a pid file whose pid is some other process by now does not stop the start, nor end that process', async () => {
  const dataDir = freshDataDir()
  await (await startEmbeddedPostgres({ dataDir, log: () => {} })).stop()
  const pgdata = pgdataIn(dataDir) ?? ''
  // This test's own pid, which lives and is no server.
  writeFileSync(
    join(pgdata, 'postmaster.pid'),
    `${process.pid}\n${pgdata}\n1700000000\n5432\n\n127.0.0.1\n  1 2\nready   \n`,
  )
  const server = await startEmbeddedPostgres({ dataDir, log: () => {} })
  expect(server.pid).not.toBe(process.pid)
  await server.stop()
})

test('a first start that was killed inside initdb leaves nothing in the way', async () => {
  const dataDir = freshDataDir()
  const first = runChild(dataDir)
  // postgresql.conf is written before the long part, the bootstrap.
  const written = join(dataDir, 'postgres-data', 'initdb-*', 'pgdata', 'postgresql.conf')
  while (globSync(written).length === 0) await sleep(5)
  await first.kill('SIGKILL')
  expect(existsSync(pgdataIn(dataDir) ?? '')).toBe(false)
  const server = await startEmbeddedPostgres({ dataDir, log: () => {} })
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await server.stop()
  // The killed one's draft may outlive a start while its initdb still runs, never a start after that has ended.
  const left = () => readdirSync(join(dataDir, 'postgres-data'))
  for (let tries = 0; left().length > 1 && tries < 20; tries++) {
    await sleep(500)
    await (await startEmbeddedPostgres({ dataDir, log: () => {} })).stop()
  }
  expect(left()).toEqual(['pgdata'])
})

test('Ctrl-C in the terminal does not reach the server before we have drained', async () => {
  const dataDir = freshDataDir()
  // Its own group stands for the terminal's foreground group.
  const child = runChild(dataDir, { spawn: { detached: true } })
  const { url } = await child.outcome()
  process.kill(-(child.process.pid ?? 0), 'SIGINT')
  await child.said((line) => line.interrupted === true)
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
  await child.stop()
})

test('the server of a test run that is killed goes with it, and so do its data', async () => {
  const parent = freshDataDir()
  mkdirSync(parent)
  const script = join(parent, 'run.ts')
  const setup = fileURLToPath(new URL('../../support/global-setup.ts', import.meta.url))
  writeFileSync(
    script,
    `import setup from ${JSON.stringify(setup)}
     await setup({ provide: (_name, url) => process.stdout.write(JSON.stringify({ url }) + '\\n') } as never)
     setInterval(() => {}, 1000)`,
  )
  const env = { ...process.env, TMPDIR: parent, DATABASE_URL: '' }
  const run = runChild(parent, { script, spawn: { env } })
  const { url } = await run.outcome()
  const [directory] = await query<{ data_directory: string }>(url, 'show data_directory')
  const pid = Number(readFileSync(join(directory?.data_directory ?? '', 'postmaster.pid'), 'utf8').split('\n')[0])
  await run.kill('SIGKILL')
  expect(await waitUntilGone(pid, 10_000)).toBe(true)
  while (existsSync(directory?.data_directory ?? '')) await sleep(50)
})
