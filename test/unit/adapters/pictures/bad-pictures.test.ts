// What strangers may send instead of a picture, and bombs. Real: sharp, the threads, PDQ; every file is made here.
import { crc32, deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { drawing, reading } from '../../../support/pictures.ts'

const { reader, read, keep } = reading({ threads: 2 })
afterAll(() => reader.close())

const fault = async (bytes: Uint8Array) => {
  const picture = await read(bytes)
  return picture.state === 'seen' ? `seen as ${picture.format}` : picture.fault
}

const files = {
  jpeg: await drawing().jpeg().toBuffer(),
  'progressive jpeg': await drawing().jpeg({ progressive: true }).toBuffer(),
  png: await drawing().png().toBuffer(),
  'interlaced png': await drawing().png({ progressive: true }).toBuffer(),
  webp: await drawing().webp().toBuffer(),
  'lossless webp': await drawing().webp({ lossless: true }).toBuffer(),
  avif: await drawing().avif({ effort: 0 }).toBuffer(),
  gif: await drawing().gif({ effort: 1 }).toBuffer(),
}

const tiff = await drawing().tiff().toBuffer()

describe('not one of the five', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from([0xff])],
    ['zeros', Buffer.alloc(100_000)],
    ['text', Buffer.from('GIF is what I would like to be')],
    ['HTML', Buffer.from('<!doctype html><img src=x onerror=alert(1)>')],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/hostname"/></svg>')],
    ['TIFF', tiff],
    ['PDF', Buffer.from('%PDF-1.7\n1 0 obj<<>>endobj')],
    ['HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0heicmif1', 'latin1')],
    ['JPEG XL', Buffer.from([0xff, 0x0a, 0, 0, 0, 0, 0, 0])],
    ['a ZIP', Buffer.from('PK\x03\x04........')],
    ['PPM', Buffer.from('P6 1 1 255\nabc')],
  ])('%s', async (_what, bytes) => {
    expect(await fault(bytes)).toBe('not-a-picture')
    expect(await keep(bytes)).toBeUndefined()
  })

  test.each([
    ['jpeg', Buffer.concat([files.jpeg.subarray(0, 20), Buffer.alloc(500, 7)])],
    ['png', Buffer.concat([files.png.subarray(0, 8), Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')])],
    ['gif', Buffer.from('GIF89a<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['webp', Buffer.concat([Buffer.from('RIFF\xff\xff\xff\x7fWEBPVP8 ', 'latin1'), Buffer.alloc(64)])],
    ['avif', Buffer.from('\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf\0\0\0\x08meta', 'latin1')],
  ])('the first bytes of %s, and rubbish behind', async (_what, bytes) => {
    expect(await fault(bytes)).toBe('not-a-picture')
  })
})

test('a polyglot is what its first bytes say, and what hangs behind it is never looked at', async () => {
  const html = Buffer.from('<script>alert(1)</script><svg xmlns="http://www.w3.org/2000/svg"/>')
  const zip = Buffer.from('PK\x03\x04\x14\0\0\0\0\0PK\x05\x06', 'latin1')
  for (const [format, tail] of [
    ['gif', html],
    ['jpeg', zip],
    ['png', html],
    ['webp', zip],
  ] as const) {
    const plain = await read(files[format])
    const both = await read(Buffer.concat([files[format], tail]))
    expect(both).toMatchObject({ state: 'seen', format })
    expect(both.state === 'seen' && plain.state === 'seen' && both.hash).toEqual(plain.state === 'seen' && plain.hash)
  }
  // The other way round it is no picture, whatever comes later.
  expect(await fault(Buffer.concat([html, files.gif]))).toBe('not-a-picture')
  expect(await fault(Buffer.concat([zip, files.jpeg]))).toBe('not-a-picture')
})

test('an AVIF that lacks anything is refused, as it is by browsers, and it is said why', async () => {
  const { avif } = files
  for (const length of [1, 12, 33, 200, avif.length / 2, avif.length - 1])
    expect([length, await fault(avif.subarray(0, length))]).toEqual([length, 'not-a-picture'])
  const picture = await read(avif.subarray(0, -100))
  // Not where libheif looked for the end of it, which comes first in what libvips says.
  expect(picture.state === 'unseen' && picture.message).toMatch(
    /^a avif that cannot be read: .*[Uu]nexpected end of file/,
  )
})

test.each(Object.entries(files))('the head of a %s alone is no picture', async (_name, whole) => {
  expect(await fault(whole)).toMatch(/^seen/)
  for (const length of [1, 2, 4, 8, 11, 12, 16, 33, 64])
    expect([length, await fault(whole.subarray(0, length))]).toEqual([length, 'not-a-picture'])
})

describe('bombs', () => {
  test('a hundred megapixels are refused by the header, in every format, before anything is decoded', async () => {
    const side = 10_000
    const bombs = {
      png: greyPng(side),
      // Encoding so many takes the others up to half a minute; in each the header says how many there are.
      webp: resizedWebp(files['lossless webp'], side),
      avif: resizedAvif(files.avif, side),
      gif: flickering(1, side),
      jpeg: resizedJpeg(files.jpeg, side),
    }
    for (const [format, bytes] of Object.entries(bombs)) {
      const begun = performance.now()
      expect([format, await fault(bytes)]).toEqual([format, 'too-many-pixels'])
      // Some milliseconds; decoding any of them takes more than a second.
      expect(performance.now() - begun).toBeLessThan(500)
      expect(await keep(bytes)).toBeUndefined()
    }
  })

  test('the limit is a setting, and counts pixels, not bytes', async () => {
    const small = reading({ maxPixels: 320 * 240 - 1 })
    expect(await small.read(files.jpeg)).toMatchObject({
      fault: 'too-many-pixels',
      message: '320 × 240 pixels; of jpeg at most 76799 are decoded',
    })
    await small.reader.close()
    const exact = reading({ maxPixels: 320 * 240, maxBytes: files.jpeg.length })
    expect(await exact.read(files.jpeg)).toMatchObject({ state: 'seen' })
    expect(await exact.read(Buffer.concat([files.jpeg, Buffer.alloc(1)]))).toMatchObject({ fault: 'too-large' })
    await exact.reader.close()
  })

  test('a pixel of a dear format counts as several: what fits in a kilobyte must not take a thread for seconds', async () => {
    const counts = { jpeg: 1, png: 2, 'lossless webp': 1, gif: 1, avif: 3 } as const
    for (const [name, count] of Object.entries(counts)) {
      const exact = reading({ maxPixels: 320 * 240 * count })
      expect([name, (await exact.read(files[name as keyof typeof counts])).state]).toEqual([name, 'seen'])
      await exact.reader.close()
      const below = reading({ maxPixels: 320 * 240 * count - 1 })
      expect([name, await below.read(files[name as keyof typeof counts])]).toMatchObject([
        name,
        { fault: 'too-many-pixels' },
      ])
      await below.reader.close()
    }
  })

  test('ten thousand frames cost what one does', async () => {
    const [one, many] = [flickering(1), flickering(10_000)]
    await read(one)
    const begun = performance.now()
    expect(await read(many)).toMatchObject({ state: 'seen', width: 400, height: 400, unseenFrames: true })
    // Decoded one by one they would take a minute; finding them in the file takes some milliseconds.
    expect(performance.now() - begun).toBeLessThan(1_000)
  })

  test('a PNG with a text of 64 MB, deflated to little, is not inflated', async () => {
    const text = Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(Buffer.alloc(64 << 20, 'a'))])
    const bytes = Buffer.concat([files.png.subarray(0, 33), pngChunk('zTXt', text), files.png.subarray(33)])
    const before = process.memoryUsage().rss
    const picture = await read(bytes)
    expect(['seen', 'unseen']).toContain(picture.state)
    expect(process.memoryUsage().rss - before).toBeLessThan(48 << 20)
  })
})

test('random bytes, with and without the first ones of a format: always an answer', async () => {
  const heads = Object.values(files).flatMap((file) => [file.subarray(0, 16), file.subarray(0, 200)])
  const rubbish = fc
    .tuple(fc.constantFrom(Buffer.alloc(0), ...heads), fc.uint8Array({ maxLength: 3_000 }))
    .map(([head, tail]) => Buffer.concat([head, tail]))
  await fc.assert(
    fc.asyncProperty(rubbish, async (bytes) => {
      const picture = await read(bytes)
      expect(picture.state === 'seen' || picture.fault === 'not-a-picture' || picture.fault === 'too-many-pixels').toBe(
        true,
      )
    }),
    { numRuns: 300, seed: 5 },
  )
})

test('real files with some bytes changed: always an answer', async () => {
  const damaged = fc
    .tuple(
      fc.constantFrom(...Object.values(files)),
      fc.array(
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.integer({ min: 0, max: 255 })),
        {
          minLength: 1,
          maxLength: 30,
        },
      ),
    )
    .map(([file, changes]) => {
      const bytes = Buffer.from(file)
      // More of them near the beginning, where the headers are; not in the magic, or nothing would be decoded.
      for (const [at, value] of changes) bytes[16 + Math.floor(at ** 2 * (bytes.length - 16))] = value
      return bytes
    })
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      expect(['seen', 'unseen']).toContain((await read(bytes)).state)
    }),
    { numRuns: 200, seed: 6 },
  )
})

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** Zeros throughout: a hundred megabytes in a hundred kilobytes. */
function greyPng(side: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header[8] = 8
  const pixels = deflateSync(Buffer.alloc(side * (side + 1)), { level: 1 })
  const chunks = [pngChunk('IHDR', header), pngChunk('IDAT', pixels), pngChunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([files.png.subarray(0, 8), ...chunks])
}

/** The box `ispe` says how large an AVIF is. */
function resizedAvif(file: Buffer, side: number): Buffer {
  const avif = Buffer.from(file)
  const at = avif.indexOf('ispe')
  avif.writeUInt32BE(side, at + 8)
  avif.writeUInt32BE(side, at + 12)
  return avif
}

/** Two times fourteen bits behind the signature of VP8L. */
function resizedWebp(file: Buffer, side: number): Buffer {
  const webp = Buffer.from(file)
  webp.writeUInt32LE(((side - 1) | ((side - 1) << 14)) >>> 0, 21)
  return webp
}

/** The segment `SOF0`. */
function resizedJpeg(file: Buffer, side: number): Buffer {
  const jpeg = Buffer.from(file)
  const at = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  jpeg.writeUInt16BE(side, at + 5)
  jpeg.writeUInt16BE(side, at + 7)
  return jpeg
}

/** A GIF of so many frames, all of one colour and each as large as the screen. */
function flickering(frames: number, side = 400): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt16LE(side, 0)
  size.writeUInt16LE(side, 2)
  const palette = Buffer.from('\x80\0\0\0\0\0\xff\xff\xff', 'latin1')
  const delay = Buffer.from('!\xf9\x04\0\x05\0\0\0', 'latin1')
  const frame = Buffer.concat([
    delay,
    Buffer.from(',\0\0\0\0', 'latin1'),
    size,
    Buffer.from([0]),
    oneColour(side * side),
  ])
  return Buffer.concat([
    Buffer.from('GIF89a'),
    size,
    palette,
    ...Array.from({ length: frames }, () => frame),
    Buffer.from(';'),
  ])
}

/** LZW of so many pixels of colour 0: each code stands for one more than that before it. */
function oneColour(pixels: number): Buffer {
  const bytes: number[] = []
  let [held, bits, size, next] = [0, 0, 3, 5]
  const put = (code: number) => {
    held |= code << bits
    for (bits += size; bits >= 8; bits -= 8) {
      bytes.push(held & 255)
      held >>>= 8
    }
  }
  put(4)
  put(0)
  for (let left = pixels - 1; left > 0; left -= next - 4) {
    put(++next)
    if (next + 1 === 1 << size) size++
  }
  put(5)
  bytes.push(held)
  const blocks: number[] = []
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255)
    blocks.push(block.length, ...block)
  }
  return Buffer.from([2, ...blocks, 0])
}
