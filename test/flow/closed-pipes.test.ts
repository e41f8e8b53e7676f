// Whoever reads a command's output goes away before its end. Real: the bin in processes of its own, PostgreSQL.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshDatabase, type FreshDatabase } from '../support/database.ts'

const BIN = fileURLToPath(new URL('../../scripts/touchstone.mjs', import.meta.url))

let database: FreshDatabase
beforeAll(async () => void (database = await freshDatabase()))
afterAll(() => database.drop())

function run(words: readonly string[], gone: readonly ('stdout' | 'stderr')[], out: 'pipe' | number = 'pipe') {
  return new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>((resolve) => {
    const child = spawn(process.execPath, [BIN, ...words], {
      env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', DATABASE_URL: database.url },
      stdio: ['ignore', out, 'pipe'],
    })
    const said = { out: '', err: '' }
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.out += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.err += text))
    // Long before Node has loaded what it would write.
    for (const name of gone) child[name]?.destroy()
    child.once('close', (code) => resolve({ code, ...said }))
  })
}

it.each(
  [['--help'], ['--version'], ['banks', '--help'], ['banks', 'list'], ['keys', 'list', '--json']].map((words) => ({
    words,
    what: words.join(' '),
  })),
)('touchstone $what, which nobody reads, ends as ever', async ({ words }) => {
  const { code, err } = await run(words, [])
  expect(await run(words, ['stdout'])).toMatchObject({ code, err })
  expect(code).toBe(0)
})

it('what a command changes is changed all the same', async () => {
  expect(await run(['keys', 'create', '--role', 'ingest', '--marketplace', 'of-nobody'], ['stdout'])).toMatchObject({
    code: 0,
  })
  expect((await run(['keys', 'list'], [])).out).toContain('of-nobody')
})

it('with nobody to tell what is wrong, the exit code says it', async () => {
  expect(await run(['scren'], ['stdout', 'stderr'])).toMatchObject({ code: 2 })
})

it.runIf(process.platform === 'linux')('a full disk is a failure', async () => {
  const full = openSync('/dev/full', 'w')
  try {
    const { code, err } = await run(['--help'], [], full)
    expect(code).toBe(1)
    expect(err).toMatch(/^touchstone: what it prints cannot be written: ENOSPC/)
    expect(err).not.toMatch(/ {4}at /)
  } finally {
    closeSync(full)
  }
})
