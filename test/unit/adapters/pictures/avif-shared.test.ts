// AVIF files whose parts name the same bytes, or a great many of them: none is read twice. Real: sharp where one is decoded; the files are made here, box by box.
import { afterEach, expect, test, vi } from 'vitest'
import { pixelsOfAvif } from '../../../../src/adapters/pictures/avif.ts'
import { open } from '../../../../src/adapters/pictures/decode.ts'
import { ALPHA, avifOf, flat, full, grid, image, type Coded } from '../../../support/avif-files.ts'

const small = await flat(64, 64)
const said = (file: Buffer) => {
  const pixels = pixelsOfAvif(file)
  return 'wrong' in pixels ? pixels.wrong : pixels
}
const PADDING = Buffer.from([0x7a, 0])
const padding = (bytes: number) => {
  const unit = Buffer.alloc(5 + bytes)
  unit[0] = 0x7a
  for (let at = 1; at < 5; at++) unit[at] = ((bytes >> (7 * (at - 1))) & 127) | (at < 4 ? 128 : 0)
  return unit
}
const padded = (...before: readonly Uint8Array[]): Coded => ({
  ...small,
  data: Buffer.concat([...before, small.data]),
})

/** A grid whose tiles lie in the file where the first does, each so many bytes further in, and as much shorter. */
function sharing(side: number, tile: Coded, further = 0): Buffer {
  const tiles = Array.from({ length: side * side }, (_, n) => ({
    ...image(tile, 64, 64),
    data: n === 0 ? tile.data : Buffer.alloc(0),
  }))
  const to = tiles.map((_, n) => n + 2)
  const file = avifOf([grid(side, side, 64 * side, 64 * side), ...tiles], [{ type: 'dimg', from: 1, to }])
  // Version, count of places; of each the item, reference and count before the place and the length.
  const placeOf = (item: number) => file.indexOf('iloc') + 4 + 4 + 2 + 2 + 14 * (item - 1) + 6
  const first = file.readUInt32BE(placeOf(2))
  for (const [n, item] of to.entries()) {
    file.writeUInt32BE(first + n * further, placeOf(item))
    file.writeUInt32BE(tile.data.length - n * further, placeOf(item) + 4)
  }
  return file
}

afterEach(() => vi.restoreAllMocks())

test('tiles that are alike and lie in the file once, as libavif writes them, are seen, and read once', async () => {
  const file = sharing(4, padded(padding(100_000)))
  const joined = vi.spyOn(Buffer, 'concat')
  expect(said(file)).toEqual({ colours: 16 * 64 * 64, alpha: 0, isShownOtherwise: false })
  const copied = joined.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0)
  expect(copied).toBeGreaterThan(100_000)
  expect(copied).toBeLessThan(file.length)
  const opened = await open(sharing(4, small), { maxPixels: 50_000_000, timeMs: 5_000 })
  expect(opened.state === 'opened' && (await opened.pixels()).width).toBe(256)
})

test('tiles that lie in each other would be read again and again', () => {
  const pads = Array.from({ length: 20 }, () => PADDING)
  expect(said(sharing(4, padded(...pads, padding(100_000)), PADDING.length))).toMatch(/^images that lie in each other/)
})

test('a decoder would take shared bytes for each tile: a few megabytes of them, not any number', () => {
  expect(said(sharing(6, padded(padding(400_000))))).toMatchObject({ colours: 36 * 64 * 64 })
  expect(said(sharing(6, padded(padding(600_000))))).toMatch(/bytes of images in a file of/)
})

test('more units than any encoder writes, of whatever kind', () => {
  const units = (count: number, unit: Buffer) =>
    said(avifOf([image(padded(...Array.from({ length: count }, () => unit)), 64, 64)]))
  const head = small.data.subarray(2, 4 + (small.data[3] ?? 0))
  for (const unit of [PADDING, head]) {
    expect(units(150, unit)).toEqual({ colours: 64 * 64, alpha: 0, isShownOtherwise: false })
    expect(units(200, unit)).toBe('more than 200 AV1 units in one image')
  }
})

test('a kind of auxiliary picture that is long is not searched for what it says', () => {
  const kind = (length: number) => full('auxC', 0, Buffer.alloc(length, 'd'))
  const file = (property: Buffer) =>
    avifOf([image(small, 64, 64), image(small, 64, 32, property)], [{ type: 'auxl', from: 2, to: [1] }])
  expect(said(file(kind(100)))).toMatchObject({ alpha: 0 })
  expect(said(file(kind(1_000)))).toBe('an alpha of 64 × 32 to 64 × 64 pixels')
  expect(said(file(ALPHA))).toBe('an alpha of 64 × 32 to 64 × 64 pixels')
})
