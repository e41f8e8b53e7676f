// AVIF files of a kilobyte that ask for gigabytes or minutes, and honest ones beside them. Real: sharp; the files are made here, box by box.
import { expect, test } from 'vitest'
import { pixelsOfAvif } from '../../../../src/adapters/pictures/avif.ts'
import { open } from '../../../../src/adapters/pictures/decode.ts'
import { ALPHA, avifOf, box, coded, flat, full, grid, image, ispe, u16 } from '../../../support/avif-files.ts'
import { drawing } from '../../../support/pictures.ts'

const LIMITS = { maxPixels: 50_000_000, timeMs: 5_000 }
const wrong = (file: Buffer) => {
  const pixels = pixelsOfAvif(file)
  return 'wrong' in pixels ? pixels.wrong : pixels
}
const small = await flat(64, 64)
const large = await flat(1_200, 1_200)

async function refused(file: Buffer, why: string | RegExp) {
  const cpu = process.cpuUsage()
  const opened = await open(file, LIMITS)
  const { user, system } = process.cpuUsage(cpu)
  expect(opened).toMatchObject({ state: 'unseen', message: expect.stringMatching(why) as string })
  // Microseconds of a core: nothing was decoded.
  expect(user + system).toBeLessThan(500_000)
}

test('a grid that shows one tile again and again is refused before libheif decodes it 256 times', async () => {
  const places = Array.from({ length: 256 }, () => 2)
  const bomb = avifOf([grid(16, 16, 64, 64), image(large, 1_200, 1_200)], [{ type: 'dimg', from: 1, to: places }])
  expect(bomb.length).toBeLessThan(1_500)
  await refused(bomb, 'a grid of 16 × 16 without a tile of its own for each place')
  // Tiles of their own, but far more of them than there is to cover.
  const tiles = Array.from({ length: 16 }, () => image(large, 1_200, 1_200))
  const wide = avifOf([grid(4, 4, 64, 64), ...tiles], [{ type: 'dimg', from: 1, to: tiles.map((_, at) => at + 2) }])
  await refused(wide, 'a grid of 4 × 4 tiles of 1200 × 1200 for 64 × 64')
})

test('a grid as encoders write it is seen, and counts as what it covers', async () => {
  const tiles = [0, 1, 2, 3, 4, 5].map(() => image(small, 64, 64))
  const reference = { type: 'dimg', from: 1, to: [2, 3, 4, 5, 6, 7] }
  const file = avifOf([grid(3, 2, 180, 120), ...tiles], [reference])
  expect(pixelsOfAvif(file)).toEqual({ colours: 6 * 64 * 64, alpha: 0, isShownOtherwise: false })
  const within = avifOf([grid(3, 2, 180, 120), ...tiles], [reference], 1, true)
  expect(pixelsOfAvif(within)).toEqual({ colours: 6 * 64 * 64, alpha: 0, isShownOtherwise: false })
  const other = await open(within, LIMITS)
  expect(other.state === 'opened' && (await other.pixels()).width).toBe(180)
  const opened = await open(file, LIMITS)
  if (opened.state === 'unseen') throw new Error(opened.message)
  expect(opened).toMatchObject({ width: 180, height: 120 })
  const { data } = await opened.pixels()
  // The colour of every tile, of the last one too.
  for (const at of [0, data.length - 3]) expect([...data.subarray(at, at + 3)]).toEqual([...data.subarray(0, 3)])
  expect(Math.abs((data[0] ?? 0) - 0xaa)).toBeLessThan(6)
  // Its tiles are counted, not only what is left when it is cut.
  expect(await open(file, { ...LIMITS, maxPixels: 3 * 6 * 64 * 64 - 1 })).toMatchObject({
    fault: 'too-many-pixels',
    message: '24576 pixels in all its parts; of avif at most 24575 are decoded',
  })
})

test('an alpha must be as large as what it belongs to, and its pixels count as memory', async () => {
  const alpha = { type: 'auxl', from: 2, to: [1] }
  const bomb = avifOf([image(small, 64, 64), image(large, 1_200, 1_200, ALPHA)], [alpha])
  await refused(bomb, 'an alpha of 1200 × 1200 to 64 × 64 pixels')
  const honest = avifOf([image(small, 64, 64), image(small, 64, 64, ALPHA)], [alpha])
  const plain = await open(avifOf([image(small, 64, 64)]), LIMITS)
  const both = await open(honest, LIMITS)
  if (plain.state === 'unseen' || both.state === 'unseen') throw new Error('not opened')
  expect(both.memory).toBe(2 * plain.memory)
  expect((await both.pixels()).channels).toBe(3)
})

test('what has no end: alphas of alphas, of tiles, two of them, pictures made of pictures', () => {
  const items = [image(small, 64, 64), image(small, 64, 64, ALPHA), image(small, 64, 64, ALPHA)]
  const to = (from: number, at: number, type = 'auxl') => ({ type, from, to: [at] })
  expect(wrong(avifOf(items, [to(2, 1), to(3, 2)]))).toBe('an alpha of an alpha')
  expect(wrong(avifOf(items, [to(2, 1), to(3, 1)]))).toBe('more than one alpha')
  const one = [grid(1, 1, 64, 64), ...items.slice(0, 2)]
  expect(wrong(avifOf(one, [to(1, 2, 'dimg'), to(3, 2)]))).toBe('an alpha of a part')
  expect(wrong(avifOf([grid(1, 1, 64, 64), grid(1, 1, 64, 64)], [to(1, 2, 'dimg'), to(2, 1, 'dimg')]))).toBe(
    'a grid of something else than AV1 images',
  )
  for (const type of ['iovl', 'iden', 'tmap', 'unci'])
    expect(wrong(avifOf([{ ...grid(1, 1, 64, 64), type }, ...items], [to(1, 2, 'dimg')]))).toBe(
      `a picture of kind ${type}; those of kind av01 and grid are decoded`,
    )
})

test('frames behind frames in one image are all decoded, and so are few', async () => {
  const frame = { ...large, data: Buffer.concat(Array.from({ length: 40 }, () => large.data)) }
  await refused(avifOf([image(frame, 1_200, 1_200)]), 'more than 4 frames in one image')
  // Or before them, behind the configuration.
  const hidden = { ...large, av1C: box('av1C', large.av1C.subarray(8), frame.data) }
  await refused(avifOf([image(hidden, 1_200, 1_200)]), 'more than 4 frames in one image')
  const two = { ...small, data: Buffer.concat([small.data, small.data]) }
  // Chromium shows the first of two, libaom the last; steps of one picture lie in layers.
  const told = { colours: 2 * 64 * 64, alpha: 0 }
  expect(pixelsOfAvif(avifOf([image(two, 64, 64)]))).toEqual({ ...told, isShownOtherwise: true })
  const steps = { ...small, data: Buffer.concat([small.data, layered(small.data, 1)]) }
  expect(pixelsOfAvif(avifOf([image(steps, 64, 64)]))).toEqual({ ...told, isShownOtherwise: false })
})

test('a size, a configuration, a place or a box twice is no answer to which of them counts', () => {
  const scaled = full('iscl', 0, u16(100, 1, 100, 1))
  expect(wrong(avifOf([image(small, 64, 64, ispe(9, 9))]))).toBe('a picture without one size')
  expect(wrong(avifOf([image(small, 64, 64, small.av1C)]))).toBe('an AV1 image with 2 configurations')
  expect(wrong(avifOf([image(small, 64, 64, scaled)]))).toBe('a picture that is to be scaled')
  const file = avifOf([image(small, 64, 64)])
  const at = file.indexOf('meta') - 4
  const meta = file.subarray(at, at + file.readUInt32BE(at))
  expect(wrong(Buffer.concat([file, meta]))).toBe('more than one meta box')
  expect(wrong(Buffer.concat([file, box('mini', [0])]))).toBe('a picture in the short form')
})

test('what an item names again and again, or wants inflated, is not read', () => {
  const file = avifOf([image(small, 64, 64), { type: 'Exif', data: Buffer.alloc(200), properties: [] }])
  const iloc = file.indexOf('iloc')
  // The second of two places, of twelve bytes each behind eight of header: its length.
  file.writeUInt32BE(file.length, iloc + 12 + 14 + 10)
  expect(wrong(file)).toBe('unexpected end of file')
  const mime = avifOf([image(small, 64, 64), { type: 'mime', data: Buffer.alloc(9), properties: [] }])
  expect(wrong(mime)).toEqual({ colours: 64 * 64, alpha: 0, isShownOtherwise: false })

  const infe = mime.lastIndexOf('mime\0')
  const longer = Buffer.concat([mime.subarray(0, infe + 5), Buffer.from('a\0deflate\0'), mime.subarray(infe + 5)])
  for (const type of ['meta', 'iinf']) grow(longer, longer.indexOf(type), 10)
  grow(longer, longer.lastIndexOf('infe'), 10)
  expect(wrong(longer)).toBe('an item that is to be inflated')
})

test('a picture that is not the primary one is not decoded, whatever it is', async () => {
  const places = Array.from({ length: 64 }, () => 2)
  const file = avifOf(
    [grid(8, 8, 64, 64), image(large, 1_200, 1_200), image(small, 64, 64)],
    [{ type: 'dimg', from: 1, to: places }],
    3,
  )
  const opened = await open(file, LIMITS)
  if (opened.state === 'unseen') throw new Error(opened.message)
  const cpu = process.cpuUsage()
  await opened.pixels()
  const { user, system } = process.cpuUsage(cpu)
  expect(user + system).toBeLessThan(500_000)
})

test('every honest file that sharp writes weighs what it has', async () => {
  for (const [channels, alpha] of [
    [3, 0],
    [4, 1],
    [1, 0],
  ] as const) {
    const file = await drawing(320, 240, channels).avif({ effort: 0 }).toBuffer()
    expect(pixelsOfAvif(file)).toEqual({ colours: 320 * 240, alpha: alpha * 320 * 240, isShownOtherwise: false })
  }
  const tagged = await drawing()
    .withExif({ IFD0: { Artist: 'somebody' } })
    .avif({ effort: 0 })
    .toBuffer()
  expect(pixelsOfAvif(tagged)).toEqual({ colours: 320 * 240, alpha: 0, isShownOtherwise: false })
  // Something may hang behind it.
  expect(pixelsOfAvif(Buffer.concat([tagged, Buffer.from('PK\x03\x04 and more')]))).toHaveProperty('colours')
})

test('cut anywhere, or with any byte changed, it is answered at once', async () => {
  const file = await drawing(64, 48, 4).avif({ effort: 0 }).toBuffer()
  const head = file.indexOf('mdat')
  for (let length = 0; length < head; length++) expect(pixelsOfAvif(file.subarray(0, length))).toHaveProperty('wrong')
  for (let at = 0; at < head; at++)
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = Buffer.from(file)
      changed[at] = value
      expect(() => pixelsOfAvif(changed)).not.toThrow()
    }
  expect(coded(file).data.length).toBeGreaterThan(0)
})

function grow(file: Buffer, at: number, by: number): void {
  file.writeUInt32BE(file.readUInt32BE(at - 4) + by, at - 4)
}

/** The units of an image, each of them said to be of a layer (5.3.3). */
function layered(obus: Buffer, layer: number): Buffer {
  const units: Buffer[] = []
  for (let at = 0; at < obus.length;) {
    let [size, body] = [0, at + 1]
    for (let shift = 0; ; shift += 7) {
      const byte = obus[body++] ?? 0
      size |= (byte & 127) << shift
      if (byte < 128) break
    }
    const head = Buffer.from([(obus[at] ?? 0) | 4, layer << 3])
    units.push(head, obus.subarray(at + 1, body + size))
    at = body + size
  }
  return Buffer.concat(units)
}
