// Small pictures found again when they were halved, or brightened and halved: threads, hash and index are real, the pictures drawn.
import { createHash } from 'node:crypto'
import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPictureReader } from '../../../../src/adapters/pictures/reader.ts'
import { distance } from '../../../../src/imaging/pdq.ts'
import type { SeenPicture } from '../../../../src/imaging/picture.ts'
import { createBankEntries } from '../../../../src/pipeline/banks/entries.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { bank, uuid } from '../../pipeline/banks/samples.ts'

const SIDE = 240
/** Bits, as the bank's own distance. */
const REACH = 31

/** Soft shapes under a fine, bright texture, as woven cloth in the sun: `seed` draws both. */
function texture(seed: number): Sharp {
  let state = seed
  const drawn = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  }
  const levels = new Float64Array(SIDE * SIDE).fill(190)
  for (const [cell, strength] of [
    [40, 35],
    [3, 150],
  ] as const) {
    const across = Math.ceil(SIDE / cell) + 2
    const knots = Array.from({ length: across * across }, drawn)
    const knot = (i: number, j: number) => knots[j * across + i] ?? 0
    for (let at = 0; at < levels.length; at++) {
      const [x, y] = [(at % SIDE) / cell, Math.floor(at / SIDE) / cell]
      const [i, j] = [Math.floor(x), Math.floor(y)]
      const upper = knot(i, j) * (1 - x + i) + knot(i + 1, j) * (x - i)
      const lower = knot(i, j + 1) * (1 - x + i) + knot(i + 1, j + 1) * (x - i)
      levels[at] = (levels[at] ?? 0) + strength * (upper * (1 - y + j) + lower * (y - j))
    }
  }
  return sharp(Uint8ClampedArray.from(levels), { raw: { width: SIDE, height: SIDE, channels: 1 } })
}

const brightened = (png: Buffer, by: number) => sharp(png).linear(by, 0).png().toBuffer()
const halved = (png: Buffer) =>
  sharp(png)
    .resize(SIDE / 2)
    .webp({ quality: 80 })
    .toBuffer()
const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a small picture of a bank', () => {
  let reader: ReturnType<typeof createPictureReader>
  beforeAll(() => {
    reader = createPictureReader({
      thread: new URL('../../../../src/apps/picture-thread.ts', import.meta.url),
      threads: 1,
      maxPixels: 1_000_000,
      maxBytes: 1_000_000,
      timeMs: 20_000,
      logger: createTelemetry({ level: 'silent' }).log,
    })
  })
  afterAll(() => reader.close())

  const see = async (bytes: Uint8Array): Promise<SeenPicture> => {
    const picture = await reader.read(bytes, sha256Of(bytes), AbortSignal.timeout(20_000))
    if (picture.state === 'unseen') throw new Error(picture.message)
    return picture
  }

  /** The bank of one picture, as it was kept. */
  async function bankOf(png: Buffer) {
    const kept = await reader.keep(png, sha256Of(png))
    if (kept === undefined) throw new Error('it was not kept')
    const entries = createBankEntries()
    entries.putBank(bank('fakes', { maxDistance: REACH }))
    entries.put({ ...kept, imageId: uuid('one'), bankId: 'fakes', state: 'active', source: { kind: 'api' } })
    return entries
  }

  test('what is kept knows how the picture is when it is turned and mirrored', async () => {
    const png = await texture(3).png().toBuffer()
    const kept = await reader.keep(png, sha256Of(png))
    const { variants } = await see(png)
    expect(kept?.variants).toEqual(variants.map((bytes) => Buffer.from(bytes).toString('hex')))
    expect(new Set(kept?.variants).size).toBe(8)
    expect(kept?.variants[0]).toBe(kept?.hash)
  })

  test('a blank one has no forms', async () => {
    const white = await sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: '#ffffff' } })
      .png()
      .toBuffer()
    expect(await reader.keep(white, sha256Of(white))).toMatchObject({ blank: true, forms: [], variants: [] })
  })

  test.each([3, 6, 9, 11])('drawing %i is found brightened, halved and encoded again', async (seed) => {
    const png = await texture(seed).png().toBuffer()
    const copy = await see(await halved(await brightened(png, 1.15)))
    expect(distance(copy.hash.bytes, (await see(png)).hash.bytes), 'far from the picture itself').toBeGreaterThan(REACH)
    expect((await bankOf(png)).match(copy)).toMatchObject([{ imageId: uuid('one'), form: 'half-brightened' }])
  })

  test.each([3, 6, 10])('drawing %i is found halved and encoded again', async (seed) => {
    const png = await texture(seed).png().toBuffer()
    const copy = await see(await halved(png))
    expect(distance(copy.hash.bytes, (await see(png)).hash.bytes), 'far from the picture itself').toBeGreaterThan(REACH)
    expect((await bankOf(png)).match(copy)).toMatchObject([{ imageId: uuid('one'), form: 'half' }])
  })

  test('as it is, it is found as it is; a drawing of another seed is not it', async () => {
    const png = await texture(3).png().toBuffer()
    const entries = await bankOf(png)
    expect(entries.match(await see(png))).toMatchObject([{ form: 'whole', distance: 0 }])
    expect(entries.match(await see(await texture(4).png().toBuffer()))).toEqual([])
  })
})
