// Animated PNG files, made here byte by byte, and played as browsers play them. Real: sharp, the threads, PDQ.
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { distance } from '../../../../src/imaging/pdq.ts'
import type { SeenPicture } from '../../../../src/imaging/picture.ts'
import { drawing, reading } from '../../../support/pictures.ts'
import { pngChunk, u32, withChunks } from '../../../support/png-files.ts'

const { reader, read, keep } = reading({ threads: 1 })
afterAll(() => reader.close())

interface Frame {
  readonly png: Buffer
  readonly left?: number
  readonly top?: number
  readonly ms?: number
  readonly dispose?: number
  readonly blend?: number
}

const [fake, harmless] = [
  await drawing().png({ compressionLevel: 1 }).toBuffer(),
  await drawing().negate().flip().png({ compressionLevel: 1 }).toBuffer(),
]
const mirrored = await drawing().flop().png({ compressionLevel: 1 }).toBuffer()

function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const found = []
  for (let at = 8; at + 12 <= png.length;) {
    const size = png.readUInt32BE(at)
    found.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + size) })
    at += 12 + size
  }
  return found
}
const u16 = (value: number) => u32(value).subarray(2)

/** With a picture of its own where `apart` is said, which no browser shows. */
function apng(frames: readonly Frame[], { apart, loops = 0 }: { apart?: Buffer; loops?: number } = {}): Buffer {
  const picture = apart ?? frames[0]?.png ?? Buffer.alloc(0)
  const chunks = chunksOf(picture)
  let order = 0
  const parts = frames.map(({ png, left = 0, top = 0, ms = 100, dispose = 0, blend = 0 }, n) => {
    const [head, data] = [
      chunksOf(png)[0]?.data ?? Buffer.alloc(13),
      chunksOf(png).filter(({ type }) => type === 'IDAT'),
    ]
    const control = pngChunk(
      'fcTL',
      Buffer.concat([
        u32(order++),
        head.subarray(0, 8),
        u32(left),
        u32(top),
        u16(ms),
        u16(1_000),
        Buffer.from([dispose, blend]),
      ]),
    )
    if (n === 0 && apart === undefined)
      return Buffer.concat([control, ...data.map((one) => pngChunk('IDAT', one.data))])
    return Buffer.concat([control, ...data.map((one) => pngChunk('fdAT', Buffer.concat([u32(order++), one.data])))])
  })
  return Buffer.concat([
    picture.subarray(0, 8),
    pngChunk('IHDR', chunks[0]?.data ?? Buffer.alloc(13)),
    pngChunk('acTL', Buffer.concat([u32(frames.length), u32(loops)])),
    ...chunks
      .filter(({ type }) => ['PLTE', 'tRNS', 'gAMA'].includes(type))
      .map(({ type, data }) => pngChunk(type, data)),
    ...(apart === undefined
      ? []
      : chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => pngChunk('IDAT', data))),
    ...parts,
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

async function seen(bytes: Uint8Array): Promise<SeenPicture> {
  const picture = await read(bytes)
  if (picture.state !== 'seen') throw new Error(`${picture.fault}: ${picture.message}`)
  return picture
}
const hashOf = async (bytes: Uint8Array) => (await seen(bytes)).hash.bytes
const bits = async (picture: { hash: SeenPicture['hash'] } | undefined, still: Uint8Array) =>
  picture === undefined ? Infinity : distance(picture.hash.bytes, await hashOf(still))

test('both frames are seen, what people see longest first, and kept', async () => {
  const file = apng([{ png: harmless }, { png: fake, ms: 5_000 }])
  const picture = await seen(file)
  expect(picture).not.toHaveProperty('unseenFrames')
  expect(await bits(picture, fake)).toBe(0)
  expect(picture.frames).toHaveLength(1)
  expect(await bits(picture.frames?.[0], harmless)).toBe(0)
  const kept = await keep(file)
  expect(kept?.frames).toHaveLength(1)
  expect(await sharp(kept?.body).metadata()).toMatchObject({ pages: 2, width: 320, height: 240 })
})

test('a picture that is none of the frames is seen too, behind them', async () => {
  const picture = await seen(apng([{ png: harmless }, { png: fake }], { apart: mirrored, loops: 1 }))
  expect(await bits(picture, fake)).toBe(0)
  expect(await Promise.all((picture.frames ?? []).map((frame) => bits(frame, mirrored)))).toContain(0)
  expect(picture.frames).toHaveLength(2)
  const one = await seen(apng([{ png: fake }], { apart: harmless }))
  expect([await bits(one, fake), await bits(one.frames?.[0], harmless)]).toEqual([0, 0])
  // Other tools hash the picture alone.
  const plain = reading({ firstFrame: true })
  const first = await plain.read(apng([{ png: fake }], { apart: harmless }))
  expect(first.state === 'seen' && (await bits(first, harmless))).toBe(0)
  expect(first).toMatchObject({ unseenFrames: true })
  await plain.reader.close()
})

test('frames that look the same, or are blank, are one still picture of the one that is not', async () => {
  const white = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#fff' } })
    .png()
    .toBuffer()
  const file = apng([{ png: white, ms: 4_000 }, { png: fake }, { png: fake }])
  const picture = await seen(file)
  expect(await bits(picture, fake)).toBe(0)
  expect(picture).not.toHaveProperty('frames')
  expect(await bits(await seen((await keep(file))?.body ?? new Uint8Array()), fake)).toBeLessThanOrEqual(10)
})

const [left, top, width, height] = [120, 60, 160, 120]
const patch = await sharp(mirrored).extract({ left: 0, top: 0, width, height }).png().toBuffer()
const half = await sharp(patch).ensureAlpha(0.5).png().toBuffer()
const over = async (ground: Buffer, input: Buffer) =>
  await sharp(ground).composite([{ input, left, top }]).png().toBuffer()
const clear = await sharp(fake)
  .composite([{ input: { create: { width, height, channels: 3, background: '#fff' } }, left, top }])
  .png()
  .toBuffer()
const rgba = await sharp(fake).ensureAlpha().png().toBuffer()

describe('a part of a frame', () => {
  test('lies over what stood before', async () => {
    const picture = await seen(apng([{ png: fake }, { png: patch, left, top, ms: 900 }]))
    expect(await bits(picture, await over(fake, patch))).toBe(0)
  })

  test('half transparent, it is blended where that is asked, and else in its place', async () => {
    const blended = await seen(apng([{ png: rgba }, { png: half, left, top, ms: 900, blend: 1 }]))
    expect(await bits(blended, await over(fake, half))).toBeLessThanOrEqual(2)
    const replaced = await seen(apng([{ png: rgba }, { png: half, left, top, ms: 900 }]))
    expect(await bits(replaced, await over(clear, half))).toBeLessThanOrEqual(2)
  })

  test('goes as it says: its place is cleared, or is as before', async () => {
    const small = { png: await sharp(half).resize(2, 2).png().toBuffer(), ms: 900, blend: 1 }
    const cleared = await seen(apng([{ png: rgba }, { png: half, left, top, dispose: 1 }, small]))
    expect(await bits(cleared, clear)).toBeLessThanOrEqual(2)
    const restored = await seen(apng([{ png: rgba }, { png: half, left, top, dispose: 2 }, small]))
    expect(await bits(restored, fake)).toBeLessThanOrEqual(2)
  })
})

test('colours by a palette, greys and sixteen bits are decoded like those of any PNG', async () => {
  for (const made of [
    (one: Buffer) => sharp(one).png({ palette: true, colours: 256, dither: 0 }),
    (one: Buffer) => sharp(one).toColourspace('b-w').png(),
    (one: Buffer) => sharp(one).toColourspace('rgb16').png(),
    (one: Buffer) => sharp(one).png({ progressive: true }),
  ]) {
    // Of one palette: turned by half, a picture has the same colours.
    const [a, b] = [await made(fake).toBuffer(), await made(await sharp(fake).rotate(180).toBuffer()).toBuffer()]
    const picture = await seen(apng([{ png: a, ms: 900 }, { png: b }]))
    expect(picture.frames).toHaveLength(1)
    expect(await bits(picture, a)).toBeLessThanOrEqual(2)
  }
})

describe('its picture alone is seen, and that there is more', () => {
  const whole = apng([{ png: fake }, { png: harmless, ms: 5_000 }])
  const swapped = (type: string, by: (data: Buffer) => void) => {
    const parts = chunksOf(whole).map((one) => {
      const data = Buffer.from(one.data)
      if (one.type === type) by(data)
      return pngChunk(one.type, data)
    })
    return Buffer.concat([whole.subarray(0, 8), ...parts])
  }
  test.each([
    ['frames are not in order', swapped('fdAT', (data) => data.writeUInt32BE(7, 0))],
    ['a frame reaches beyond the picture', swapped('fcTL', (data) => data.writeUInt32BE(1, 12))],
    ['there are fewer than it says', swapped('acTL', (data) => data.writeUInt32BE(3, 0))],
    ['a frame does not unpack', swapped('fdAT', (data) => data.fill(0, 100))],
    ['a frame says how it goes in no known way', swapped('fcTL', (data) => data.writeUInt8(9, 24))],
  ])('where %s', async (_why, file) => {
    const picture = await seen(file)
    expect(picture).toMatchObject({ unseenFrames: true })
    expect(await bits(picture, fake)).toBe(0)
  })

  test('where what its frames share would be repeated without end', async () => {
    const frames = Array.from({ length: 20 }, (_, at) => ({ png: at % 2 === 0 ? fake : harmless }))
    const file = apng(frames)
    expect(await seen(file)).not.toHaveProperty('unseenFrames')
    expect(await seen(withChunks(file, pngChunk('sBIT', Buffer.alloc(1 << 20))))).toMatchObject({ unseenFrames: true })
  })

  test('where all frames together cost more than a picture may', async () => {
    // Of PNG half of the pixels count.
    const small = reading({ maxPixels: 320 * 240 * 3 })
    const picture = await small.read(whole)
    expect(picture).toMatchObject({ state: 'seen', unseenFrames: true })
    await small.reader.close()
  })
})
