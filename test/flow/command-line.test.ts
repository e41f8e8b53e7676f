// The command line as a user calls it. Real: the bin in processes of its own, PostgreSQL for the commands that need the store.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionSchema } from '../../src/domain/decision.ts'
import { freshDatabase, type FreshDatabase } from '../support/database.ts'

const BIN = fileURLToPath(new URL('../../scripts/touchstone.mjs', import.meta.url))

let directory: string
let database: FreshDatabase
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-cli-'))
  database = await freshDatabase()
})
afterAll(async () => {
  await database.drop()
  rmSync(directory, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function touchstone(
  words: readonly string[],
  options: { input?: string | Buffer; env?: Record<string, string> } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...words], {
      cwd: directory,
      env: { ...process.env, DATABASE_URL: database.url, NO_COLOR: '1', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
    child.stdin.end(options.input ?? '')
  })
}

const row = (listingId: string, more: object = {}) =>
  JSON.stringify({ listingId, revision: 1, sellerId: 'S', title: 'A wooden chair', ...more })

describe('help and wrong calls', () => {
  it('shows every command with an example', async () => {
    const { code, out } = await touchstone(['--help'])
    expect(code).toBe(0)
    const commands = [...out.matchAll(/^ {2}([a-z]+) /gm)].map((m) => m[1] ?? '').filter((c) => c !== 'help')
    expect(commands.sort()).toEqual([
      'api',
      'banks',
      'brands',
      'doctor',
      'evaluate',
      'hash',
      'keys',
      'models',
      'offsets',
      'policies',
      'screen',
      'start',
      'topics',
      'train',
      'worker',
    ])
    for (const words of [
      ['screen'],
      ['hash'],
      ['start'],
      ['worker'],
      ['api'],
      ['topics'],
      ['offsets', 'list'],
      ['offsets', 'move'],
      ['evaluate'],
      ['train'],
      ['doctor'],
      ['keys', 'create'],
      ['brands', 'import'],
      ['policies', 'publish'],
      ['models', 'promote'],
      ['banks', 'import'],
      ['banks', 'release'],
      ['banks', 'remove'],
      ['banks', 'empty'],
      ['banks', 'list'],
      ['keys'],
      ['brands'],
      ['policies'],
      ['models'],
      ['banks'],
    ]) {
      const help = await touchstone([...words, '--help'])
      expect(help.code, words.join(' ')).toBe(0)
      expect(help.out, words.join(' ')).toMatch(/Example:\n {2}\$ /)
    }
    // A process for each of them.
  }, 180_000)

  it.each([
    [['scren'], /Did you mean screen/],
    [['screen'], /--input/],
    [['screen', '--input', 'nowhere.jsonl'], /nowhere\.jsonl/],
    [['screen', '--input', '-', '--mask', 'title'], /title is not one of/],
    [['keys', 'create', '--role', 'king'], /roles are ingest/],
    [['keys', 'create', '--role', 'brand'], /at least one --brand/],
    [['evaluate', '--input', '-', '--max-fpr', '2'], /share from 0 to 1/],
    [['policies', 'publish', 'nowhere.json'], /nowhere\.json/],
  ])('answers %j with exit code 2 and says what is wrong', async (words, expected) => {
    const { code, out, err } = await touchstone(words)
    expect(err).toMatch(expected)
    expect(code).toBe(2)
    expect(out).toBe('')
  })

  it('names every wrong setting at once and never a value', async () => {
    const { code, err } = await touchstone(['screen', '--input', '-'], {
      env: { PORT: 'secret-port', LOG_LEVEL: 'secret-level' },
    })
    expect(code).toBe(2)
    expect(err).toMatch(/PORT/)
    expect(err).toMatch(/LOG_LEVEL/)
    expect(err).not.toMatch(/secret/)
  })
})

describe('screen', () => {
  it('gives every row its end, in order: decisions, and rejects with line, code and place', async () => {
    const input = Buffer.concat([
      Buffer.from(
        `${row('a')}\n\n{"listing":${row('b', { title: 'Rolex AAA replica', price: { amount: 99, currency: 'USD' } })},"label":"other"}\n`,
      ),
      Buffer.from([0x22, 0xff, 0x22, 0x0a]),
      Buffer.from(`${row('c', { price: { amount: -1, currency: 'USD' } })}\nnot json\n${row('d')}`),
    ])
    const rejectsFile = join(directory, 'rejects.jsonl')
    const { code, out, err } = await touchstone(['screen', '--input', '-', '--rejects', rejectsFile], { input })
    const decisions = out
      .trim()
      .split('\n')
      .map((line) => decisionSchema.parse(JSON.parse(line)))
    expect(decisions.map((d) => [d.listingId, d.outcome, d.sequence])).toEqual([
      ['a', 'allow', 1],
      ['b', 'block', 1],
      ['d', 'allow', 1],
    ])
    const rejects = readFileSync(rejectsFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(rejects.map((r) => [r['line'], r['code'], r['path']])).toEqual([
      [4, 'not-utf8', ''],
      [5, 'invalid', '/price/amount'],
      [6, 'not-json', ''],
    ])
    expect(err).toMatch(/6 rows: 2 allowed, 0 held, 1 blocked, 3 rejected/)
    expect(code).toBe(3)
  })

  it('takes a masked field out before it looks', async () => {
    const input = row('a', { title: 'Rolex Submariner', price: { amount: 20, currency: 'USD' }, condition: 'new' })
    const states = async (...words: string[]) => {
      const { out } = await touchstone(['screen', '--input', '-', ...words], { input })
      return decisionSchema.parse(JSON.parse(out)).signals.find((s) => s.name === 'price')?.state
    }
    expect(await states()).toBe('scored')
    expect(await states('--mask', 'price')).toBe('abstained')
  })
})

describe('evaluate', () => {
  it('prints figures that can be counted by hand', async () => {
    const file = join(directory, 'labelled.jsonl')
    const label = (text: string, more: object = {}) =>
      `,"label":"${text}"${Object.entries(more)
        .map(([k, v]) => `,"${k}":${JSON.stringify(v)}`)
        .join('')}}`
    const fake = row('f', { title: 'Rolex AAA replica', price: { amount: 99, currency: 'USD' } })
    writeFileSync(
      file,
      [
        `{"listing":${fake}${label('counterfeit', { overt: true })}`,
        `{"listing":${row('h')}${label('legitimate')}`,
        `{"listing":${row('h2')}${label('legitimate')}`,
      ].join('\n'),
    )
    const { code, out } = await touchstone(['evaluate', '--input', file, '--max-fpr', '0', '--json'])
    expect(code).toBe(0)
    const figures = JSON.parse(out) as {
      overall: {
        recall: { overt: { blocked: { value: number } } }
        falsePositives: { stopped: { value: number } }
        rows: number
      }
      atMaxFpr: { recall: { all: { value: number } } }
    }
    expect(figures.overall.rows).toBe(3)
    expect(figures.overall.recall.overt.blocked.value).toBe(1)
    expect(figures.overall.falsePositives.stopped.value).toBe(0)
    expect(figures.atMaxFpr.recall.all.value).toBe(1)
    const text = await touchstone(['evaluate', '--input', file])
    expect(text.out).toMatch(/labelled\.jsonl +1 +counterfeit, overt +0\.0 % +0\.0 % +100\.0 %/)
    expect(text.out).toMatch(/labelled\.jsonl +2 +legitimate +100\.0 % +0\.0 % +0\.0 %/)
  })
})

describe('reference data and keys', () => {
  it('makes, lists and revokes keys without ever showing a secret again', async () => {
    const made = await touchstone(['keys', 'create', '--role', 'brand', '--brand', 'nike', '--json'])
    const key = JSON.parse(made.out) as { keyId: string; key: string; role: string; brandIds: string[] }
    expect(key).toMatchObject({ role: 'brand', brandIds: ['nike'] })
    const listed = await touchstone(['keys', 'list'])
    expect(listed.out).toContain(key.keyId)
    expect(listed.out).not.toContain(key.key)
    expect((await touchstone(['keys', 'revoke', key.keyId])).code).toBe(0)
    expect((await touchstone(['keys', 'revoke', 'key_none'])).code).toBe(1)
    const unknown = await touchstone(['keys', 'create', '--role', 'brand', '--brand', 'no-such-brand'])
    expect(unknown.code).toBe(2)
    expect(unknown.err).toMatch(/no-such-brand/)
  })

  it('imports brands all or not at all, or the sound ones when asked, and warns of names that are words', async () => {
    const rows = [
      '{"brandId":"nordhavn","name":"Nordhavn Atelier","copied":"some"}',
      '{"brandId":"Bad Id","name":"x"}',
      '{"brandId":"table","name":"Table"}',
    ]
    const refused = await touchstone(['brands', 'import', '-'], { input: rows.join('\n') })
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringMatching(/line 2: .*line 3: warning: .*nothing was imported/s),
    ])
    const taken = await touchstone(['brands', 'import', '-', '--skip-invalid', '--json'], { input: rows.join('\n') })
    expect([taken.code, JSON.parse(taken.out)]).toEqual([3, { added: 2, changed: 0, unchanged: 0, rejected: 1 }])
    const listed = await touchstone(['brands', 'list', '--match', 'nordhavn'])
    expect(listed.out).toMatch(/nordhavn +Nordhavn Atelier/)
  })

  it('publishes a policy, refuses one whose example fails, and rolls back', async () => {
    const shown = await touchstone(['policies', 'show'])
    const policy = JSON.parse(shown.out) as Record<string, unknown> & { thresholds: object }
    const next = JSON.stringify({
      ...policy,
      description: 'stricter',
      thresholds: { hold: 0.1, block: 0.9 },
      examples: [],
    })
    const published = await touchstone(['policies', 'publish', '-', '--based-on', '1', '--json'], { input: next })
    expect(JSON.parse(published.out)).toMatchObject({ active: true, policy: { version: 2, description: 'stricter' } })
    const late = await touchstone(['policies', 'publish', '-', '--based-on', '1'], { input: next })
    expect([late.code, late.err]).toEqual([1, expect.stringMatching(/policy-conflict/)])
    const below = JSON.stringify({ ...policy, thresholds: { hold: 0.01, block: 0.9 }, examples: [] })
    const warned = await touchstone(['policies', 'publish', '-'], { input: below })
    expect([warned.code, warned.err]).toEqual([
      0,
      expect.stringMatching(/^Warning: .* holds from 0\.01 on: what nothing/),
    ])
    await touchstone(['policies', 'publish', '-'], { input: next })
    const low = await touchstone(['policies', 'rollback'])
    expect(low.out).toMatch(/Version 3 of default is active again/)
    expect(low.err).toMatch(/^Warning: .* holds from 0\.01 on: what nothing/)
    const sound = await touchstone(['policies', 'rollback'])
    expect([sound.out, sound.err]).toEqual([expect.stringMatching(/Version 2 of default is active again/), ''])
    const wrong = JSON.stringify({
      ...policy,
      examples: [{ name: 'no risk is blocked', risk: 0, expect: { outcome: 'block' } }],
    })
    const refused = await touchstone(['policies', 'publish', '-'], { input: wrong })
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringMatching(/no risk is blocked.*expects block, got allow/),
    ])
    expect((await touchstone(['policies', 'rollback'])).out).toMatch(/Version 1 of default is active again/)
    expect((await touchstone(['policies', 'rollback'])).err).toMatch(/nothing-to-roll-back/)
  })

  it('examines the store', async () => {
    const { out } = await touchstone(['doctor', '--json'], { env: { PORT: '0', METRICS_PORT: '0' } })
    const findings = JSON.parse(out) as { name: string; state: string }[]
    expect(findings.map((f) => f.name)).toEqual(
      expect.arrayContaining(['node', 'settings', 'database', 'durability', 'clock', 'ports']),
    )
    expect(findings.filter((f) => f.state === 'wrong' && f.name !== 'durability')).toEqual([])
    const dead = await touchstone(['doctor'], { env: { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' } })
    expect(dead.code).toBe(1)
    expect(dead.out).toMatch(/WRONG +database/)
    expect(dead.out + dead.err).not.toContain('secret')
  })
})
