// Fails where an import in src/ breaks the import rule, and where the tool saw too little to say that none does.
import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkBoundaries } from './boundaries.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { modules, dependencies, violations, doubts } = checkBoundaries(root)
const sources = globSync('src/**/*.{ts,tsx}', { cwd: root }).length
const problems = violations.map((v) => `${v.from} -> ${v.to}\n  ${v.rule}: ${v.reason}`)
problems.push(...doubts)
// The tool reads no TypeScript at all, and reports success, when its parser is missing.
if (modules < sources)
  problems.push(`only ${modules} modules were looked at, and src/ has ${sources}: is @swc/core installed?`)
if (dependencies < sources)
  problems.push(`only ${dependencies} imports were found in ${sources} files: is @swc/core installed?`)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
