// Commands beside a gate that is just starting. Real: PostgreSQL, the lock of the data directory, the gate's own way to its store.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { lockDataDir } from '../../../src/adapters/embedded-postgres/data-dir-lock.ts'
import { startEmbeddedPostgres } from '../../../src/adapters/embedded-postgres/embedded-postgres.ts'
import { openDatabase } from '../../../src/apps/store.ts'
import { readConfig } from '../../../src/config.ts'
import { freshDataDir, query } from './run-child.ts'

function open(dataDir: string, how: { beside: boolean; startingMs?: number }) {
  const said: string[] = []
  const told: string[] = []
  const opening = openDatabase(readConfig({ TOUCHSTONE_DATA_DIR: dataDir }), {
    applicationName: 'touchstone test',
    say: (message) => said.push(message),
    onError: ({ message }) => told.push(message),
    ...how,
  })
  opening.catch(() => undefined)
  return { said, told, opening }
}
const beside = (dataDir: string, startingMs?: number) =>
  open(dataDir, { beside: true, ...(startingMs === undefined ? {} : { startingMs }) })
const NEVER_MADE = { code: 'not-ready', message: expect.stringContaining('is still starting') as string }

test('a start that does not get anywhere is named as such: nothing is wrong with settings that nobody made', async () => {
  const dataDir = freshDataDir()
  const lock = lockDataDir(dataDir)
  const { said, opening } = beside(dataDir, 0)
  await expect(opening).rejects.toMatchObject(NEVER_MADE)
  expect(said).toEqual([])
  lock.release()
})

test('a command waits for the database of a first start, and goes on when it is made', async () => {
  const dataDir = freshDataDir()
  const server = await startEmbeddedPostgres({ dataDir, log: () => undefined })
  const all = new URL(server.url)
  all.pathname = '/postgres'
  await query(all.href, 'drop database touchstone')
  await expect(beside(dataDir, 0).opening).rejects.toMatchObject(NEVER_MADE)
  const { said, opening } = beside(dataDir)
  await expect.poll(() => said).toEqual(['The gate is just starting: waiting for its embedded database'])
  await query(all.href, 'create database touchstone')
  const open = await opening
  expect((await open.database.reading.query('select 1')).rowCount).toBe(1)
  await open.close()
  await server.stop()
})

test('a server that refuses for another reason is not waited for', async () => {
  const dataDir = freshDataDir()
  const server = await startEmbeddedPostgres({ dataDir, log: () => undefined })
  await query(server.url, `alter user touchstone password 'other'`)
  await expect(beside(dataDir).opening).rejects.toMatchObject({ code: 'database-unavailable' })
  await server.stop()
})

test('a start waits for a command that came a moment before it, and not for another gate', async () => {
  const dataDir = freshDataDir()
  const gate = lockDataDir(dataDir)
  await expect(open(dataDir, { beside: false }).opening).rejects.toMatchObject({ code: 'already-running' })
  gate.release()
  const command = lockDataDir(dataDir, true)
  await expect(open(dataDir, { beside: false, startingMs: 0 }).opening).rejects.toMatchObject({
    code: 'already-running',
    message: expect.stringContaining(`${process.pid}, a command`) as string,
  })
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { said, told, opening } = open(dataDir, { beside: false })
  await expect.poll(() => said).toEqual(['A command works on the embedded database: waiting for its end'])
  // Longer than a start takes: an import takes minutes. It asks ten times a second.
  vi.advanceTimersByTime(300_000)
  expect(await Promise.race([opening.catch((error: unknown) => error), pause(700, 'waits')])).toBe('waits')
  vi.useRealTimers()
  command.release()
  const { database, close } = await opening
  // What the server says of its end to connections that are just ending is no news to anybody.
  const client = await database.reading.connect()
  client.release()
  const error = new Error('terminating connection due to administrator command')
  client.emit('error', error)
  const before = [...told]
  await close()
  client.emit('error', error)
  expect(before).toContain(error.message)
  expect(told).toEqual(before)
})

test('a command that finds another at work waits for its end: the server of a command ends with it', async () => {
  const dataDir = freshDataDir()
  const first = await beside(dataDir).opening
  const { said, opening } = beside(dataDir)
  let opened = false
  opening.then(
    () => (opened = true),
    () => undefined,
  )
  await expect.poll(() => said).toEqual(['A command works on the embedded database: waiting for its end'])
  expect(opened).toBe(false)
  await first.close()
  const second = await opening
  expect((await second.database.reading.query('select 1')).rowCount).toBe(1)
  await expect(beside(dataDir, 0).opening).rejects.toMatchObject({
    code: 'already-running',
    message: expect.stringContaining(`${process.pid}, a command`) as string,
  })
  await second.close()
})

test.each([
  ['nobody is named', undefined],
  ['a gate that was killed is named', ''],
  ['a command that was killed is named', ', a command'],
])(
  'between taking the lock and saying who has it, when %s, nobody is known to have it: a start asks again',
  async (_when, left) => {
    const dataDir = freshDataDir()
    const lock = lockDataDir(dataDir)
    rmSync(join(dataDir, 'touchstone.pid'))
    // One that has ended, and was waited for.
    const { pid } = spawnSync(process.execPath, ['--version'])
    if (left !== undefined) writeFileSync(join(dataDir, 'touchstone.pid'), `${pid}${left}\n`)
    await expect(beside(dataDir, 0).opening).rejects.toMatchObject(NEVER_MADE)
    await expect(open(dataDir, { beside: false, startingMs: 0 }).opening).rejects.toMatchObject({
      message: expect.stringContaining('pid not yet known') as string,
    })
    const { opening } = open(dataDir, { beside: false })
    const first = await Promise.race([opening.catch((error: unknown) => error), pause(700, 'waits')])
    expect(first).toBe('waits')
    lock.release()
    await (await opening).close()
  },
)

test('a command does not attach to a server that a killed gate left, while another command is about to stop it', async () => {
  const dataDir = freshDataDir()
  const server = await startEmbeddedPostgres({ dataDir, log: () => undefined, brief: true })
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(join(dataDir, 'touchstone.pid'), `${pid}\n`)
  await expect(beside(dataDir, 0).opening).rejects.toMatchObject({ code: 'not-ready' })
  await server.stop()
})

test('a gate that ends while a command signs in is waited for like one that starts', async () => {
  const dataDir = freshDataDir()
  const server = createServer((socket) => socket.on('error', () => undefined).destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const gate = lockDataDir(dataDir)
  mkdirSync(join(dataDir, 'pgdata'))
  writeFileSync(join(dataDir, 'postgres.json'), JSON.stringify({ home: '.', password: 'secret' }))
  const pidFile = join(dataDir, 'pgdata', 'postmaster.pid')
  writeFileSync(pidFile, [process.pid, dataDir, 0, port, ''].join('\n'))
  try {
    await expect(beside(dataDir, 0).opening).rejects.toMatchObject(NEVER_MADE)
  } finally {
    // What tidies up would end the process that it names.
    rmSync(pidFile)
    await new Promise((resolve) => server.close(resolve))
    gate.release()
  }
})
