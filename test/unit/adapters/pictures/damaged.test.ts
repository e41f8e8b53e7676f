// Pictures that end too soon, which browsers show as far as they go. Real: sharp, the threads, PDQ; every file is made here.
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { distance } from '../../../../src/imaging/pdq.ts'
import type { Picture } from '../../../../src/imaging/picture.ts'
import { drawing, reading } from '../../../support/pictures.ts'
import { pngChunk, withChunks } from '../../../support/png-files.ts'

const { reader, read, keep } = reading({ threads: 2 })
afterAll(() => reader.close())

const files = {
  jpeg: await drawing().jpeg().toBuffer(),
  'progressive jpeg': await drawing().jpeg({ progressive: true }).toBuffer(),
  png: await drawing().png().toBuffer(),
  'interlaced png': await drawing().png({ progressive: true }).toBuffer(),
  'interlaced png with a palette': await drawing().png({ progressive: true, palette: true }).toBuffer(),
  webp: await drawing().webp().toBuffer(),
  'webp with alpha': await drawing(320, 240, 4).webp().toBuffer(),
  'lossless webp': await drawing().webp({ lossless: true }).toBuffer(),
  gif: await drawing().gif({ effort: 1 }).toBuffer(),
}

async function apart(whole: Uint8Array, cut: Uint8Array): Promise<number> {
  const [a, b] = [await read(whole), await read(cut)]
  if (a.state !== 'seen' || b.state !== 'seen') return Infinity
  return distance(a.hash.bytes, b.hash.bytes)
}

describe.each(Object.entries(files))('a %s', (_name, whole) => {
  test('without its last bytes is the same picture', async () => {
    // At 12 an entry of a bank still matches by half of what it may be apart.
    for (const less of [1, 2, 4, 12]) {
      const bits = await apart(whole, whole.subarray(0, whole.length - less))
      expect([less, bits <= 14]).toEqual([less, true])
    }
  })

  test('cut anywhere gets an answer: what it shows, or that it is no picture; and says that it is damaged', async () => {
    for (const share of [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97]) {
      const picture = await read(whole.subarray(0, Math.floor(whole.length * share)))
      if (picture.state === 'unseen') expect([share, picture.fault]).toEqual([share, 'not-a-picture'])
      // Near-blank and damaged together is not seen at all.
      else expect(picture).toMatchObject({ width: 320, height: 240, damaged: true, blank: false })
    }
  })
})

test('what is missing is told of beside others that are broken too: threads share what libvips says of errors', async () => {
  const cuts = Array.from({ length: 60 }, (_, i) =>
    files.jpeg.subarray(0, Math.floor(files.jpeg.length * (0.4 + i / 120))),
  )
  const all = [...cuts, ...cuts.map((cut) => Buffer.concat([cut, Buffer.of(0xff, 0xd9)]))]
  const told = (one: Picture) => (one.state === 'seen' ? [one.damaged, one.unseenPart] : one.fault)
  const alone = []
  for (const one of all) alone.push(told(await read(one)))
  expect(alone.filter((one) => Array.isArray(one) && one[1] === true).length).toBeGreaterThan(60)
  const together = await Promise.all(all.map((one) => read(one)))
  expect(together.map(told)).toEqual(alone)
})

test('a whole picture is not damaged', async () => {
  for (const whole of Object.values(files)) expect(await read(whole)).not.toHaveProperty('damaged')
})

test('the half of a picture that is there is seen as a browser shows it, and kept', async () => {
  const half = files.png.subarray(0, files.png.length / 2)
  const kept = await keep(half)
  const [seen, shown] = [await read(half), await sharp(kept?.body).metadata()]
  expect(seen).toMatchObject({ state: 'seen', damaged: true })
  expect(kept?.hash).toBe(seen.state === 'seen' && Buffer.from(seen.hash.bytes).toString('hex'))
  expect([shown.width, shown.height]).toEqual([320, 240])
})

test('a picture of which next to nothing is left is neither seen nor kept: it would pass for an empty one', async () => {
  const little = files.jpeg.subarray(0, Math.floor(files.jpeg.length * 0.1))
  expect(await read(little)).toMatchObject({ state: 'unseen', fault: 'not-a-picture' })
  expect(await keep(little)).toBeUndefined()
  const plain = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#fff' } })
    .jpeg()
    .toBuffer()
  expect(await read(plain)).toMatchObject({ state: 'seen', blank: true })
  expect(await read(plain.subarray(0, -2))).toMatchObject({ state: 'unseen', fault: 'not-a-picture' })
})

test('a header that claims gigabytes gets no gigabytes', async () => {
  const webp = Buffer.from(files.webp.subarray(0, 1_000))
  webp.writeUInt32LE(0xffff_fff0, 4)
  const before = process.memoryUsage().rss
  expect(await read(webp)).toMatchObject({ state: 'unseen', fault: 'not-a-picture' })
  const png = Buffer.from(files['interlaced png'].subarray(0, 20_000))
  png.writeUInt32BE(7_000, 16)
  png.writeUInt32BE(3_500, 20)
  expect(await read(png)).toMatchObject({ state: 'unseen', fault: 'not-a-picture' })
  expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20)
})

describe('of how much is missing', () => {
  const lined = ['jpeg', 'png', 'interlaced png', 'webp', 'lossless webp', 'gif'] as const

  test.each(lined)('a %s of which a fifth or more is cut off is not seen in full', async (name) => {
    for (const share of [0.3, 0.5, 0.7, 0.8]) {
      const picture = await read(files[name].subarray(0, Math.floor(files[name].length * share)))
      if (picture.state === 'seen') expect([share, picture]).toMatchObject([share, { unseenPart: true }])
    }
  })

  test.each(Object.entries(files))('a %s is told of before it is lost to the banks', async (name, whole) => {
    // What lies beyond by a little: lines of an interlaced one are black where browsers show squares.
    const most = name.startsWith('interlaced') ? 36 : 31
    for (let share = 0.99; share > 0.7; share -= 0.02) {
      const cut = whole.subarray(0, Math.floor(whole.length * share))
      const picture = await read(cut)
      if (picture.state === 'seen' && picture.unseenPart === undefined)
        expect([share, (await apart(whole, cut)) <= most]).toEqual([share, true])
    }
  })

  test.each(Object.entries(files))(
    'a %s that lacks its end mark, or little more, is seen in full',
    async (_n, whole) => {
      for (const less of [1, 2, 12, Math.floor(whole.length * 0.02)])
        expect(await read(whole.subarray(0, whole.length - less))).not.toHaveProperty('unseenPart')
    },
  )

  test('every scan of a progressive JPEG after the first is but detail', async () => {
    const file = files['progressive jpeg']
    expect(await read(file.subarray(0, file.length * 0.5))).not.toHaveProperty('unseenPart')
    expect(await read(file.subarray(0, file.length * 0.12))).toMatchObject({ unseenPart: true })
  })

  test('an end mark behind what is there makes a JPEG no more whole', async () => {
    const end = Buffer.from([0xff, 0xd9])
    for (const [name, cmyk] of [
      ['jpeg', files.jpeg],
      ['cmyk', await drawing().toColourspace('cmyk').jpeg().toBuffer()],
    ] as const) {
      const file = Buffer.concat([cmyk.subarray(0, cmyk.length * 0.7), end])
      expect([name, await read(file)]).toMatchObject([name, { damaged: true, unseenPart: true }])
    }
  })

  test('a plain ground below the goods is not missing: white, grey or transparent', async () => {
    const below = async (background: object, height = 120) =>
      drawing().extend({ bottom: height, background: background as { r: number } })
    const white = await (await below({ r: 255, g: 255, b: 255 })).jpeg().toBuffer()
    const grey = await (await below({ r: 128, g: 128, b: 128 })).jpeg().toBuffer()
    const clear = await (await below({ r: 0, g: 0, b: 0, alpha: 0 })).png({ compressionLevel: 0 }).toBuffer()
    expect(await read(white.subarray(0, -2))).toMatchObject({ state: 'seen', damaged: true })
    expect(await read(white.subarray(0, -2))).not.toHaveProperty('unseenPart')
    expect(await read(clear.subarray(0, -2_000))).toMatchObject({ state: 'seen', damaged: true })
    expect(await read(clear.subarray(0, -2_000))).not.toHaveProperty('unseenPart')
    expect(await read(grey)).not.toHaveProperty('damaged')
    for (const progressive of [false, true])
      for (const background of [
        { r: 128, g: 128, b: 128 },
        { r: 160, g: 176, b: 168 },
      ]) {
        const whole = await (await below(background)).jpeg({ progressive }).toBuffer()
        for (const less of [1, 2]) {
          const picture = await read(whole.subarray(0, -less))
          expect(picture).toMatchObject({ state: 'seen', damaged: true })
          expect(picture).not.toHaveProperty('unseenPart')
        }
      }
    const tinted = await (await below({ r: 160, g: 176, b: 168 })).jpeg({ progressive: true }).toBuffer()
    expect(await read(tinted.subarray(0, -20))).not.toHaveProperty('unseenPart')
  })

  test('what is told of the pixels of a WebP may be missing', async () => {
    const webp = await drawing()
      .withExif({ IFD0: { Copyright: 'someone '.repeat(20) } })
      .webp()
      .toBuffer()
    expect(await read(webp.subarray(0, -60))).not.toHaveProperty('unseenPart')
  })

  test('pixels in very many pieces, empty or of a byte, are refused at once, and end no thread', async () => {
    const png = await drawing().png().toBuffer()
    for (const piece of [pngChunk('IDAT', Buffer.alloc(0)), pngChunk('IDAT', Buffer.alloc(1))]) {
      const many = Buffer.concat(Array.from({ length: 800_000 }, () => piece))
      expect(await read(withChunks(png.subarray(0, png.length * 0.9), many))).toMatchObject({
        state: 'unseen',
        message: 'a png in more than 20000 pieces',
      })
    }
  })
})
