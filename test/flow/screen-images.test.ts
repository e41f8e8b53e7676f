// `screen` and `evaluate` look at pictures only as far as they were asked to. Real: the bin in a process of its own, sharp, PostgreSQL, HTTP on the loopback interface.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { shippedModels } from '../../src/apps/learning.ts'
import { decisionSchema } from '../../src/domain/decision.ts'
import { freshDatabase } from '../support/database.ts'
import { blankPicture, disguised, drawnPicture } from '../support/drawn-pictures.ts'

const BIN = fileURLToPath(new URL('../../scripts/touchstone.mjs', import.meta.url))
let directory: string
let host: Server
let url: string
let asked = 0
/** How often the picture was asked for that is another one from the second time on. */
let swapped = 0
let input: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-screen-'))
  const [bad, fine] = await Promise.all([drawnPicture(1), drawnPicture(2)])
  const again = await disguised(bad)
  host = createServer((request, response) => {
    if (request.url === '/swapped.jpg') swapped += 1
    else asked += 1
    const shown = request.url === '/swapped.jpg' && swapped > 1 ? fine : again
    response.setHeader('content-type', 'image/jpeg').end(shown)
  })
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/1.jpg`
  for (const folder of ['known', 'blank']) mkdirSync(join(directory, folder))
  writeFileSync(join(directory, 'known', 'bad.png'), bad)
  writeFileSync(join(directory, 'blank', 'white.png'), await blankPicture())
  const row = (listingId: string, images: object[]) =>
    JSON.stringify({ listingId, revision: 1, sellerId: 'S', title: 'A wooden chair', images })
  const data = (picture: Buffer) => ({ data: picture.toString('base64') })
  input = [
    row('harmless', [data(fine)]),
    row('inline', [data(fine), data(again)]),
    row('linked', [{ url }]),
    row('none', []),
  ].join('\n')
})
afterAll(() => {
  host?.close()
  rmSync(directory, { recursive: true, force: true })
})

const run = (...words: string[]) => runWith({}, ...words)

function runWith(
  env: Record<string, string>,
  ...words: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...words], {
      cwd: directory,
      env: {
        ...process.env,
        TOUCHSTONE_IMAGE_PRIVATE_NETWORKS: '127.0.0.1',
        TOUCHSTONE_IMAGE_PORTS: new URL(url).port,
        ...env,
      },
    })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code !== 0 && code !== 2 && code !== 3) reject(new Error(err))
      else resolve({ code, out, err })
    })
    child.stdin.end(input)
  })
}

async function screen(...words: string[]) {
  const { code, out, err } = await run('screen', '--input', '-', ...words)
  const lines = out.split('\n').filter((line) => line !== '')
  const decisions = lines.map((line) => decisionSchema.parse(JSON.parse(line)))
  const stateOf = (one: (typeof decisions)[number]) => one.signals.find((s) => s.name === 'image-hash')?.state
  return {
    code,
    outcomes: decisions.map((one) => `${one.listingId} ${one.outcome}`),
    states: decisions.map((one) => stateOf(one) ?? 'missing'),
    err,
  }
}

it('refuses a bank that it would not look at, a kind that is none, and pictures that match anything', async () => {
  mkdirSync(join(directory, 'empty'))
  const [unused, unknown, blank, empty] = await Promise.all([
    screen('--bank', 'counterfeit=known'),
    screen('--images', 'inline', '--bank', 'nonsense=known'),
    screen('--images', 'inline', '--bank', 'counterfeit=blank'),
    screen('--images', 'inline', '--bank', 'counterfeit=empty'),
  ])
  expect([unused.code, unknown.code, blank.code, empty.code]).toEqual([2, 2, 2, 2])
  expect(empty.err).toContain('empty: it is a folder without pictures')
  expect(unused.err).toContain('--bank needs --images')
  expect(unknown.err).toContain('counterfeit=known-fakes')
  expect(blank.err).toContain('white.png')
})

it('passes over what is no picture in the folder of a bank, says what cannot be read, and ends with 3', async () => {
  const folder = join(directory, 'littered')
  mkdirSync(folder)
  for (const name of ['.DS_Store', 'LICENSE', 'broken.png']) writeFileSync(join(folder, name), `no picture: ${name}`)
  symlinkSync('nowhere.png', join(folder, 'dangling.png'))
  writeFileSync(join(folder, 'bad.png'), await drawnPicture(1))
  const { code, err, outcomes } = await screen('--images', 'inline', '--bank', 'counterfeit=littered')
  expect(code).toBe(3)
  expect(err).toContain(`${join('littered', 'broken.png')}: picture-unreadable`)
  expect(err).toContain(`${join('littered', 'dangling.png')}: input-invalid: there is no such file`)
  expect(err).not.toMatch(/DS_Store|LICENSE/)
  expect(outcomes).toEqual(['harmless allow', 'inline hold', 'linked allow', 'none allow'])
})

it('looks at nothing, at what listings carry, or behind URLs too; in the order of the rows', async () => {
  const none = await screen()
  expect(none.states).toEqual(['abstained', 'abstained', 'abstained', 'abstained'])
  const inline = await screen('--images', 'inline', '--bank', 'counterfeit=known')
  expect(inline.outcomes).toEqual(['harmless allow', 'inline hold', 'linked allow', 'none allow'])
  expect(asked).toBe(0)
  const fetched = await screen('--images', 'fetch', '--bank', 'counterfeit=known')
  expect(fetched.outcomes).toEqual(['harmless allow', 'inline hold', 'linked hold', 'none allow'])
  expect(asked).toBe(1)
  const allowed = await screen('--images', 'fetch', '--bank', 'counterfeit=known', '--bank', 'allowed=known')
  expect(new Set(allowed.outcomes.map((line) => line.split(' ')[1]))).toEqual(new Set(['allow']))
}, 60_000)

it('reads pictures that rows name by their paths below a folder, nothing outside of it, and no URL', async () => {
  const [bad, fine] = await Promise.all([drawnPicture(1), drawnPicture(2)])
  mkdirSync(join(directory, 'photos', 'below'), { recursive: true })
  writeFileSync(join(directory, 'photos', 'below', 'bad one.png'), bad)
  writeFileSync(join(directory, 'photos', 'fine.png'), fine)
  writeFileSync(join(directory, 'beside.png'), bad)
  symlinkSync(join(directory, 'beside.png'), join(directory, 'photos', 'out.png'))
  const row = (listingId: string, ...images: object[]) =>
    JSON.stringify({ listingId, revision: 1, sellerId: 'S', title: 'A wooden chair', images })
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  const file = join(directory, 'named.jsonl')
  const rows = [
    row('bad', { url: 'fine.png' }, { url: 'below/bad one.png', sha256: sha256(bad) }),
    row('fine', { url: './fine.png' }, { data: fine.toString('base64') }),
    row('swapped', { url: 'fine.png', sha256: sha256(bad) }),
    row('missing', { url: 'none.png' }),
    row('linked out', { url: 'out.png' }),
    row('web', { url }),
    row('up', { url: 'below/../../beside.png' }),
    row('absolute', { url: join(directory, 'beside.png') }),
    row('scheme', { url: pathToFileURL(join(directory, 'photos', 'fine.png')).href }),
  ]
  writeFileSync(file, rows.join('\n'))
  const before = asked
  const words = ['--input', file, '--images', 'photos', '--bank', 'counterfeit=known']
  const { code, out, err } = await run('screen', ...words)
  const said = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => decisionSchema.parse(JSON.parse(line)))
    .map(({ listingId, outcome, signals }) => {
      const { state, evidence } = signals.find(({ name }) => name === 'image-hash') ?? {}
      const { unseen } = z.object({ unseen: z.array(z.object({ fault: z.string() })).default([]) }).parse(evidence)
      return [listingId, outcome, state, ...unseen.map(({ fault }) => fault)].join(' ')
    })
  expect(said).toEqual([
    'bad hold scored',
    'fine allow abstained',
    'swapped hold failed hash-differs',
    'missing hold failed gone',
    'linked out hold failed address-refused',
    'web allow abstained',
  ])
  expect(asked).toBe(before)
  expect(code).toBe(3)
  for (const line of [7, 8, 9])
    expect(err).toContain(`line ${line}: invalid: images[0].url must be an http or https URL`)
  expect(err).toContain('the path of a file below the folder of --images')
  expect(err).toContain('0 blocked, 3 rejected')

  const figures = await run('evaluate', '--json', ...words)
  expect(JSON.parse(figures.out)).toMatchObject({ rejected: 3, overall: { outcomes: { hold: { count: 4 } } } })

  const [unread, nowhere] = await Promise.all([
    run('screen', '--input', file, '--images', 'inline'),
    run('screen', '--input', file, '--images', 'fecth'),
  ])
  expect(unread.code).toBe(3)
  expect(unread.err).toMatch(/line 1: invalid: .*; pictures in files beside the listings are read with --images FOLDER/)
  expect(nowhere.code).toBe(2)
  expect(nowhere.err).toContain('--images is none, inline, fetch or a folder, and there is no folder fecth')
}, 60_000)

it('evaluate looks as far, with the same options, and refuses them where it tries verdicts', async () => {
  const file = join(directory, 'labelled.jsonl')
  const rows = input
    .split('\n')
    .map((line) => JSON.stringify({ listing: JSON.parse(line) as object, label: 'counterfeit' }))
  writeFileSync(file, rows.join('\n'))
  const held = async (...words: string[]) => {
    const { out } = await run('evaluate', '--input', file, '--json', ...words)
    const { overall } = JSON.parse(out) as { overall: { outcomes: { hold: { count: number } } } }
    return overall.outcomes.hold.count
  }
  expect(await held()).toBe(0)
  expect(await held('--images', 'inline', '--bank', 'counterfeit=known')).toBe(1)
  expect(await held('--images', 'fetch', '--bank', 'counterfeit=known')).toBe(2)
  const [unused, verdicts] = await Promise.all([
    run('evaluate', '--input', file, '--bank', 'counterfeit=known'),
    run('evaluate', '--model', 'fusion@v1', '--images', 'inline'),
  ])
  expect([unused.code, verdicts.code]).toEqual([2, 2])
  expect(verdicts.err).toContain('--images needs --input')
}, 60_000)

it('evaluate judges two versions on the same bytes: what is behind a URL is got once for both', async () => {
  const database = await freshDatabase()
  try {
    const listing = {
      listingId: 'swapped',
      revision: 1,
      sellerId: 'S',
      title: 'A wooden chair',
      images: [{ url: new URL('/swapped.jpg', url).href }],
    }
    const file = join(directory, 'swapped.jsonl')
    writeFileSync(file, JSON.stringify({ listing, label: 'counterfeit' }))
    const { scorecard } = await shippedModels()
    const words = ['--json', '--images', 'fetch', '--bank', 'counterfeit=known', '--input', file]
    const { out } = await runWith(
      { DATABASE_URL: database.url },
      'evaluate',
      '--model',
      `fusion@${scorecard.version}`,
      ...words,
    )
    const { candidate, champion } = JSON.parse(out) as Record<'candidate' | 'champion', object>
    expect(candidate).toMatchObject({ overall: { outcomes: { hold: { count: 1 } } } })
    expect(champion).toEqual(candidate)
    expect(swapped).toBe(1)
  } finally {
    await database.drop()
  }
}, 60_000)
