// Small pictures found again when they were halved, or brightened and halved: threads, hash and index are real, the pictures drawn.
import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPictureReader } from '../../../../src/adapters/pictures/reader.ts'
import { distance } from '../../../../src/imaging/pdq.ts'
import type { SeenPicture } from '../../../../src/imaging/picture.ts'
import { createBankEntries } from '../../../../src/pipeline/banks/entries.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { texture, TEXTURE_SIDE as SIDE } from '../../../support/drawn-pictures.ts'
import { bank, uuid } from '../../pipeline/banks/samples.ts'

/** Bits, as the bank's own distance. */
const REACH = 31

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
    expect(kept?.variants.slice(0, 8)).toEqual(variants.map((bytes) => Buffer.from(bytes).toString('hex')))
    expect(new Set(kept?.variants).size).toBe(24)
    expect([kept?.variants[0], kept?.variants[8], kept?.variants[16]]).toEqual([kept?.hash, ...(kept?.forms ?? [])])
  })

  test('and how its derived forms are: a mirrored copy that its bank would find is near what is kept of it', async () => {
    const png = await texture(3).png().toBuffer()
    const copy = await sharp(await halved(await brightened(png, 1.15)))
      .flop()
      .png()
      .toBuffer()
    const { hash } = await see(copy)
    const kept = await reader.keep(png, sha256Of(png))
    const near = (kept?.variants ?? []).map((one) => distance(hash.bytes, Buffer.from(one, 'hex')) <= REACH)
    // Of the picture itself none of the first eight, of its derived forms some.
    expect([near.slice(0, 8).includes(true), near.slice(8).includes(true)]).toEqual([false, true])
    expect((await bankOf(png)).match(await see(copy))).toMatchObject([{ form: 'half-brightened' }])
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
