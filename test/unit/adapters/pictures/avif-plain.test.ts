// What a decoder reads otherwise than a reader of boxes would is refused, however small. Real: sharp's own bytes; the files are made here.
import { expect, test } from 'vitest'
import { pixelsOfAvif } from '../../../../src/adapters/pictures/avif.ts'
import { colouredBy } from '../../../../src/adapters/pictures/png-chunks.ts'
import { avifOf, box, flat, grid, image, u32 } from '../../../support/avif-files.ts'
import { drawing } from '../../../support/pictures.ts'

const small = await flat(64, 64)
const wrong = (file: Buffer) => {
  const pixels = pixelsOfAvif(file)
  return 'wrong' in pixels ? pixels.wrong : pixels
}
const withData = (...data: readonly Uint8Array[]) => avifOf([image({ ...small, data: Buffer.concat(data) }, 64, 64)])

test('frames behind a zero byte, which the decoder passes over; zeros at the end hide nothing', () => {
  const hidden = Array.from({ length: 60 }, () => Buffer.concat([small.data, Buffer.from([0])]))
  expect(wrong(withData(...hidden))).toBe('an AV1 unit of no kind')
  expect(wrong(withData(small.data, Buffer.alloc(9)))).toEqual({ colours: 64 * 64, alpha: 0, isShownOtherwise: false })
})

test('units that end beyond the item, or nobody knows where', () => {
  expect(wrong(withData(small.data, Buffer.from([0x7a, 1])))).toMatch(/end/)
  // Padding without a size: whatever follows is of it, or is not.
  expect(wrong(withData(Buffer.from([0x78]), small.data))).toBe('an AV1 unit without a size')
})

test('turns are done as often as they are named', () => {
  const [turn, mirror] = [box('irot', [1]), box('imir', [0])]
  expect(wrong(avifOf([image(small, 64, 64, turn, mirror)]))).toEqual({
    colours: 64 * 64,
    alpha: 0,
    isShownOtherwise: false,
  })
  expect(wrong(avifOf([image(small, 64, 64, ...Array.from({ length: 60 }, () => turn))]))).toBe('more than one irot')
  expect(wrong(avifOf([image(small, 64, 64, mirror, mirror)]))).toBe('more than one imir')
  const tiles = [grid(1, 1, 64, 64), image(small, 64, 64, turn)]
  expect(wrong(avifOf(tiles, [{ type: 'dimg', from: 1, to: [2] }]))).toBe('a tile that is to be turned')
})

test('a crop that Chromium may not obey, and shows all of the picture, is told of unless it leaves out next to nothing', () => {
  const crop = (...numbers: number[]) => box('clap', ...numbers.map(u32))
  const isShownOtherwise = (clap: Buffer) => pixelsOfAvif(avifOf([image(small, 64, 64, clap)]))
  for (const clap of [
    crop(32, 1, 32, 1, 0, 2, 0, 2),
    crop(64, 2, 64, 1, 0, 1, 0, 1),
    crop(1, 0, 1, 0),
    crop(60, 1, 60, 1),
  ])
    expect(isShownOtherwise(clap)).toMatchObject({ isShownOtherwise: true })
  expect(isShownOtherwise(crop(0, 0, 64, 1, 0, 1, 0, 1))).toMatchObject({ isShownOtherwise: true })
  expect(isShownOtherwise(crop(64, 1, 60, 1, 0, 1, 0, 1))).toMatchObject({ isShownOtherwise: false })
})

test('places in numbers of a size that libheif takes for nothing, and parts without a length', () => {
  const file = avifOf([image(small, 64, 64)])
  const sizes = file.indexOf('iloc') + 8
  const other = Buffer.from(file)
  other[sizes] = 0x24
  expect(wrong(other)).toMatch(/another size than 4 or 8/)
  // Count of items, item, reference, extents: then its place and its length.
  const empty = Buffer.from(file)
  empty.writeUInt32BE(0, sizes + 2 + 2 + 2 + 2 + 2 + 4)
  expect(wrong(empty)).toBe('a part of an item without a length')
})

test('a PNG whose pixels come only behind a thousand other chunks is doubtful: what it says of colours was not read', async () => {
  const png = await drawing().png().toBuffer()
  const chunk = Buffer.from([0, 0, 0, 0, ...Buffer.from('abCd'), 0, 0, 0, 0])
  const padded = (count: number) =>
    Buffer.concat([png.subarray(0, 33), ...Array.from({ length: count }, () => chunk), png.subarray(33)])
  expect(colouredBy(padded(900)).isDoubtful).toBe(false)
  expect(colouredBy(padded(1_000)).isDoubtful).toBe(true)
})
