// PNGs that libpng reads on where browsers stop, or otherwise than they do. Real: sharp, the thread, PDQ; every file is made here.
import { deflateSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { distance } from '../../../../src/imaging/pdq.ts'
import { withWholePalette } from '../../../../src/adapters/pictures/png-pixels.ts'
import { drawing, reading } from '../../../support/pictures.ts'
import { pngChunk, u32, withChunks } from '../../../support/png-files.ts'

const { reader, read } = reading()
afterAll(() => reader.close())

const [W, H] = [320, 240] as const
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const END = pngChunk('IEND', Buffer.alloc(0))
const header = (kind: number) => pngChunk('IHDR', Buffer.concat([u32(W), u32(H), Buffer.from([8, kind, 0, 0, 0])]))
const fileOf = (...chunks: Buffer[]) => Buffer.concat([SIGNATURE, ...chunks])

/** Scan lines, packed, each without a filter. */
function packed(samples: Buffer): Buffer {
  const across = samples.length / H
  return deflateSync(
    Buffer.concat(
      Array.from({ length: H }, (_, y) =>
        Buffer.concat([Buffer.alloc(1), samples.subarray(y * across, (y + 1) * across)]),
      ),
    ),
  )
}

const pixels = packed(await drawing(W, H).raw().toBuffer())
const [upper, lower] = [pixels.subarray(0, pixels.length / 2), pixels.subarray(pixels.length / 2)]
const idat = (data: Buffer) => pngChunk('IDAT', data)
function broken(chunk: Buffer): Buffer {
  const other = Buffer.from(chunk)
  other.writeUInt8((other.at(-1) ?? 0) ^ 1, other.length - 1)
  return other
}

describe('pixels that browsers do not come to', () => {
  test.each([
    ['behind another chunk', [idat(upper), pngChunk('tEXt', Buffer.from('a\0b')), idat(lower)]],
    ['behind a sum that is wrong', [broken(idat(upper)), idat(lower)]],
    ['behind the end', [idat(upper), END, idat(lower)]],
  ])('%s are missing here too', async (_where, chunks) => {
    const cut = await read(fileOf(header(2), idat(upper)))
    const picture = await read(fileOf(header(2), ...chunks, END))
    expect(picture).toMatchObject({ state: 'seen', damaged: true, unseenPart: true })
    expect(picture).toMatchObject({ hash: cut.state === 'seen' && cut.hash })
  })

  test('a sum that is wrong at the end costs nothing; what hangs behind the end is none of the picture', async () => {
    const whole = await read(fileOf(header(2), idat(pixels), END))
    const wrong = await read(fileOf(header(2), broken(idat(pixels)), END))
    expect(wrong).toMatchObject({ damaged: true, hash: whole.state === 'seen' && whole.hash })
    expect(wrong).not.toHaveProperty('unseenPart')
    expect(await read(fileOf(header(2), idat(pixels), END, idat(pixels)))).not.toHaveProperty('damaged')
    expect(await read(fileOf(header(2), idat(upper), idat(Buffer.alloc(0)), idat(lower), END))).not.toHaveProperty(
      'damaged',
    )
  })
})

test('a palette or transparency whose sum is wrong browsers pass over, and libvips takes', async () => {
  const file = await drawing(W, H).png({ palette: true, colours: 16 }).toBuffer()
  expect(await read(file)).not.toHaveProperty('shownOtherwise')
  const clear = pngChunk('tRNS', Buffer.alloc(6, 200))
  const plain = await drawing(W, H).png().toBuffer()
  expect(await read(withChunks(plain, clear))).not.toHaveProperty('shownOtherwise')
  expect(await read(withChunks(plain, broken(clear)))).toMatchObject({ shownOtherwise: true })
})

const levels = await drawing(W, H, 1).toColourspace('b-w').raw().toBuffer()

test('a gamma of another length Chromium passes over', async () => {
  const plain = await drawing(W, H).png().toBuffer()
  const gamma = (...data: number[]) => withChunks(plain, pngChunk('gAMA', Buffer.from(data)))
  expect(await read(gamma(0, 0, 0x20, 0))).not.toHaveProperty('shownOtherwise')
  expect(await read(gamma(0, 0, 0x20, 0, 0))).toMatchObject({ shownOtherwise: true })
})

describe('a palette with fewer colours than there are values', () => {
  const palette = (count: number) =>
    pngChunk('PLTE', Buffer.from(Array.from({ length: count * 3 }, (_, n) => 255 - 60 * Math.floor(n / 3))))

  test('shows its last one in their place, as in Chromium, where libpng shows black', async () => {
    const valued = (middle: number) =>
      packed(Buffer.from(levels.map((level) => (level < 100 ? 1 : level < 160 ? middle : 3))))
    const [beyond, last] = await Promise.all(
      [60, 3].map(async (middle) => read(fileOf(header(3), palette(4), idat(valued(middle)), END))),
    )
    if (beyond?.state !== 'seen' || last?.state !== 'seen') throw new Error('not seen')
    expect(beyond.blank).toBe(false)
    expect(distance(beyond.hash.bytes, last.hash.bytes)).toBe(0)
  })

  test('a whole one, and one that is broken, stay as they are', () => {
    const whole = fileOf(header(3), palette(256), idat(pixels), END)
    expect(withWholePalette(whole)).toBe(whole)
    for (const chunk of [broken(palette(4)), pngChunk('PLTE', Buffer.alloc(7)), pngChunk('PLTE', Buffer.alloc(0))]) {
      const file = fileOf(header(3), chunk, idat(pixels), END)
      expect(withWholePalette(file)).toBe(file)
    }
  })
})

describe('an animated one', () => {
  const control = (order: number) =>
    pngChunk('fcTL', Buffer.concat([u32(order), u32(W), u32(H), u32(0), u32(0), Buffer.from([0, 1, 0, 10, 0, 0])]))
  const frame = (order: number, data: Buffer) => pngChunk('fdAT', Buffer.concat([u32(order), data]))
  const told = pngChunk('acTL', Buffer.concat([u32(2), u32(0)]))
  const text = pngChunk('tEXt', Buffer.from('a\0b'))
  const film = (...chunks: Buffer[]) => fileOf(header(2), told, control(0), ...chunks, END)
  const second = [control(1), frame(2, upper), frame(3, lower)]

  test('may lie in pieces, with texts between its frames', async () => {
    expect(await read(film(idat(upper), idat(lower), text, ...second))).not.toHaveProperty('unseenFrames')
  })

  test.each([
    ['the picture lies apart', [idat(upper), text, idat(lower), ...second]],
    ['a frame lies apart', [idat(pixels), control(1), frame(2, upper), text, frame(3, lower)]],
    ['what all frames share comes behind the first', [idat(pixels), pngChunk('tRNS', Buffer.alloc(6)), ...second]],
  ])('of which %s is not seen in full: browsers stop there', async (_what, chunks) => {
    expect(await read(film(...chunks))).toMatchObject({ unseenFrames: true })
  })
})
