// `npm run bench`: the project's own measurements, one JSON document each: node scripts/bench.ts [log] [gate] [kafka] [images] [images-index] [bank-matches] [image-path] [text] [-- options]
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const BENCHES = ['log', 'gate', 'kafka', 'images', 'images-index', 'bank-matches', 'image-path', 'text'] as const
const asked = process.argv.slice(2).filter((word) => !word.startsWith('-'))
const options = process.argv.slice(2).filter((word) => word.startsWith('-'))
const unknown = asked.filter((name) => !BENCHES.some((b) => b === name))
if (unknown.length > 0 || options.includes('--help')) {
  process.stderr.write(
    `Usage: npm run bench -- [${BENCHES.join('] [')}] [--json] [--option=value]\nWithout a name all of them run, one after the other; the options of each are at the top of its file.\n`,
  )
  process.exit(unknown.length > 0 ? 2 : 0)
}
for (const name of asked.length > 0 ? asked : BENCHES) {
  const file = fileURLToPath(new URL(`bench/${name}.ts`, import.meta.url))
  const { status } = spawnSync(process.execPath, [file, ...options], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
