// `screen` and `evaluate` on a machine that is too busy for the time of a listing. Real: the bin in processes of its own, the text model in its thread.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { decisionSchema } from '../../src/domain/decision.ts'

const BIN = fileURLToPath(new URL('../../scripts/touchstone.mjs', import.meta.url))
const MARKETPLACE = fileURLToPath(new URL('../../fixtures/marketplace/listings.jsonl', import.meta.url))
// The least that the setting allows: no text comes back from its thread within it.
const NO_TIME = { TOUCHSTONE_LISTING_BUDGET_MS: '1' }

function run(env: Record<string, string>, input: string, ...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...words], { env: { PATH: process.env['PATH'] ?? '', ...env } })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.resume()
    child.stdin.end(input)
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`exit ${code}`))))
  })
}

it('decisions on a file are those of its listings and not of the machine: no signal is given up for lack of time', async () => {
  const rows = readFileSync(MARKETPLACE, 'utf8').split('\n').slice(0, 40).join('\n')
  const decisions = (await run(NO_TIME, rows, 'screen', '--input', '-'))
    .trimEnd()
    .split('\n')
    .map((line) => decisionSchema.parse(JSON.parse(line)))
  expect(decisions).toHaveLength(40)
  expect(decisions.filter(({ degraded }) => degraded)).toEqual([])
  expect(decisions.flatMap(({ signals }) => signals).filter(({ state }) => state === 'failed')).toEqual([])
})

it('and so are the figures', async () => {
  const words = ['evaluate', '--json', '--input', MARKETPLACE] as const
  const [without, usual] = await Promise.all([run(NO_TIME, '', ...words), run({}, '', ...words)])
  expect(JSON.parse(without)).toEqual(JSON.parse(usual))
})
