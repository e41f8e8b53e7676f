// `npm run check`: everything that must hold besides the tests, one line per step; names as arguments run only those.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'

const STEPS: Readonly<Record<string, readonly string[]>> = {
  types: ['tsc', '-p', '.'],
  lint: ['oxlint', '--type-aware', '--deny-warnings', '--format=unix', 'src', 'test', 'scripts'],
  format: ['prettier', '--check', '--log-level=warn', '.'],
  boundaries: ['node', 'scripts/check-boundaries.ts'],
  'dead code': ['knip', '--no-progress'],
  'file shape': ['node', 'scripts/check-file-shape.ts'],
  licences: ['node', 'scripts/check-licences.ts'],
  'lock file': ['node', 'scripts/complete-lock.mjs', '--check'],
  build: ['node', 'scripts/build.ts'],
  docs: ['node', 'scripts/docs-check.ts'],
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { report: { type: 'string' } } })
const unknown = positionals.filter((name) => !(name in STEPS))
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(', ')}. Steps: ${Object.keys(STEPS).join(', ')}.`)
  process.exit(2)
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
let passed = 0
const failed: string[] = []
for (const [name, command] of Object.entries(STEPS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const begun = performance.now()
  const { ok, output } = await run(command)
  console.log(`${ok ? 'pass' : 'FAIL'}  ${name.padEnd(11)} ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  if (ok) passed++
  else {
    failed.push(name)
    console.log(output.trimEnd().replace(/^/gm, '      '))
  }
}
console.log(`check: ${passed} passed, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(', ')}` : ''}`)
if (values.report !== undefined) writeFileSync(values.report, JSON.stringify({ passed, failed: failed.length }))
process.exitCode = failed.length > 0 ? 1 : 0

function run([program = '', ...args]: readonly string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', (error) =>
      resolve({ ok: false, output: `${program}: ${error.message}. Run it by \`npm run check\`.` }),
    )
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
}
