// Real: PostgreSQL, the file system, processes. What the embedded server is like when nothing goes wrong, and its refusals.
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startEmbeddedPostgres } from '../../../src/adapters/embedded-postgres/embedded-postgres.ts'
import { isAlive } from '../../../src/adapters/embedded-postgres/process-table.ts'
import { freshDataDir, pgdataIn, query, runChild } from './run-child.ts'

test('a server of our own: durable, on the loopback address, behind a password; and data that stay', async () => {
  const dataDir = freshDataDir()
  const log: string[] = []
  const first = await startEmbeddedPostgres({ dataDir, log: (line) => log.push(line) })
  expect(log.join('\n')).toContain('Creating the embedded database')
  const settings = await query<{ name: string; setting: string }>(
    first.url,
    `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'password_encryption', 'server_encoding', 'data_checksums')`,
  )
  expect(Object.fromEntries(settings.map((s) => [s.name, s.setting]))).toEqual({
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    listen_addresses: '127.0.0.1',
    password_encryption: 'scram-sha-256',
    server_encoding: 'UTF8',
    data_checksums: 'on',
  })
  const wrong = new URL(first.url)
  wrong.password = 'guess'
  await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed')
  expect(statSync(join(dataDir, 'postgres.json')).mode & 0o077).toBe(0)
  await query(first.url, 'create table kept as select 42 as n')
  await first.stop()
  await first.stop()
  expect(isAlive(first.pid)).toBe(false)

  log.length = 0
  const second = await startEmbeddedPostgres({ dataDir, log: (line) => log.push(line) })
  expect(second.adopted).toBe(false)
  expect(log.join('\n')).not.toContain('Creating')
  expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }])
  await second.stop()
})

test('a data directory may be moved', async () => {
  const dataDir = freshDataDir()
  const first = await startEmbeddedPostgres({ dataDir, log: () => {} })
  await query(first.url, 'create table kept as select 42 as n')
  await first.stop()
  renameSync(dataDir, `${dataDir}-moved`)
  const moved = await startEmbeddedPostgres({ dataDir: `${dataDir}-moved`, log: () => {} })
  expect(await query(moved.url, 'select n from kept')).toEqual([{ n: 42 }])
  await moved.stop()
})

test('a second start names the process that has the directory, and leaves it in peace', async () => {
  const dataDir = freshDataDir()
  const first = runChild(dataDir)
  const { url } = await first.outcome()
  const second = await runChild(dataDir).outcome()
  expect(second.failed).toBe('already-running')
  expect(second.message).toContain(`pid ${first.process.pid}`)
  expect(second.message).toContain(dataDir)
  // Within one process too, where a lock by process would let it pass.
  await first.stop()
  const here = await startEmbeddedPostgres({ dataDir, log: () => {} })
  await expect(startEmbeddedPostgres({ dataDir, log: () => {} })).rejects.toMatchObject({ code: 'already-running' })
  expect(await query(here.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await here.stop()
  expect(url).toBeDefined()
})

test('of several first starts at the same moment exactly one wins', async () => {
  const dataDir = freshDataDir()
  const children = Array.from({ length: 4 }, () => runChild(dataDir))
  const outcomes = await Promise.all(children.map((child) => child.outcome()))
  expect(outcomes.filter((o) => o.url !== undefined)).toHaveLength(1)
  expect(outcomes.filter((o) => o.failed === 'already-running')).toHaveLength(3)
  await Promise.all(children.map((child) => child.stop()))
})

test('a lost or damaged password file says what to do instead of beginning anew', async () => {
  const dataDir = freshDataDir()
  await (await startEmbeddedPostgres({ dataDir, log: () => {} })).stop()
  const file = join(dataDir, 'postgres.json')
  const good = readFileSync(file, 'utf8')
  writeFileSync(file, good.slice(0, 10))
  await expect(startEmbeddedPostgres({ dataDir, log: () => {} })).rejects.toThrow(
    /postgres\.json cannot be read .*restore it/,
  )
  rmSync(file)
  await expect(startEmbeddedPostgres({ dataDir, log: () => {} })).rejects.toThrow(
    /postgres\.json with its password is missing/,
  )
  writeFileSync(file, good)
  await (await startEmbeddedPostgres({ dataDir, log: () => {} })).stop()
})

test('a server that cannot start says why, where its log is, and frees the directory', async () => {
  const dataDir = freshDataDir()
  const start = startEmbeddedPostgres({ dataDir, log: () => {}, settings: { shared_buffers: 'much' } })
  await expect(start).rejects.toMatchObject({ code: 'database-unavailable' })
  await expect(start).rejects.toThrow(/shared_buffers[\s\S]*postgres\.log/)
  await (await startEmbeddedPostgres({ dataDir, log: () => {} })).stop()
})

test('a data directory that is a file is refused with the setting to change', async () => {
  const dataDir = freshDataDir()
  writeFileSync(dataDir, '')
  await expect(startEmbeddedPostgres({ dataDir, log: () => {} })).rejects.toThrow(/TOUCHSTONE_DATA_DIR/)
  rmSync(dataDir)
  mkdirSync(dataDir)
  chmodSync(dataDir, 0o500)
  if (process.getuid?.() === 0) return
  await expect(startEmbeddedPostgres({ dataDir, log: () => {} })).rejects.toMatchObject({ code: 'settings-invalid' })
  expect(pgdataIn(dataDir)).toBeUndefined()
})
