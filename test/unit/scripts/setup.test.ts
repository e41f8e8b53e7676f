// Real: scripts/setup.mjs as a process. Simulated: npm, by a small program that notes how it was called.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const LOCK = {
  packages: {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b-darwin-arm64': { version: '1.0.0', optional: true },
  },
}
const INSTALLED = { packages: { 'node_modules/a': { version: '1.0.0' } } }

interface Clone {
  readonly root: string
  /** What npm was called with, or undefined when it was not. */
  npmCall(): string | undefined
  setup(nodeVersion?: string): { status: number | null; out: string }
}

/** A clone with this record of what is installed; its npm installs `afterNpm`, or fails. */
function clone(installed: object | string | undefined, afterNpm: object | 'fails' = INSTALLED): Clone {
  const root = mkdtempSync(join(tmpdir(), 'touchstone-setup-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const directory of ['scripts', 'bin', 'node_modules/.bin', 'node_modules/node/bin'])
    mkdirSync(join(root, directory), { recursive: true })
  copyFileSync(fileURLToPath(new URL('../../../scripts/setup.mjs', import.meta.url)), join(root, 'scripts/setup.mjs'))
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(LOCK))
  writeFileSync(join(root, 'node_modules/node/bin/node'), '')
  const record = join(root, 'node_modules/.package-lock.json')
  if (installed !== undefined)
    writeFileSync(record, typeof installed === 'string' ? installed : JSON.stringify(installed))
  const npm = join(root, 'bin/npm')
  const effect = afterNpm === 'fails' ? 'exit 1' : `echo '${JSON.stringify(afterNpm)}' > '${record}'`
  writeFileSync(npm, `#!/bin/sh\necho "$@" > '${root}/npm-call'\necho "$PATH" > '${root}/npm-path'\n${effect}\n`)
  chmodSync(npm, 0o755)
  return {
    root,
    npmCall: () =>
      existsSync(join(root, 'npm-call')) ? readFileSync(join(root, 'npm-call'), 'utf8').trim() : undefined,
    setup(nodeVersion = process.versions.node) {
      const version = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${nodeVersion}"}})`
      const env = { PATH: `${join(root, 'node_modules/.bin')}:${join(root, 'bin')}:/usr/bin:/bin` }
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--import', version, join(root, 'scripts/setup.mjs')],
        { env, encoding: 'utf8' },
      )
      return { status, out: stdout + stderr }
    },
  }
}

test('a fresh clone is installed from the lock file, and npm does not run on the Node that it replaces', () => {
  const fresh = clone(undefined)
  const { status, out } = fresh.setup()
  expect(status).toBe(0)
  expect(out).toContain('nothing is installed yet')
  expect(fresh.npmCall()).toMatch(/^ci /)
  expect(readFileSync(join(fresh.root, 'npm-path'), 'utf8')).not.toContain('node_modules')
})

test('what is installed already is left alone, in silence', () => {
  const ready = clone(INSTALLED)
  expect(ready.setup()).toEqual({ status: 0, out: '' })
  expect(ready.npmCall()).toBeUndefined()
})

test('a changed lock file and a damaged record are installed again', () => {
  const changed = clone({ packages: { 'node_modules/a': { version: '0.9.0' } } })
  expect(changed.setup().out).toContain('the lock file has changed')
  expect(changed.npmCall()).toMatch(/^ci /)
  const damaged = clone('{"packages":')
  expect(damaged.setup().out).toContain('cannot be read')
  expect(damaged.npmCall()).toMatch(/^ci /)
})

test('nothing starts when npm fails or installs something else', () => {
  const failing = clone(undefined, 'fails').setup()
  expect(failing.status).toBe(1)
  expect(failing.out).toMatch(/npm ci failed.*Nothing was started/)
  const wrong = clone(undefined, { packages: {} }).setup()
  expect(wrong.status).toBe(1)
  expect(wrong.out).toMatch(/after npm ci the lock file has changed/)
})

test('a Node below 20, or one below 24 with no newer one installed, is told what to do', () => {
  const old = clone(INSTALLED)
  expect(old.setup('18.19.0')).toMatchObject({
    status: 1,
    out: expect.stringContaining('needs Node 20 or newer') as string,
  })
  expect(old.setup('20.1.0').status).toBe(0)
  rmSync(join(old.root, 'node_modules/node'), { recursive: true })
  expect(old.setup('20.1.0')).toMatchObject({ status: 1, out: expect.stringContaining('npm rebuild node') as string })
  expect(old.setup('24.0.0').status).toBe(0)
})
