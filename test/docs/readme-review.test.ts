// Real: the commands of the README as they stand there, from the first listing to the seller's answer, in a shell; the bin, curl, the
// whole gate, HTTP, PostgreSQL. Only the address and the folder are this run's.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHttp, type RunningHttp } from '../../src/apps/http.ts'
import { readConfig } from '../../src/config.ts'
import type { Decision } from '../../src/domain/decision.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { runProgram } from '../support/kafka/program.ts'
import { realPart } from '../support/real-parts.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const ADDRESS = 'http://127.0.0.1:8080'
/** Six processes of a second of computing each, on a busy machine ten times as long. */
const PATIENCE_MS = 120_000

/** Blocks by a word that only one of them has, in the order in which a reader meets them. */
const BLOCKS = {
  first: '1:1 super clone, best replica", "condition"',
  picture: 'bag.json',
  folder: 'known-fakes',
  banks: 'size-charts',
  review: 'takeBack',
} as const

function block(language: string, mark: string): string {
  const all = [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))]
  const found = all.map(([, code = '']) => code).find((code) => code.includes(mark))
  if (found === undefined) throw new Error(`the README has no block of ${language} with ${mark}`)
  return found
}

const hasCurl = realPart('curl', spawnSync('curl', ['--version']).status === 0, 'install curl')
describe.runIf(hasCurl)('the README to whoever looks at cases', { timeout: PATIENCE_MS }, () => {
  let gate: GateUnderTest
  let http: RunningHttp
  let folder = ''
  /** What each block has written, a line an answer. */
  let said: Readonly<Record<keyof typeof BLOCKS, string[]>>
  const answers = (name: keyof typeof BLOCKS) => said[name].map((line) => JSON.parse(line) as Record<string, unknown>)

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'touchstone-readme-'))
    symlinkSync(join(root, 'fixtures'), join(folder, 'fixtures'))
    gate = await startGateUnderTest()
    const config = readConfig({ DATABASE_URL: gate.url, PORT: '0', METRICS_PORT: '0' })
    http = await startHttp(gate.gate, config, createTelemetry({ level: 'silent' }), () => undefined)
    const names = Object.keys(BLOCKS) as (keyof typeof BLOCKS)[]
    const script = [
      `cd '${folder}'; export DATABASE_URL='${gate.url}'`,
      // The bin of this tree, and each answer on a line of its own.
      `npx() { shift; '${process.execPath}' '${root}scripts/touchstone.mjs' "$@"; }`,
      `node() { '${process.execPath}' "$@"; }`,
      `curl() { command curl -w '\\n' "$@"; }`,
      ...names.map((name) => `echo '=== ${name}'\n${block('sh', BLOCKS[name])}`),
    ].join('\n')
    expect(script).toContain(ADDRESS)
    const { out } = await runProgram('sh', ['-c', script.replaceAll(ADDRESS, http.url)], 'the commands', PATIENCE_MS)
    const parts = out.split(/^=== (?:\w+)\n/m).slice(1)
    const lines = parts.map((part) => part.split('\n').filter((line) => line !== ''))
    said = Object.fromEntries(names.map((name, i) => [name, lines[i] ?? []])) as typeof said
  }, PATIENCE_MS)
  afterAll(async () => {
    await http?.stop()
    await gate?.stop()
    rmSync(folder, { recursive: true, force: true })
  }, PATIENCE_MS)

  it('the first listing is decided as the README shows it', () => {
    const [decided] = answers('first') as unknown as Decision[]
    const shown = JSON.parse(block('json', '"stage": "screening"')) as Decision
    const { signals, risk, base, ...rest } = shown
    expect(decided).toMatchObject(rest)
    expect(decided?.risk).toBeCloseTo(risk, 4)
    expect(decided?.base).toBeCloseTo(base, 2)
    for (const { name, state, score = Number.NaN, contribution } of signals) {
      const found = decided?.signals.find((signal) => signal.name === name)
      expect(found).toMatchObject({ name, state })
      expect(found?.score).toBeCloseTo(score, 3)
      expect(found?.contribution).toBeCloseTo(contribution, 2)
    }
  })

  it('a picture that came back in disguise is held, over HTTP and without a server', () => {
    const held = { outcome: 'hold', reasons: [{ code: 'picture-seen-before' }] }
    expect(JSON.parse(said.picture.at(-1) ?? '')).toMatchObject({ listingId: 'L-5', ...held })
    expect(JSON.parse(readFileSync(join(folder, 'decided.jsonl'), 'utf8'))).toMatchObject(held)
    expect(said.folder.at(-1)).toMatch(/^[0-9a-f]{64} \d+ known-fakes\/red-bag\.jpg$/)
  })

  it('a bank is made and filled over HTTP', () => {
    const [made, added, all, images] = answers('banks')
    expect(made).toMatchObject({ bankId: 'size-charts', kind: 'allowed', brandId: null, maxDistance: 31 })
    expect(added).toMatchObject({ added: { state: 'active' } })
    const listed = [
      { bankId: 'fakes', images: 1 },
      { bankId: 'size-charts', images: 1 },
    ]
    expect(all).toMatchObject({ items: listed })
    expect(images).toMatchObject({ items: [{ source: { kind: 'api' } }] })
  })

  it('a case is listed, judged, undone, judged again and answered', () => {
    const [queue, one, rejected, undone, confirmed, answered] = answers('review')
    expect(queue).toMatchObject({ items: [{ listingId: 'L-1' }, { listingId: 'L-5' }], next: null })
    expect(one).toMatchObject({ listingId: 'L-1', outcome: 'block', verdicts: [], pictures: [] })
    expect(rejected).toMatchObject({ status: 'recorded', stands: { outcome: 'allow', state: 'resolved' } })
    expect(undone).toMatchObject({ status: 'recorded', stands: { outcome: 'block', state: 'open' } })
    expect(confirmed).toMatchObject({ status: 'recorded', stands: { outcome: 'block', state: 'resolved' } })
    expect(answered).toMatchObject({ listingId: 'L-1', outcome: 'block', state: 'open' })
  })
})
