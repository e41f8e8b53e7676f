// Writes the published contracts into fixtures/contracts; `--check` only says where they differ from what the code gives.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { publishedContracts } from './published-contracts.ts'

const HOME = fileURLToPath(new URL('../fixtures/contracts/', import.meta.url))

/** One line for each file of the folder that is missing, superfluous or different, with the first line that differs. */
export async function differences(folder: string): Promise<string[]> {
  const expected = await publishedContracts()
  const present = filesOf(folder)
  const found = present
    .filter((path) => !expected.has(path))
    .map((path) => `${path}: nothing in the code gives this file`)
  for (const [path, text] of expected) {
    if (!present.includes(path)) {
      found.push(`${path}: is missing`)
      continue
    }
    const committed = readFileSync(join(folder, path), 'utf8').split('\n')
    const line = text.split('\n').findIndex((wanted, i) => wanted !== committed[i])
    if (line !== -1)
      found.push(
        `${path}: line ${line + 1} is ${JSON.stringify(committed[line])}, the code gives ${JSON.stringify(text.split('\n')[line])}`,
      )
    else if (committed.join('\n') !== text) found.push(`${path}: has more lines than the code gives`)
  }
  return found
}

function filesOf(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    const paths = entries
      .filter((e) => e.isFile())
      .map((e) => join(e.parentPath, e.name).slice(join(folder, '/').length))
    return paths.map((path) => path.replaceAll('\\', '/'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

async function write(folder: string): Promise<void> {
  const expected = await publishedContracts()
  for (const path of filesOf(folder)) if (!expected.has(path)) rmSync(join(folder, path))
  for (const [path, text] of expected) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  if (!values.check) await write(HOME)
  const found = await differences(HOME)
  if (found.length > 0) {
    console.error(
      `fixtures/contracts is not what the code gives; run \`node scripts/publish-schemas.ts\`:\n${found.join('\n')}`,
    )
    process.exitCode = 1
  }
}
