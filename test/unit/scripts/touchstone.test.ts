// Real: the command's launcher as a process, in a small package. Simulated: that the Node which starts it is an old one.
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

/** A package with the launcher and these files. */
function packageWith(files: Readonly<Record<string, string>>, options: { node?: boolean } = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'touchstone-launcher-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  mkdirSync(join(root, 'scripts'))
  copyFileSync(
    fileURLToPath(new URL('../../../scripts/touchstone.mjs', import.meta.url)),
    join(root, 'scripts/touchstone.mjs'),
  )
  if (options.node === true) {
    mkdirSync(join(root, 'node_modules/node/bin'), { recursive: true })
    symlinkSync(process.execPath, join(root, 'node_modules/node/bin/node'))
  }
  return root
}

const AS_NODE_20 =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})'

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

function launch(
  root: string,
  args: readonly string[],
  options: { old?: boolean; kill?: NodeJS.Signals; env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const child = spawn(
    process.execPath,
    [...(options.old === true ? ['--import', AS_NODE_20] : []), join(root, 'scripts/touchstone.mjs'), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.env === undefined ? {} : { env: { PATH: process.env['PATH'], ...options.env } }),
    },
  )
  let out = ''
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (options.kill !== undefined && out.includes('ready')) child.kill(options.kill)
  })
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, out, err })))
}

test('a checkout runs its sources, an installed package its dist', async () => {
  const checkout = packageWith({
    'src/apps/cli.ts': 'const from: string = "src"; console.log(from)',
    'dist/apps/cli.js': 'console.log("dist")',
  })
  expect((await launch(checkout, [])).out).toBe('src\n')
  const installed = packageWith({ 'dist/apps/cli.js': 'console.log("dist")' })
  expect((await launch(installed, [])).out).toBe('dist\n')
})

test('an older Node hands over to the newer one that npm installed: arguments and exit code pass', async () => {
  const root = packageWith(
    {
      'src/apps/cli.ts':
        'console.log(JSON.stringify([process.versions.node.split(".")[0], ...process.argv.slice(2)])); process.exitCode = 3',
    },
    { node: true },
  )
  const ended = await launch(root, ['screen', '--input', 'a b'], { old: true })
  expect(JSON.parse(ended.out)).toEqual([process.versions.node.split('.')[0], 'screen', '--input', 'a b'])
  expect(ended.code).toBe(3)
})

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s reaches the command, which ends in its own way',
  async (signal) => {
    const root = packageWith(
      {
        'src/apps/cli.ts': `process.on('${signal}', () => { console.log('drained'); process.exit(7) }); setInterval(() => {}, 1000); console.log('ready')`,
      },
      { node: true },
    )
    const ended = await launch(root, [], { old: true, kill: signal })
    expect(ended).toMatchObject({ code: 7, out: 'ready\ndrained\n' })
  },
)

test('a command that dies by a signal dies by it for its caller too', async () => {
  const root = packageWith(
    { 'src/apps/cli.ts': `process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)` },
    { node: true },
  )
  expect(await launch(root, [], { old: true })).toMatchObject({ code: null, signal: 'SIGTERM' })
})

test('an older Node with nothing to hand over to says what is needed', async () => {
  const checkout = await launch(packageWith({ 'src/apps/cli.ts': '' }), [], { old: true })
  expect(checkout.code).toBe(1)
  expect(checkout.err).toMatch(/needs Node 24 or newer; this is Node 20\.1\.0\. Run `npm start` or `npm ci`/)
  const installed = await launch(packageWith({ 'dist/apps/cli.js': '' }), [], { old: true })
  expect(installed.err).toMatch(/Install it from https:\/\/nodejs\.org/)
})

test('an installed package finds the newer Node that was installed beside it', async () => {
  const root = packageWith({ 'node_modules/touchstone/dist/apps/cli.js': 'console.log("dist")' }, { node: true })
  const installed = join(root, 'node_modules/touchstone')
  renameSync(join(root, 'scripts'), join(installed, 'scripts'))
  copyFileSync(join(root, 'package.json'), join(installed, 'package.json'))
  expect(await launch(installed, [], { old: true })).toMatchObject({ code: 0, out: 'dist\n' })
})

test('a start that fails leaves its error and exit code 1', async () => {
  const ended = await launch(packageWith({ 'src/apps/cli.ts': 'throw new Error("broken inside")' }), [])
  expect(ended.code).toBe(1)
  expect(ended.err).toContain('broken inside')
})

// Names of threads are to be had there only.
test.runIf(process.platform === 'linux')(
  'the pool that files, names and decoders share has a thread for each that reads pictures, and eight more',
  async () => {
    const root = packageWith({
      'src/apps/cli.ts': `
        import { readdirSync, readFileSync } from 'node:fs'
        import { stat } from 'node:fs/promises'
        await Promise.all(Array.from({ length: 40 }, () => stat('.')))
        const names = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/comm', 'utf8'))
        console.log(names.filter((name) => name.startsWith('libuv-worker')).length)`,
    })
    expect((await launch(root, [], { env: { TOUCHSTONE_IMAGE_THREADS: '5' } })).out).toBe('13\n')
    expect((await launch(root, [], { env: {} })).out).toBe(`${availableParallelism() + 8}\n`)
    // Who says how many has his reasons.
    expect((await launch(root, [], { env: { UV_THREADPOOL_SIZE: '6' } })).out).toBe('6\n')
  },
)
