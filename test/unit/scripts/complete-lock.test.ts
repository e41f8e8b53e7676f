// Real: scripts/complete-lock.mjs as a process. Made up: the lock file and what package.json allows.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

test('of packages whose scripts are refused the lock file says nothing of a script, wherever they lie, so that npm 10 runs none', () => {
  const root = mkdtempSync(join(tmpdir(), 'touchstone-lock-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'scripts'))
  const script = fileURLToPath(new URL('../../../scripts/complete-lock.mjs', import.meta.url))
  copyFileSync(script, join(root, 'scripts/complete-lock.mjs'))
  const entry = { version: '1.0.0', hasInstallScript: true }
  const paths = ['node_modules/runs', 'node_modules/@of/refused', 'node_modules/runs/node_modules/also-refused']
  const lock = { packages: Object.fromEntries([['', {}], ...paths.map((path) => [path, entry])]) }
  const allowScripts = { runs: true, '@of/refused': false, 'also-refused': false }
  writeFileSync(join(root, 'package.json'), JSON.stringify({ allowScripts }))
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(lock))
  const run = (...given: string[]) =>
    spawnSync(process.execPath, [join(root, 'scripts/complete-lock.mjs'), ...given], { encoding: 'utf8' })

  const before = run('--check')
  expect([before.status, before.stderr.match(/node_modules\S*(?=:)/g)]).toEqual([1, paths.slice(1)])
  run()
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as typeof lock
  expect(packages).toEqual({
    '': {},
    [paths[0] ?? '']: entry,
    [paths[1] ?? '']: { version: '1.0.0' },
    [paths[2] ?? '']: { version: '1.0.0' },
  })
  expect(run('--check').status).toBe(0)
})
