// Every package that we ship with must be under a permissive licence: whoever runs Touchstone inherits them all.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const PERMISSIVE: ReadonlySet<string> = new Set(
  'MIT MIT-0 ISC BSD-2-Clause BSD-3-Clause 0BSD Apache-2.0 BlueOak-1.0.0 Unlicense CC0-1.0 Python-2.0 Zlib PostgreSQL'.split(
    ' ',
  ),
)

// What the project was asked to stand on, whatever their parts say: sharp's libvips is a shared library of its own that
// anyone may replace, as the LGPL wants; sylvester, of natural, says MIT in its licence file and not in its manifest.
const EXEMPT = /^(@img\/sharp-libvips-[a-z0-9-]+|sylvester)$/

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ dev: z.boolean().optional(), devOptional: z.boolean().optional(), version: z.string().optional() }),
  ),
})
const manifestSchema = z.object({
  license: z.union([z.string(), z.object({ type: z.string() }).transform((l) => l.type)]).optional(),
  licenses: z.array(z.object({ type: z.string() })).optional(),
})

/** One of the alternatives is permissive in all its parts. Nested expressions are for a person to look at. */
function isPermissive(expression: string): boolean {
  if (expression.includes('(') && expression.includes(' AND ') && expression.includes(' OR ')) return false
  return expression
    .replaceAll(/[()]/g, ' ')
    .split(/\sOR\s/)
    .some((alternative) => alternative.split(/\sAND\s/).every((part) => PERMISSIVE.has(part.trim())))
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lock = lockSchema.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')))
const problems: string[] = []
let looked = 0
for (const [path, entry] of Object.entries(lock.packages)) {
  const file = join(root, path, 'package.json')
  // Other platforms' packages are not installed; theirs are the same projects under the same licences.
  if (path === '' || entry.dev === true || !existsSync(file)) continue
  looked++
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  const licence = manifest.license ?? manifest.licenses?.map((l) => l.type).join(' OR ') ?? 'none stated'
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  if (!isPermissive(licence) && !EXEMPT.test(name))
    problems.push(`${path.replace('node_modules/', '')} ${entry.version ?? ''}: ${licence}`)
}
// Fewer would mean that nothing is installed, and nothing was looked at.
if (looked < 20) problems.push(`only ${looked} packages found: run npm ci`)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
