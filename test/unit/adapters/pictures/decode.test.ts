// Two doors before any decoder: the first bytes, and what libvips may load at all. Real: sharp.
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { open } from '../../../../src/adapters/pictures/decode.ts'
import { limitLibvips } from '../../../../src/adapters/pictures/libvips.ts'
import { formatOf } from '../../../../src/adapters/pictures/formats.ts'
import { drawing } from '../../../support/pictures.ts'

const others = {
  tiff: await drawing().tiff().toBuffer(),
  svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'),
}
// Otherwise the next test would pass for want of a loader.
await Promise.all(Object.values(others).map((bytes) => sharp(bytes).metadata()))
beforeAll(limitLibvips)

test('libvips loads nothing but the five', async () => {
  for (const bytes of Object.values(others)) await expect(sharp(bytes).metadata()).rejects.toThrow('unsupported')
  for (const format of ['jpeg', 'png', 'webp', 'avif', 'gif'] as const)
    await expect(sharp(await drawing(32, 24).toFormat(format).toBuffer()).metadata()).resolves.toBeDefined()
})

test.each([
  ['jpeg', '\xff\xd8\xff\xe0'],
  ['png', '\x89PNG\r\n\x1a\n'],
  ['gif', 'GIF87a'],
  ['gif', 'GIF89a'],
  ['webp', 'RIFF\0\0\0\0WEBPVP8 '],
  ['avif', '\0\0\0\x18ftypavif\0\0\0\0mif1miaf'],
  ['avif', '\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf'],
  [undefined, '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
  // A brand behind the box of brands is none.
  [undefined, '\0\0\0\x14ftypmif1\0\0\0\0mif1avif'],
  [undefined, '\x89PNG\n\x1a\n'],
  [undefined, ' GIF89a'],
  [undefined, 'GIF88a'],
  [undefined, 'RIFF\0\0\0\0WAVE'],
  [undefined, '\xff\xd8'],
  [undefined, ''],
])('%s begins as %j', (format, text) => {
  expect(formatOf(Buffer.from(text, 'latin1'))).toBe(format)
})

test('what libvips takes for another format than its first bytes say is refused', async () => {
  // An AVIF whose brand is a lie: it holds no AV1.
  const heic = Buffer.from('\0\0\0\x1cftypavif\0\0\0\0mif1heicavif', 'latin1')
  expect(await open(heic, { maxPixels: 1_000, timeMs: 1_000 })).toMatchObject({ fault: 'not-a-picture' })
})
