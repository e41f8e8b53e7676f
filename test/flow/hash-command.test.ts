// `touchstone hash` as a user calls it. Real: the bin in a process of its own, its threads, sharp, the files.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { distance, pdqOf } from '../../src/imaging/pdq.ts'
import { hexOf } from '../../src/imaging/picture.ts'
import { pngChunk, withChunks } from '../support/png-files.ts'
import { soft } from '../unit/imaging/drawn-pixels.ts'

const BIN = fileURLToPath(new URL('../../scripts/touchstone.mjs', import.meta.url))
const picture = soft(300, 200, 5)

let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-hash-'))
  const { data, width, height, channels } = picture
  const image = sharp(data, { raw: { width, height, channels } })
  await image.clone().png().toFile(join(directory, 'as-drawn.png'))
  await image.clone().flop().png().toFile(join(directory, 'mirrored.png'))
  await image.clone().resize(150).jpeg({ quality: 60 }).toFile(join(directory, 'halved.jpg'))
  await sharp({ create: { width: 90, height: 90, channels: 3, background: '#fff' } })
    .png()
    .toFile(join(directory, 'white.png'))
  writeFileSync(join(directory, 'text.jpg'), 'no picture at all')
  writeFileSync(join(directory, 'empty.png'), '')
  mkdirSync(join(directory, 'folder'))
  mkdirSync(join(directory, 'shots'))
  await image
    .clone()
    .png()
    .toFile(join(directory, 'shots', 'as-drawn.png'))
  writeFileSync(join(directory, 'shots', 'notes.txt'), 'no picture')
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function hash(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return hashWith({}, ...words)
}

function hashWith(settings: Readonly<Record<string, string>>, ...words: string[]): ReturnType<typeof hash> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...settings }
    const child = spawn(process.execPath, [BIN, 'hash', ...words], { cwd: directory, env })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
}

it('names each file that cannot be read with its reason, hashes the others in their order, and ends with 3', async () => {
  const { code, out, err } = await hash(
    'text.jpg',
    'as-drawn.png',
    'nowhere.png',
    'folder',
    'white.png',
    'empty.png',
    'halved.jpg',
    // A name that would colour a terminal, or say something of its own on a line of its own.
    'red\u001b[31m\nhalved.jpg: fine',
  )
  expect(code).toBe(3)
  const lines = out.trimEnd().split('\n')
  expect(lines.map((line) => line.split(' ').slice(1))).toEqual([
    [String(pdqOf(picture).hash.quality), 'as-drawn.png'],
    ['0', 'white.png'],
    [expect.stringMatching(/^\d+$/), 'halved.jpg'],
  ])
  const hashes = lines.map((line) => Buffer.from(line.slice(0, 64), 'hex'))
  expect(hashes[0]?.toString('hex')).toBe(hexOf(pdqOf(picture).hash.bytes))
  expect(distance(hashes[0] ?? Buffer.alloc(32), hashes[2] ?? Buffer.alloc(32))).toBeLessThanOrEqual(31)
  const refused = err.trimEnd().split('\n')
  expect(refused).toEqual([
    expect.stringMatching(/^text\.jpg: not-a-picture: /),
    expect.stringMatching(/^nowhere\.png: input-invalid: /),
    expect.stringMatching(/^folder: input-invalid: it is a folder without pictures/),
    expect.stringMatching(/^empty\.png: not-a-picture: /),
    expect.stringMatching(/^red\u241b\[31m halved\.jpg: fine: input-invalid: [^\p{Cc}]+$/u),
  ])
})

it('hashes the pictures of a folder', async () => {
  const { code, out } = await hash('shots', 'white.png')
  const names = out.trimEnd().split('\n')
  expect([code, names.map((line) => line.split(' ')[2])]).toEqual([0, [join('shots', 'as-drawn.png'), 'white.png']])
})

it('prints one JSON document and ends with 0 where all could be read', async () => {
  const { code, out } = await hash('--json', 'white.png', 'as-drawn.png')
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({
    hashes: [
      expect.objectContaining({ file: 'white.png', quality: 0, blank: true, format: 'png', width: 90, height: 90 }),
      expect.objectContaining({ file: 'as-drawn.png', hash: hexOf(pdqOf(picture).hash.bytes), blank: false }),
    ],
    rejected: [],
  })
})

it('says which files are damaged or shown otherwise by browsers, and hashes the first frame of an animation as other tools do', async () => {
  const [whole, last] = [readFileSync(join(directory, 'as-drawn.png')), readFileSync(join(directory, 'mirrored.png'))]
  writeFileSync(join(directory, 'cut.png'), whole.subarray(0, (whole.length * 3) / 4))
  // Played once it stands at its last frame for good, which is what the gate looks at first.
  const moving = sharp([whole, last], { join: { animated: true } })
  await moving.webp({ lossless: true, delay: [20, 20], loop: 1 }).toFile(join(directory, 'moving.webp'))
  const { code, out, err } = await hash('cut.png', 'moving.webp', 'as-drawn.png')
  expect([code, err.trimEnd().split('\n')]).toEqual([
    0,
    [expect.stringMatching(/^cut\.png: damaged: /), expect.stringMatching(/^moving\.webp: .*first frame/)],
  ])
  const codePoints = pngChunk('cICP', Buffer.from([9, 16, 0, 1]))
  writeFileSync(join(directory, 'bright.png'), withChunks(whole, codePoints))
  expect((await hash('bright.png')).err).toMatch(/^bright\.png: browsers show it otherwise/)
  const [, moved = '', still] = out.split('\n').map((line) => line.slice(0, 64))
  expect(moved).toBe(still)
  const json = await hash('--json', 'cut.png', 'moving.webp')
  expect(JSON.parse(json.out)).toMatchObject({
    hashes: [
      { file: 'cut.png', damaged: true },
      { file: 'moving.webp', hash: moved, firstFrame: true },
    ],
  })
  expect((await hash('--help')).out).toMatch(/first\s+frame/)
})

it('a picture that took all of its time beside others is read again, alone: only then is it at fault', async () => {
  // Of 24 megapixels, each another: no machine reads it within the least time that the setting allows.
  const side = 4_900
  const noise = Buffer.alloc(side * side)
  for (let at = 0, state = 1; at < noise.length; at++) noise[at] = state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
  const raw = { width: side, height: side, channels: 1 } as const
  await sharp(noise, { raw }).png({ compressionLevel: 1 }).toFile(join(directory, 'dear.png'))
  const least = { TOUCHSTONE_IMAGE_READ_MS: '100', TOUCHSTONE_IMAGE_MAX_BYTES: String(1 << 26) }
  const { code, err } = await hashWith(least, 'dear.png')
  expect(err).toMatch(/^dear\.png: too-slow: /m)
  expect(code).toBe(3)
})

it('asks for files: exit code 2', async () => {
  const { code, err } = await hash()
  expect(code).toBe(2)
  expect(err).toMatch(/missing required argument/)
})
