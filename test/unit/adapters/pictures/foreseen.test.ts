// What a header says that decoding may come to. Real: the encoders, the decoder and the figures; hostile headers are cut by hand.
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { open } from '../../../../src/adapters/pictures/decode.ts'
import { COUNTS, foreseenPixels } from '../../../../src/adapters/pictures/foreseen.ts'
import { drawing } from '../../../support/pictures.ts'

const MOST = 50_000_000
const LIMITS = { maxPixels: MOST, timeMs: 10_000 }
const moving = async (count: number) =>
  sharp(
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        sharp({ create: { width: 60, height: 40, channels: 3, background: { r: 20 * i, g: 90, b: 0 } } })
          .png()
          .toBuffer(),
      ),
    ),
    { join: { animated: true } },
  )
const files = {
  jpeg: () => drawing(300, 200).jpeg().toBuffer(),
  'progressive jpeg': () =>
    drawing(300, 200)
      .jpeg({ progressive: true })
      .withExif({ IFD0: { Artist: 'A' } })
      .toBuffer(),
  png: () => drawing(300, 200, 4).png().toBuffer(),
  'lossy webp': () => drawing(300, 200).webp().toBuffer(),
  'lossless webp': () => drawing(300, 200).webp({ lossless: true }).toBuffer(),
  'webp with alpha': () => drawing(300, 200, 4).webp().toBuffer(),
  'moving webp': async () => (await moving(7)).webp().toBuffer(),
  gif: () => drawing(300, 200).gif().toBuffer(),
  'moving gif': async () => (await moving(7)).gif().toBuffer(),
  avif: () => drawing(300, 200).avif({ effort: 0 }).toBuffer(),
  'avif with alpha': () => drawing(300, 200, 4).avif({ effort: 0 }).toBuffer(),
}

test.each(Object.entries(files))('%s: as many pixels as are decoded, and not many times as many', async (_, make) => {
  const bytes = await make()
  const opened = await open(bytes, LIMITS)
  if (opened.state === 'unseen') throw new Error(opened.message)
  const decoded = opened.width * opened.height * COUNTS[opened.format] * opened.frames.length
  const foreseen = foreseenPixels(bytes, MOST)
  expect(foreseen).toBeGreaterThanOrEqual(decoded)
  expect(foreseen).toBeLessThanOrEqual(decoded * 8)
  expect(foreseenPixels(bytes, 1_000)).toBe(1_000)
})

test('a small file of many pixels is as dear as it will be', async () => {
  const flat = await sharp({ create: { width: 4_000, height: 4_000, channels: 3, background: '#337' } })
    .avif({ effort: 0 })
    .toBuffer()
  expect(flat.length).toBeLessThan(20_000)
  expect(foreseenPixels(flat, MOST)).toBe(3 * 16_000_000)
})

test('what no header makes clear is the dearest, what is no picture is nothing, and nothing throws', async () => {
  for (const make of Object.values(files)) {
    const bytes = await make()
    for (let length = 0; length < Math.min(bytes.length, 200); length++) {
      const foreseen = foreseenPixels(bytes.subarray(0, length), MOST)
      expect(foreseen).toBeGreaterThanOrEqual(0)
      expect(foreseen).toBeLessThanOrEqual(MOST)
    }
  }
  expect(foreseenPixels(Buffer.from('<svg/>'), MOST)).toBe(0)
  // Steps without end, and a marker of nothing.
  const jpeg = await files.jpeg()
  const steps = Buffer.concat([jpeg.subarray(0, 2), Buffer.alloc(1 << 20, 0xff), jpeg.subarray(2)])
  expect(foreseenPixels(steps, MOST)).toBe(MOST)
  expect(foreseenPixels(Buffer.concat([jpeg.subarray(0, 2), Buffer.from([1, 2]), jpeg.subarray(2)]), MOST)).toBe(0)
})

test('a GIF that says less in its header than its frames have counts as it is decoded', async () => {
  const gif = Buffer.from(await files.gif())
  gif.writeUInt16LE(1, 6)
  gif.writeUInt16LE(1, 8)
  expect(await open(gif, LIMITS)).toMatchObject({ state: 'opened', width: 300, height: 200 })
  expect(foreseenPixels(gif, MOST)).toBe(300 * 200)
})
