// What is seen of good pictures in every form they come in. Real: sharp, the threads, PDQ; pictures are drawn here.
import { afterAll, describe, expect, test } from 'vitest'
import sharp, { type Sharp } from 'sharp'
import type { SeenPicture } from '../../../../src/imaging/picture.ts'
import { distance } from '../../../../src/imaging/pdq.ts'
import { drawing, reading, sha256Of } from '../../../support/pictures.ts'

const { reader, read, keep } = reading({ threads: 2 })
afterAll(() => reader.close())

async function seen(bytes: Uint8Array): Promise<SeenPicture> {
  const picture = await read(bytes)
  if (picture.state !== 'seen') throw new Error(`${picture.fault}: ${picture.message}`)
  return picture
}
const apart = (a: SeenPicture, b: SeenPicture) => distance(a.hash.bytes, b.hash.bytes)

const upright = await drawing().png().toBuffer()
const reference = await seen(upright)

describe('formats', () => {
  test.each([
    ['jpeg', () => drawing().jpeg({ quality: 90 }), 6],
    ['jpeg', () => drawing().jpeg({ quality: 90, progressive: true }), 6],
    ['png', () => drawing().png({ progressive: true }), 0],
    ['png', () => drawing().png({ palette: true, effort: 1 }), 8],
    ['webp', () => drawing().webp({ quality: 90 }), 6],
    ['webp', () => drawing().webp({ lossless: true }), 0],
    ['avif', () => drawing().avif({ quality: 80, effort: 0 }), 8],
    ['gif', () => drawing().gif({ effort: 1 }), 8],
  ] as const)('%s is seen as the same picture', async (format, encode, bits) => {
    const bytes = await encode().toBuffer()
    const picture = await seen(bytes)
    expect(picture).toMatchObject({ format, width: 320, height: 240, sha256: sha256Of(bytes), blank: false })
    expect(apart(picture, reference)).toBeLessThanOrEqual(bits)
    expect(picture.variants).toHaveLength(8)
    expect(picture.variants[0]).toEqual(picture.hash.bytes)
  })

  test('CMYK, 16 bits and grey come out as the same picture', async () => {
    const cmyk = await drawing().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer()
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk')
    // The gamut of print is smaller: colours move, edges do not.
    expect(apart(await seen(cmyk), reference)).toBeLessThanOrEqual(12)
    const deep = await drawing().toColourspace('rgb16').png().toBuffer()
    expect((await sharp(deep).metadata()).depth).toBe('ushort')
    expect(apart(await seen(deep), reference)).toBe(0)
    for (const space of ['b-w', 'grey16'] as const) {
      const grey = await drawing(320, 240, 1).toColourspace(space).png().toBuffer()
      expect((await sharp(grey).metadata()).space).toBe(space)
      expect(apart(await seen(grey), reference)).toBeLessThanOrEqual(2)
    }
    const greyJpeg = await drawing(320, 240, 1).toColourspace('b-w').jpeg({ quality: 95 }).toBuffer()
    expect((await sharp(greyJpeg).metadata()).channels).toBe(1)
    expect(apart(await seen(greyJpeg), reference)).toBeLessThanOrEqual(4)
  })

  test('what is transparent is white, whatever colour lies under it', async () => {
    const clear = await drawing(320, 240, 4).png().toBuffer()
    const flat = await sharp(clear).flatten({ background: '#ffffff' }).png().toBuffer()
    expect(apart(await seen(clear), await seen(flat))).toBe(0)
    expect(apart(await seen(clear), reference)).toBeGreaterThan(10)
    const webp = await drawing(320, 240, 4).webp({ lossless: true }).toBuffer()
    expect(apart(await seen(webp), await seen(flat))).toBe(0)
  })

  test('every EXIF orientation gives the hash of the upright picture', async () => {
    // How a picture must lie in the file so that a viewer who obeys the tag sees it upright. sharp mirrors before it turns.
    const stored: Record<number, (s: Sharp) => Sharp> = {
      1: (s) => s,
      2: (s) => s.flop(),
      3: (s) => s.rotate(180),
      4: (s) => s.flip(),
      5: (s) => s.rotate(270).flop(),
      6: (s) => s.rotate(270),
      7: (s) => s.rotate(90).flop(),
      8: (s) => s.rotate(90),
    }
    for (const [orientation, lay] of Object.entries(stored)) {
      const lying = await lay(sharp(upright)).png().toBuffer()
      const tagged = await sharp(lying)
        .withMetadata({ orientation: Number(orientation) })
        .png()
        .toBuffer()
      // sharp itself is the witness that the file is what it claims to be.
      const witness = await sharp(tagged).autoOrient().raw().toBuffer()
      expect(witness.equals(await sharp(upright).raw().toBuffer())).toBe(true)
      const picture = await seen(tagged)
      expect(picture).toMatchObject({ width: 320, height: 240 })
      expect(apart(picture, reference)).toBe(0)
      // What is shrunk on load first is turned afterwards.
      const jpeg = await sharp(tagged)
        .withMetadata()
        .resize(orientation >= '5' ? 2_000 : 2_600)
        .jpeg()
        .toBuffer()
      expect(apart(await seen(jpeg), reference)).toBeLessThanOrEqual(10)
    }
  })
})

describe('sizes', () => {
  test('1 × 1 is seen, and is blank', async () => {
    const tiny = await sharp(upright).resize(1, 1).png().toBuffer()
    expect(await seen(tiny)).toMatchObject({ width: 1, height: 1, blank: true })
    expect(await keep(tiny)).toMatchObject({ width: 1, height: 1, blank: true })
  })

  test('a line is seen, however long', async () => {
    for (const [width, height] of [
      [30_000, 1],
      [1, 30_000],
      [16_000, 3],
    ] as const) {
      const line = await sharp(upright).resize(width, height, { fit: 'fill' }).png().toBuffer()
      expect(await seen(line)).toMatchObject({ width, height })
    }
  })

  test('a large picture is near the same one small', async () => {
    const large = await sharp(upright).resize(5_000, 3_750).jpeg({ quality: 80 }).toBuffer()
    const picture = await seen(large)
    expect(picture).toMatchObject({ width: 5_000, height: 3_750 })
    expect(apart(picture, reference)).toBeLessThanOrEqual(10)
  })
})

describe('keeping', () => {
  test('a WebP of at most 768 pixels, upright, without metadata', async () => {
    const bytes = await drawing(1_000, 1_500)
      .withExif({ IFD0: { Artist: 'somebody', Copyright: 'a private address' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer()
    const picture = await seen(bytes)
    const kept = await keep(bytes)
    expect(kept).toMatchObject({
      sha256: sha256Of(bytes),
      hash: Buffer.from(picture.hash.bytes).toString('hex'),
      quality: picture.hash.quality,
      width: 1_500,
      height: 1_000,
      blank: false,
    })
    const meta = await sharp(kept?.body).metadata()
    expect(meta).toMatchObject({ format: 'webp', width: 768, height: 512 })
    expect([meta.exif, meta.icc, meta.xmp, meta.orientation]).toEqual([undefined, undefined, undefined, undefined])
  })

  test('a small one is not enlarged; what cannot be read is not kept', async () => {
    expect(await sharp((await keep(upright))?.body).metadata()).toMatchObject({ width: 320, height: 240 })
    expect(await keep(Buffer.from('no picture'))).toBeUndefined()
    expect(await keep(upright.subarray(0, 33))).toBeUndefined()
  })

  test('the bytes of the caller stay as they were', async () => {
    const within = Buffer.concat([Buffer.from('before'), upright, Buffer.from('behind')])
    const view = within.subarray(6, 6 + upright.length)
    expect((await seen(view)).hash).toEqual(reference.hash)
    expect(view.equals(upright)).toBe(true)
  })
})
