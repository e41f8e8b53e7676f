// Pictures whose samples are no ordinary sRGB: browsers show another one than is decoded here. Real: sharp, the thread, PDQ; every file is made here.
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { unitsOf } from '../../../../src/adapters/pictures/av1.ts'
import { open } from '../../../../src/adapters/pictures/decode.ts'
import { readReferencePicture } from '../../../../src/pipeline/banks/reference-picture.ts'
import { avifOf, box, coded, grid, image, type Coded } from '../../../support/avif-files.ts'
import { drawing, reading } from '../../../support/pictures.ts'
import { pngChunk, u32, withChunks } from '../../../support/png-files.ts'

const { reader, read } = reading()
afterAll(() => reader.close())

const [SRGB, PQ, HLG, LINEAR] = [13, 16, 18, 8] as const
const [W, H] = [320, 240] as const

/** What it is seen as, and whether browsers show it otherwise. */
async function doubtOf(file: Uint8Array): Promise<string> {
  const picture = await read(file)
  if (picture.state === 'unseen') return picture.message
  return picture.shownOtherwise === true ? 'otherwise' : 'as it is'
}

const png = await drawing(W, H).png().toBuffer()
const made = coded(await drawing(W, H).avif({ effort: 0, chromaSubsampling: '4:2:0' }).toBuffer())
const nclx = (primaries: number, transfer: number, matrix = 6) =>
  box('colr', Buffer.from('nclx'), [0, primaries, 0, transfer, 0, matrix, 0x80])
const cicp = (...data: number[]) => pngChunk('cICP', Buffer.from(data))

describe('png', () => {
  test.each([
    ['PQ', [1, PQ, 0, 1]],
    ['PQ of wide gamut', [9, PQ, 0, 1]],
    ['HLG', [9, HLG, 0, 1]],
    ['linear light', [1, LINEAR, 0, 1]],
    ['a gamma of 2.8', [1, 5, 0, 1]],
    ['what nobody knows', [1, 200, 0, 1]],
    ['primaries of no screen', [10, SRGB, 0, 1]],
    ['a matrix, which a PNG cannot have', [1, SRGB, 1, 1]],
    ['a narrow range', [1, SRGB, 0, 0]],
    ['too short', [1, PQ, 0]],
    ['too long', [1, SRGB, 0, 1, 0]],
  ])('%s is seen as far as it goes, and not in full', async (_what, data) => {
    expect(await doubtOf(withChunks(png, cicp(...data)))).toBe('otherwise')
  })

  test('of several the first counts in browsers, and any in others', async () => {
    expect(await doubtOf(withChunks(png, cicp(1, SRGB, 0, 1), cicp(1, PQ, 0, 1)))).toBe('otherwise')
  })

  test('what encoders write of ordinary pictures is no doubt', async () => {
    expect(await doubtOf(png)).toBe('as it is')
    for (const transfer of [1, 2, 4, 6, SRGB, 14, 15])
      for (const primaries of [1, 2, 5, 6, 9, 12])
        expect([primaries, transfer, await doubtOf(withChunks(png, cicp(primaries, transfer, 0, 1)))]).toEqual([
          primaries,
          transfer,
          'as it is',
        ])
    // Broken, it is passed over by everyone.
    const broken = Buffer.concat([cicp(1, PQ, 0, 1).subarray(0, -1), Buffer.from([0])])
    expect(await doubtOf(withChunks(png, broken))).toBe('as it is')
  })

  test('a profile beside it is passed over, as in browsers, unless it says nothing', async () => {
    // Its curve makes of all but the brightest next to black.
    const profile = pngChunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), deflateSync(darkened(await profileOf()))]))
    const shown = async (...chunks: Buffer[]) => meanOf(withChunks(png, ...chunks))
    const plain = await shown()
    expect(await shown(profile)).toBeLessThan(plain / 2)
    expect(await shown(profile, cicp(1, SRGB, 0, 1))).toBe(plain)
    expect(await shown(profile, cicp(2, 2, 0, 1))).toBeLessThan(plain / 2)
  })
})

describe('avif', () => {
  test.each([
    ['PQ', nclx(9, PQ, 9)],
    ['HLG', nclx(9, HLG, 9)],
    ['linear light', nclx(1, LINEAR)],
    ['a logarithm', nclx(1, 10)],
    ['primaries of no screen', nclx(10, SRGB)],
  ])('%s by its box', async (_what, colr) => {
    expect(await doubtOf(avifOf([image(made, W, H, colr)]))).toBe('otherwise')
  })

  test('by what AV1 itself says, where there is no box', async () => {
    expect(await doubtOf(avifOf([image(saying(made, 9, PQ), W, H)]))).toBe('otherwise')
    expect(await doubtOf(avifOf([image(saying(made, 1, SRGB), W, H)]))).toBe('as it is')
    expect(await doubtOf(avifOf([image(saying(made, 2, 2), W, H)]))).toBe('as it is')
  })

  test('of a grid, and of its tiles', async () => {
    const references = [{ type: 'dimg', from: 1, to: [2] }]
    const whole = grid(1, 1, W, H)
    const of = (...[tile, colr]: [Coded, Buffer?]) =>
      avifOf([{ ...whole, properties: [...whole.properties, ...(colr ? [colr] : [])] }, image(tile, W, H)], references)
    expect(await doubtOf(of(made))).toBe('as it is')
    expect(await doubtOf(of(made, nclx(9, PQ)))).toBe('otherwise')
    expect(await doubtOf(of(saying(made, 9, PQ)))).toBe('otherwise')
  })

  test('what encoders write of ordinary pictures is no doubt: none, sRGB, BT.601 and 709, Display P3', async () => {
    for (const options of [{}, { lossless: true }, { bitdepth: 8 as const, chromaSubsampling: '4:4:4' }])
      expect(
        await doubtOf(
          await drawing(W, H)
            .avif({ effort: 0, ...options })
            .toBuffer(),
        ),
      ).toBe('as it is')
    expect(await doubtOf(await drawing(W, H).withIccProfile('p3').avif({ effort: 0 }).toBuffer())).toBe('as it is')
    for (const colr of [nclx(1, SRGB), nclx(2, 2), nclx(1, 1), nclx(5, 6), nclx(12, SRGB), nclx(9, 14)])
      expect(await doubtOf(avifOf([image(made, W, H, colr)]))).toBe('as it is')
  })

  test('the head of a sequence of more than one picture is read as far as its colours', () => {
    const colours = (bits: string) => {
      const bytes = bytesOf(bits)
      return unitsOf(Buffer.from([0x0a, bytes.length, ...bytes]), 4).odd
    }
    const said = { primaries: 9, transfer: PQ }
    const end = `${bitsOf(9, 8)}${bitsOf(PQ, 8)}${bitsOf(9, 8)}`
    const size = `${bitsOf(8, 4)}${bitsOf(7, 4)}${'1'.repeat(9)}${'1'.repeat(8)}`
    // As libaom writes it of a film: one operating point, order of frames, tools chosen for each.
    const film = `000 0 0 0 0 00000 ${bitsOf(0, 12)} 01000 0 ${size} 0 111 1111 1 11 1 1 110 111`
    expect(colours(`${film} 1 0 1 ${end}`)).toEqual(said)
    expect(colours(`${film} 1 0 0 ${end}`)).toBeUndefined()
    // All that may be there: timing, a decoder model, delays, frame numbers, no order, 12 bits in 4:2:2.
    const timing = `1 ${bitsOf(1, 32)}${bitsOf(2, 32)} 1 00101 1 00011 ${bitsOf(1, 32)} 00001 00010`
    const points = `1 00001 ${bitsOf(1, 12)} 01000 1 1 0101 1010 0 1 0011 ${bitsOf(2, 12)} 00111 0 0`
    const full = `010 0 0 ${timing} ${points} ${size} 1 0000 000 111 1111 0 0 1 0 1 111 1 1`
    expect(colours(`${full} 0 1 ${end}`)).toEqual(said)
    expect(() => colours('000 0 0 0 0 00000')).toThrow('end')
  })
})

test('a profile that names its colours by code points: browsers obey these, in every format', async () => {
  const profile = await profileOf()
  for (const format of ['jpeg', 'webp', 'avif', 'png'] as const) {
    const plain = await drawing(W, H).withIccProfile('p3').toFormat(format, { effort: 1 }).toBuffer()
    expect([format, await doubtOf(plain)]).toEqual([format, 'as it is'])
    for (const [transfer, doubt] of [
      [SRGB, 'as it is'],
      [PQ, 'otherwise'],
      [HLG, 'otherwise'],
    ] as const) {
      const file = withProfile[format](
        await drawing(W, H).toFormat(format, { effort: 1 }).toBuffer(),
        tagged(profile, transfer),
      )
      expect([format, (await sharp(file).metadata()).icc?.length]).toEqual([format, profile.length + 24])
      expect([format, transfer, await doubtOf(file)]).toEqual([format, transfer, doubt])
    }
  }
})

test('a tag of a profile that lies nowhere is a doubt, and no fault', async () => {
  const profile = tagged(await profileOf(), PQ)
  const at = profile.indexOf('cicp')
  profile.writeUInt32BE(2 ** 31, at + 4)
  expect(await doubtOf(withProfile.jpeg(await drawing(W, H).jpeg().toBuffer(), profile))).toBe('otherwise')
})

test('no bank takes such a picture: of what people see there its hash says little', async () => {
  const refused = readReferencePicture(reader, withChunks(png, cicp(9, PQ, 0, 1)))
  await expect(refused).rejects.toMatchObject({ code: 'picture-unreadable', message: /plain sRGB/ })
  expect(await readReferencePicture(reader, withChunks(png, cicp(12, SRGB, 0, 1)))).toMatchObject({ blank: false })
})

const profileOf = async (): Promise<Buffer> => {
  const { icc } = await sharp(await drawing(8, 8).withIccProfile('p3').png().toBuffer()).metadata()
  if (icc === undefined) throw new Error('no profile')
  return icc
}

/** With a tag `cicp` of 12 bytes behind all others. */
function tagged(profile: Buffer, transfer: number): Buffer {
  const count = profile.readUInt32BE(128)
  const table = Buffer.from(profile.subarray(132, 132 + 12 * count))
  for (let at = 4; at < table.length; at += 12) table.writeUInt32BE(table.readUInt32BE(at) + 12, at)
  const entry = Buffer.concat([Buffer.from('cicp'), u32(profile.length + 12), u32(12)])
  const tag = Buffer.concat([Buffer.from('cicp'), u32(0), Buffer.from([12, transfer, 0, 1])])
  const head = Buffer.from(profile.subarray(0, 128))
  head.writeUInt32BE(profile.length + 24, 0)
  return Buffer.concat([head, u32(count + 1), table, entry, profile.subarray(132 + 12 * count), tag])
}

/** Its curve is a power of 30: the first number of `para`, in 65,536ths. */
function darkened(profile: Buffer): Buffer {
  const dark = Buffer.from(profile)
  for (let at = dark.indexOf('para', 132); at >= 0; at = dark.indexOf('para', at + 4))
    dark.writeUInt32BE(30 << 16, at + 12)
  return dark
}

const withProfile = {
  png: (file: Buffer, icc: Buffer) =>
    withChunks(file, pngChunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), deflateSync(icc)]))),
  jpeg(file: Buffer, icc: Buffer) {
    const data = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), icc])
    const head = Buffer.from([0xff, 0xe2, (data.length + 2) >> 8, (data.length + 2) & 255])
    return Buffer.concat([file.subarray(0, 2), head, data, file.subarray(2)])
  },
  avif: (file: Buffer, icc: Buffer) => avifOf([image(coded(file), W, H, box('colr', Buffer.from('prof'), icc))]),
  webp(file: Buffer, icc: Buffer) {
    const chunk = (type: string, data: Uint8Array) => {
      const size = Buffer.alloc(4)
      size.writeUInt32LE(data.length)
      return Buffer.concat([Buffer.from(type), size, data, Buffer.alloc(data.length % 2)])
    }
    const size = [(W - 1) & 255, (W - 1) >> 8, 0, (H - 1) & 255, (H - 1) >> 8, 0]
    const body = [chunk('VP8X', Buffer.from([0x20, 0, 0, 0, ...size])), chunk('ICCP', icc), file.subarray(12)]
    return chunk('RIFF', Buffer.concat([Buffer.from('WEBP'), ...body]))
  },
} as const

async function meanOf(file: Buffer): Promise<number> {
  const opened = await open(file, { maxPixels: 1_000_000, timeMs: 5_000 })
  if (opened.state === 'unseen') throw new Error(opened.message)
  const { data } = await opened.pixels()
  return data.reduce((sum, level) => sum + level, 0) / data.length
}

/** What libaom wrote, with other code points in the head of its sequence. */
function saying({ data, av1C }: Coded, primaries: number, transfer: number): Coded {
  // A temporal delimiter of two bytes, then the head: type, size.
  const size = data[3] ?? 0
  const bits = [...data.subarray(4, 4 + size)].map((byte) => bitsOf(byte, 8)).join('')
  // Of a still picture in 8 bits 4:2:0: profile, kind and level take 10 bits, the size as many as it says, the rest 8.
  const across = Number.parseInt(bits.slice(10, 14), 2) + 1
  const down = Number.parseInt(bits.slice(14, 18), 2) + 1
  const at = 18 + across + down + 3 + 3 + 2
  const rest = bits[at] === '1' ? bits.slice(at + 25) : bits.slice(at + 1)
  const head = bytesOf(`${bits.slice(0, at)}1${bitsOf(primaries, 8)}${bitsOf(transfer, 8)}${bitsOf(6, 8)}${rest}`)
  return {
    av1C,
    data: Buffer.concat([data.subarray(0, 3), Buffer.from([head.length]), head, data.subarray(4 + size)]),
  }
}

const bitsOf = (value: number, count: number): string => value.toString(2).padStart(count, '0')

/** Spaces are for people; the last byte is filled with zeros. */
function bytesOf(bits: string): Buffer {
  const plain = bits.replaceAll(' ', '')
  return Buffer.from((plain.match(/.{1,8}/g) ?? []).map((eight) => Number.parseInt(eight.padEnd(8, '0'), 2)))
}
