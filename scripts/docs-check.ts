// Drift between the code and what is published about it: each check compares both ways and fails when they differ.
// To add one: a generator with `--check` goes into GENERATORS, a comparison as a test into test/docs/.
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const GENERATORS = ['scripts/publish-schemas.ts', 'scripts/readme-tables.ts']

const cwd = dirname(dirname(fileURLToPath(import.meta.url)))
const commands = [
  ...GENERATORS.map((script) => ['node', script, '--check']),
  // No test there is a failure too.
  ['vitest', 'run', '--config', 'test/vitest.config.ts', 'test/docs'],
]
for (const [program = '', ...args] of commands) {
  const { status } = spawnSync(program, args, { cwd, stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
