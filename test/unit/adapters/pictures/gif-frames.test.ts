// Frames of GIFs that leave open what browsers show otherwise, or that end within their codes. Real: sharp, the thread, PDQ; every file is made here.
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { framesOfGif } from '../../../../src/adapters/pictures/gif-frames.ts'
import { drawing, reading } from '../../../support/pictures.ts'

const { reader, read } = reading()
afterAll(() => reader.close())

const [W, H] = [240, 180] as const
const whole = await drawing(W, H).gif({ effort: 1 }).toBuffer()
const word = (value: number) => Buffer.from([value & 255, value >> 8])
const END = Buffer.from([0x3b])

/** Its table of colours, and the codes of its only frame. */
const { table, codes } = (() => {
  const length = 3 * 2 ** (((whole[10] ?? 0) & 7) + 1)
  let at = 13 + length
  while (whole[at] === 0x21) {
    at += 2
    while (whole[at] !== 0) at += (whole[at] ?? 0) + 1
    at++
  }
  return { table: whole.subarray(13, 13 + length), codes: whole.subarray(at + 10, -1) }
})()

const head = (width: number, height: number) =>
  Buffer.concat([Buffer.from('GIF89a'), word(width), word(height), Buffer.from([whole[10] ?? 0, 0, 0]), table])
const control = (clear: boolean) => Buffer.from([0x21, 0xf9, 4, clear ? 5 : 4, 10, 0, 255, 0])
const frame = (left = 0, top = 0, data: Uint8Array = codes) =>
  Buffer.concat([Buffer.from([0x2c]), word(left), word(top), word(W), word(H), Buffer.from([0]), data])

describe('what no frame covers', () => {
  test('libnsgif leaves black, and browsers open: such a picture is not seen in full', async () => {
    expect(await read(Buffer.concat([head(2 * W, 2 * H), frame(), END]))).toMatchObject({ shownOtherwise: true })
    // Chromium makes the picture larger for it.
    expect(await read(Buffer.concat([head(W, H), frame(100, 60), END]))).toMatchObject({ shownOtherwise: true })
  })

  test('is nothing where anything is transparent, or the first frame covers all', async () => {
    for (const file of [
      Buffer.concat([head(2 * W, 2 * H), control(true), frame(), END]),
      Buffer.concat([head(W, H), control(false), frame(), frame(100, 60), END]),
      Buffer.concat([head(W / 2, H / 2), frame(), END]),
      whole,
    ])
      expect(await read(file)).not.toHaveProperty('shownOtherwise')
  })
})

describe('a frame that ends within its codes', () => {
  const cut = Buffer.concat([codes.subarray(0, 1 + 256 * Math.floor(codes.length / 512)), Buffer.from([0])])

  test('is told of, though libnsgif says nothing: browsers leave what was there before', async () => {
    const film = await read(Buffer.concat([head(W, H), frame(), frame(0, 0, cut), END]))
    expect(film).toMatchObject({ state: 'seen', damaged: true, unseenPart: true })
    expect(
      await read(Buffer.concat([head(W, H), frame(), frame(0, 0, codes.subarray(0, codes.length / 2))])),
    ).toMatchObject({
      damaged: true,
      unseenPart: true,
    })
  })

  test('by how much of all that is', () => {
    const missing = (data: Uint8Array) => framesOfGif(Buffer.concat([head(W, H), frame(0, 0, data), END])).missing
    expect(missing(codes)).toBe(0)
    expect(missing(cut)).toBeGreaterThan(0.2)
    expect(missing(cut)).toBeLessThan(0.8)
    for (const nothing of [Buffer.from([2, 0]), Buffer.from([12, 2, 0x4c, 1, 0]), Buffer.alloc(0)])
      expect(missing(nothing)).toBe(1)
  })
})

test.each([
  ['one colour', drawing(300, 200).resize(1, 1).resize(700, 500, { kernel: 'nearest' })],
  ['few', drawing(640, 480)],
  ['noise', drawing(8, 8).resize(500, 400).linear(3, -99)],
])('what an encoder writes of %s is counted to its last pixel', async (_what, drawn) => {
  for (const progressive of [true, false])
    for (const colours of [2, 16, 256]) {
      const file = await drawn.clone().gif({ effort: 1, colours, progressive }).toBuffer()
      expect(framesOfGif(file)).toEqual({ isOpen: false, missing: 0 })
    }
})

test('whatever the bytes are, it is answered', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(whole.length), (bytes, at) => {
      const file = Buffer.from(whole)
      Buffer.from(bytes).copy(file, at)
      const { missing } = framesOfGif(file.subarray(0, at + bytes.length))
      expect(missing >= 0 && missing <= 1).toBe(true)
    }),
    { numRuns: 300 },
  )
})
