// House rules about files that no linter knows: at most 300 lines, a first sentence that says what the file is, kebab-case.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** The house's limit, without exemptions: who reaches it has found a second responsibility. */
const MAX_LINES = 300
/** Fewer would mean that this looked in the wrong place. */
const MIN_FILES = 20

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', 'src', 'test', 'scripts'],
  { encoding: 'utf8' },
)
  .split('\n')
  .filter((path) => /\.(ts|tsx|mjs)$/.test(path) && existsSync(path))

const problems: string[] = []
for (const path of files) {
  const lines = readFileSync(path, 'utf8').split('\n')
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length
  if (count > MAX_LINES) problems.push(`${path}: ${count} lines, the limit is ${MAX_LINES}: split it by responsibility`)
  const first = lines[0]?.startsWith('#!') === true ? lines[1] : lines[0]
  if (first?.startsWith('// ') !== true)
    problems.push(`${path}: must open with one // sentence that says what it is in the flow`)
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)+$/.test(basename(path)))
    problems.push(`${path}: name files in kebab-case`)
}
if (files.length < MIN_FILES) problems.push(`only ${files.length} files found: is this a checkout?`)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
