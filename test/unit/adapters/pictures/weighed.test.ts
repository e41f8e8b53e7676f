// What a JPEG, a WebP and a PNG ask of a decoder beyond their headers. Real: sharp; every file is made here.
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { open } from '../../../../src/adapters/pictures/decode.ts'
import { scansOf } from '../../../../src/adapters/pictures/scans.ts'
import { drawing } from '../../../support/pictures.ts'
import { pngChunk, u32, withChunks } from '../../../support/png-files.ts'

const LIMITS = { maxPixels: 50_000_000, timeMs: 5_000 }

describe('jpeg', () => {
  test('more than a hundred scans are refused at once, each of which goes over the whole picture', async () => {
    expect(await open(scanned(64, 64, 100), LIMITS)).toMatchObject({ state: 'opened' })
    const bomb = scanned(7_000, 7_000, 100_000)
    const cpu = process.cpuUsage()
    expect(await open(bomb, LIMITS)).toMatchObject({
      fault: 'too-many-pixels',
      message: 'a jpeg of more than 100 scans',
    })
    const { user, system } = process.cpuUsage(cpu)
    expect(user + system).toBeLessThan(100_000)
  })

  test('and fewer where the picture is large', async () => {
    expect(await open(scanned(7_000, 7_000, 16), LIMITS)).toMatchObject({ state: 'opened' })
    expect(await open(scanned(7_000, 7_000, 17), LIMITS)).toMatchObject({
      fault: 'too-many-pixels',
      message: '7000 × 7000 pixels in 17 scans',
    })
  })

  test('one that is not progressive is refused as well when it comes in many scans', async () => {
    const many = scanned(64, 64, 101)
    many[many.indexOf(Buffer.from([0xff, 0xc2])) + 1] = 0xc1
    // Of two components, one in each scan.
    const two = Buffer.from(many)
    two[two.indexOf(Buffer.from([0xff, 0xc1])) + 9] = 2
    expect(scansOf(two, 100)).toBe(101)
  })

  test('honest ones: plain 1, progressive what their encoder makes', async () => {
    for (const quality of [60, 95]) {
      expect(scansOf(await drawing().jpeg({ quality }).toBuffer(), 100)).toBe(1)
      expect(scansOf(await drawing().jpeg({ quality, progressive: true }).toBuffer(), 100)).toBe(10)
      expect(scansOf(await drawing().jpeg({ quality, mozjpeg: true }).toBuffer(), 100)).toBeLessThan(15)
    }
  })

  test('what hangs behind the picture is none of its scans, nor is a thumbnail before it', async () => {
    const video = Buffer.concat(Array.from({ length: 500 }, () => Buffer.from([0xff, 0xda, 1, 2, 3])))
    const progressive = await drawing().jpeg({ progressive: true }).toBuffer()
    expect(scansOf(Buffer.concat([progressive, video]), 100)).toBe(10)
    const plain = await drawing().jpeg().toBuffer()
    expect(scansOf(Buffer.concat([plain, video]), 100)).toBe(1)
    const length = Buffer.from([0xff, 0xe1, (video.length + 2) >> 8, (video.length + 2) & 255])
    const noted = Buffer.concat([progressive.subarray(0, 2), length, video, progressive.subarray(2)])
    expect(scansOf(noted, 100)).toBe(10)
  })

  test('an end that is no end hides none', () => {
    const bomb = scanned(64, 64, 200)
    const at = bomb.indexOf(Buffer.from([0xff, 0xda]))
    const comment = Buffer.from([0xff, 0xfe, 0, 4, 0xff, 0xd9])
    const scan = bomb.subarray(at, bomb.indexOf(Buffer.from([0xff, 0xda]), at + 2))
    expect(scansOf(Buffer.concat([bomb.subarray(0, at), scan, comment, bomb.subarray(at)]), 100)).toBe(101)
  })

  test('cut anywhere it is answered', async () => {
    const whole = await drawing(32, 24).jpeg({ progressive: true }).toBuffer()
    for (let length = 3; length < whole.length; length++)
      expect(scansOf(whole.subarray(0, length), 1)).toBeLessThanOrEqual(2)
  })
})

describe('webp', () => {
  test('more than ten thousand frames are refused at once: finding them in the file takes a square of their number', async () => {
    const frame = (await drawing(16, 16).webp({ lossless: true }).toBuffer()).subarray(12)
    const file = (frames: number) => animated(16, frame, frames)
    expect(await open(file(500), LIMITS)).toMatchObject({ state: 'opened' })
    const cpu = process.cpuUsage()
    expect(await open(file(10_001), LIMITS)).toMatchObject({
      fault: 'too-many-pixels',
      message: 'a webp of more than 10000 frames',
    })
    const { user, system } = process.cpuUsage(cpu)
    expect(user + system).toBeLessThan(100_000)
  })
})

describe('png', () => {
  const gamma = (value: number) => pngChunk('gAMA', u32(Math.round(value * 100_000)))

  async function pixelsOf(file: Buffer, shrink?: { side: number; fit: 'fill'; kernel: 'linear' }) {
    const opened = await open(file, LIMITS)
    if (opened.state === 'unseen') throw new Error(opened.message)
    return { ...opened, ...(await opened.pixels(shrink)) }
  }

  test('a gamma is undone as browsers do, before anything is shrunk or laid on white', async () => {
    for (const channels of [3, 4, 1] as const) {
      const plain = await drawing(320, 240, channels).png().toBuffer()
      const shown = (await pixelsOf(plain)).data
      const { data: levels, info } = await sharp(plain).raw().toBuffer({ resolveWithObject: true })
      const raw = { width: 320, height: 240, channels: info.channels }
      const colours = info.channels % 2 === 0 ? info.channels - 1 : info.channels
      const darkened = levels.map((level, at) =>
        at % info.channels < colours ? Math.round(255 * (level / 255) ** 0.4) : level,
      )
      const stored = await sharp(darkened, { raw }).png().toBuffer()
      const file = withChunks(stored, gamma(0.4 / 2.2))
      expect(farthest((await pixelsOf(file)).data, shown)).toBeLessThan(6)
      // Without the chunk it is another picture.
      expect(farthest((await pixelsOf(stored)).data, shown)).toBeGreaterThan(40)
    }
  })

  test('two pictures in one: what a browser shows is seen, not what lies between', async () => {
    // Of four pixels one is bright enough to be seen with its gamma; the other three are the picture without.
    const g = 0.03
    const side = 64
    const shown = Buffer.alloc(side * side)
    const stored = Buffer.alloc(side * side)
    for (let at = 0; at < stored.length; at++) {
      const [x, y] = [at % side, Math.floor(at / side)]
      const isSeen = x % 2 === 0 && y % 2 === 0
      shown[at] = isSeen ? 4 * x : 0
      stored[at] = isSeen ? Math.round(255 * (Math.max(1, 4 * x) / 255) ** g) : 3 * y
    }
    const raw = { width: side, height: side, channels: 1 } as const
    const file = withChunks(await sharp(stored, { raw }).png().toBuffer(), gamma(g / 2.2))
    const shrink = { side: 16, fit: 'fill', kernel: 'linear' } as const
    const wanted = await pixelsOf(await sharp(shown, { raw }).png().toBuffer(), shrink)
    expect(farthest((await pixelsOf(file, shrink)).data, wanted.data)).toBeLessThan(12)
  })

  test('a gamma that changes nothing costs nothing; beside sRGB, or broken, it does not count', async () => {
    const plain = await drawing().png().toBuffer()
    const { data, memory } = await pixelsOf(plain)
    for (const chunks of [
      [gamma(0.45455)],
      [gamma(0.55556), pngChunk('sRGB', Buffer.from([0]))],
      // Its checksum is wrong: browsers pass over it.
      [Buffer.concat([gamma(0.1).subarray(0, -1), Buffer.from([0])])],
      // The primaries alone change colours a little, and browsers nothing.
      [pngChunk('cHRM', Buffer.concat([31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000].map(u32)))],
    ]) {
      const same = await pixelsOf(withChunks(plain, ...chunks))
      expect([farthest(same.data, data), same.memory]).toEqual([0, memory])
    }
  })

  test('what nobody means of colours is refused: browsers show another picture, and which one is hard to say', async () => {
    const plain = await drawing().png().toBuffer()
    const primaries = (...values: number[]) => pngChunk('cHRM', Buffer.concat(values.map(u32)))
    const white = [31_270, 32_900] as const
    const [red, green, blue] = [[64_000, 33_000] as const, [30_000, 60_000] as const, [15_000, 6_000] as const]
    const fault = async (...chunks: Buffer[]) => {
      const opened = await open(withChunks(plain, ...chunks), LIMITS)
      return opened.state === 'unseen' ? opened.message : opened.state
    }
    const doubtful = 'a png whose chunks say of its colours what nobody means: gamma, primaries'
    expect(await fault(gamma(0.02), pngChunk('sRGB', Buffer.from([0])))).toBe(doubtful)
    expect(await fault(gamma(0))).toBe(doubtful)
    expect(await fault(gamma(0.45455), primaries(...white, ...red, ...blue, ...green))).toBe(doubtful)
    expect(await fault(primaries(...white, ...red, ...green, 100, 2 ** 32 - 7_700), gamma(0.3))).toBe(doubtful)
    expect(await fault(gamma(0.45455), primaries(...white, ...red, ...green, ...blue))).toBe('opened')
    // Display P3, Adobe RGB, ProPhoto.
    expect(await fault(gamma(0.45455), primaries(...white, 68_000, 32_000, 26_500, 69_000, ...blue))).toBe('opened')
    expect(await fault(gamma(0.45455), primaries(...white, ...red, 21_000, 71_000, ...blue))).toBe('opened')
    const proPhoto = [34_570, 35_850, 73_470, 26_530, 15_960, 84_040, 3_660, 10]
    expect(await fault(gamma(0.55556), primaries(...proPhoto))).toBe('opened')
    // Without a gamma they do not count, and of two gammas the first does.
    expect(await fault(primaries(...white, ...red, ...blue, ...green))).toBe('opened')
    const { data } = await pixelsOf(plain)
    expect(farthest((await pixelsOf(withChunks(plain, gamma(0.45455), gamma(0.1)))).data, data)).toBe(0)
  })

  test('frames that browsers show besides the picture are not seen, and it is said so', async () => {
    const plain = await drawing(40, 30).png().toBuffer()
    const animation = (frames: number) => pngChunk('acTL', Buffer.concat([u32(frames), u32(0)]))
    const frame = pngChunk('fcTL', Buffer.concat([...[0, 40, 30, 0, 0].map(u32), Buffer.from([0, 100, 0, 100, 0, 0])]))
    const all = async (file: Buffer) => (await pixelsOf(file)).allFrames
    expect(await all(plain)).toBe(true)
    expect(await all(withChunks(plain, animation(1)))).toBe(false)
    expect(await all(withChunks(plain, animation(2), frame))).toBe(false)
    expect(await all(withChunks(plain, animation(1), frame))).toBe(true)
    // Of two, and of one that is too long or not intact, browsers think differently: some play what the first one says.
    const broken = animation(1)
    broken.writeUInt8(broken.readUInt8(19) ^ 1, 19)
    const long = pngChunk('acTL', Buffer.concat([u32(1), u32(0), u32(0)]))
    const short = pngChunk('acTL', u32(0))
    for (const odd of [[animation(2), animation(1)], [animation(1), long], [animation(2), short], [broken], [long]])
      expect(await all(withChunks(plain, ...odd, frame))).toBe(false)
    // Behind the pixels it is none.
    expect(await all(Buffer.concat([plain.subarray(0, -12), animation(2), plain.subarray(-12)]))).toBe(true)
  })
})

const farthest = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((most, level, at) => Math.max(most, Math.abs(level - (b[at] ?? 0))), a.length === b.length ? 0 : 255)

/** Black, in as many scans: one for its mean values, then one and the same for the rest of them. */
function scanned(width: number, height: number, scans: number): Buffer {
  const segment = (marker: number, ...data: number[]) =>
    Buffer.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255, ...data])
  const oneCode = [1, ...Array.from({ length: 15 }, () => 0)]
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8)
  // A code of one bit says that so many blocks have nothing more: 14 bits of how many, at most 32,767.
  const runs = Math.ceil(blocks / 32_767)
  const bits = `${`0${'1'.repeat(13)}0`.repeat(runs)}1111111`
  const data = (bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2))
  const rest = Buffer.concat([
    segment(0xda, 1, 1, 0, 1, 63, 0),
    Buffer.from(data.flatMap((b) => (b === 255 ? [b, 0] : b))),
  ])
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, 0, ...Array.from({ length: 64 }, () => 1)),
    segment(0xc2, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0),
    segment(0xc4, 0x00, ...oneCode, 0),
    segment(0xc4, 0x10, ...oneCode, 0xe0),
    segment(0xda, 1, 1, 0, 0, 0, 0),
    Buffer.alloc(Math.ceil(blocks / 8)),
    ...Array.from({ length: scans - 1 }, () => rest),
    Buffer.from([0xff, 0xd9]),
  ])
}

function animated(side: number, frame: Buffer, frames: number): Buffer {
  const u24 = (value: number) => [value & 255, (value >> 8) & 255, value >> 16]
  const chunk = (type: string, ...data: Buffer[]) => {
    const body = Buffer.concat(data)
    const size = Buffer.alloc(4)
    size.writeUInt32LE(body.length)
    return Buffer.concat([Buffer.from(type), size, body, Buffer.alloc(body.length % 2)])
  }
  const size = [...u24(side - 1), ...u24(side - 1)]
  const one = chunk('ANMF', Buffer.from([...u24(0), ...u24(0), ...size, ...u24(20), 1]), frame)
  return chunk(
    'RIFF',
    Buffer.from('WEBP'),
    chunk('VP8X', Buffer.from([2, 0, 0, 0, ...size])),
    chunk('ANIM', Buffer.from([255, 255, 255, 255, 0, 0])),
    ...Array.from({ length: frames }, () => one),
  )
}
