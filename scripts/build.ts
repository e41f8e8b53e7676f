// Compiles src/ to dist/ for the published package, and copies the data that the sources read beside them, with its licences.
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
const tsc = spawnSync('tsc', ['-p', join(root, 'scripts', 'tsconfig.build.json')], { cwd: root, stdio: 'inherit' })
if (tsc.error !== undefined) throw tsc.error
if (tsc.status !== 0) process.exit(tsc.status ?? 1)

// tsc copies JSON only where it is imported; pages, styles and data that are read as files are ours to copy.
const data = globSync('**/*', { cwd: join(root, 'src'), withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name).slice(join(root, 'src').length + 1))
  // Of the notes only those beside data: they carry the notices that the data's licences want in every copy.
  .filter((path) => !path.endsWith('.md') || path.includes(`data${sep}`))
for (const path of data) {
  mkdirSync(dirname(join(dist, path)), { recursive: true })
  cpSync(join(root, 'src', path), join(dist, path))
}
