// Profiles that browsers and libvips read differently, or not. Real: sharp, the thread; every profile and file is made here.
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { isOrdinaryProfile } from '../../../../src/adapters/pictures/profiles.ts'
import { coloured, curve, FALLING, formula, grey, PLAIN, profile, table } from '../../../support/icc-profiles.ts'
import { drawing, reading } from '../../../support/pictures.ts'
import { pngChunk, withChunks } from '../../../support/png-files.ts'

const { reader, read } = reading()
afterAll(() => reader.close())

const doubtOf = async (file: Uint8Array): Promise<boolean | string> => {
  const picture = await read(file)
  return picture.state === 'unseen' ? picture.message : picture.shownOtherwise === true
}

describe('what browsers obey and libvips does not, or the other way round', () => {
  test.each([
    ['curves that fall', profile(coloured(FALLING))],
    ['one of three', profile([...coloured(PLAIN).slice(0, 5), ['bTRC', FALLING]])],
    ['a curve with teeth', profile(coloured(curve(...Array.from({ length: 512 }, (_, n) => (n % 128) / 127))))],
    ['a gamma of nothing', profile(coloured(curve(0)))],
    ['a formula of a negative power', profile(coloured(formula(0, -1)))],
    ['a formula that begins late', profile(coloured(formula(1, 1, -1, 1)))],
    ['a formula that begins beyond its end', profile(coloured(formula(4, 1, 1, 0, -1, 2, 0, 1)))],
    ['a formula cut off', profile(coloured(formula(3, 2.4, 1)))],
    ['a curve longer than it is', profile(coloured(curve(0, 0.5, 1).subarray(0, -2)))],
    ['tables for another intent alone', profile([...coloured(PLAIN), ['A2B1', table('mft2', 3)]])],
    ['tables of a kind that one of them knows', profile([...coloured(PLAIN), ['A2B0', table('mpet', 3)]])],
    ['tables for other channels', profile([...coloured(PLAIN), ['A2B0', table('mft2', 4)]])],
    ['a tag twice', profile([...coloured(PLAIN), ['rTRC', PLAIN]])],
    ['a link between devices', profile(coloured(PLAIN), { kind: 'link' })],
    ['a version to come', profile(coloured(PLAIN), { version: 5 })],
    ['another light', profile(coloured(PLAIN), { illuminant: 2 })],
    ['Lab', profile(coloured(PLAIN), { space: 'Lab ' })],
  ])('%s', (_what, icc) => {
    expect(isOrdinaryProfile(icc, 'RGB ')).toBe(false)
  })

  test('of greys: tables, which libvips does not look for; curves that fall', () => {
    expect(isOrdinaryProfile(profile([...grey(PLAIN), ['A2B0', table('mft2', 1)]], { space: 'GRAY' }), 'GRAY')).toBe(
      false,
    )
    expect(isOrdinaryProfile(profile(grey(FALLING), { space: 'GRAY' }), 'GRAY')).toBe(false)
  })

  test('of colours on greys: only one that changes greys', () => {
    expect(isOrdinaryProfile(profile(coloured(curve(5))), 'GRAY')).toBe(false)
    expect(isOrdinaryProfile(profile(coloured(PLAIN)), 'GRAY')).toBe(true)
  })
})

test.each(['RGB ', 'GRAY', 'CMYK'] as const)('of inks or greys, left behind on %s, nobody heeds', (samples) => {
  const left = {
    GRAY: profile(grey(FALLING), { space: 'GRAY' }),
    CMYK: profile([['A2B1', table('mft2', 4)]], { space: 'CMYK', kind: 'prtr' }),
  }
  for (const [space, icc] of Object.entries(left)) expect(isOrdinaryProfile(icc, samples)).toBe(space !== samples)
})

test('what tools write is plain: gammas, formulas, measured curves, tables of scanners and of print, and what is no profile', () => {
  const measured = curve(...Array.from({ length: 256 }, (_, n) => Math.max(0, (n / 255) ** 2.2 - (n % 2) / 300)))
  for (const icc of [
    ...[PLAIN, curve(), curve(1.8), measured, formula(0, 2.2), formula(3, 2.4, 0.9479, 0.0521, 0.0774, 0.0405)].map(
      (one) => profile(coloured(one), { version: 4 }),
    ),
    profile([...coloured(PLAIN), ['A2B0', table('mft1', 3)], ['A2B1', table('mft1', 3)]], { kind: 'scnr' }),
    Buffer.alloc(500),
    profile(coloured(FALLING)).subarray(0, -20),
  ])
    expect(isOrdinaryProfile(icc, 'RGB ')).toBe(true)
  expect(isOrdinaryProfile(profile(grey(curve(2.2)), { space: 'GRAY', kind: 'prtr' }), 'GRAY')).toBe(true)
  expect(isOrdinaryProfile(profile([['A2B0', table('mft2', 4)]], { space: 'CMYK', kind: 'prtr' }), 'CMYK')).toBe(true)
})

test.each(['srgb', 'p3', 'cmyk'])('sharp’s own %s is plain, in a JPEG', async (name) => {
  expect(await doubtOf(await drawing().withIccProfile(name).jpeg().toBuffer())).toBe(false)
})

describe('in a PNG', () => {
  const iccp = (icc: Buffer, packed = deflateSync(icc), name = 'x') =>
    pngChunk('iCCP', Buffer.concat([Buffer.from(`${name}\0\0`), packed]))
  const plain = profile(coloured(PLAIN))

  test('whole it is none, and on greys, where libpng passes over it, it is looked at as well', async () => {
    const [colours, greys] = [
      await drawing().png().toBuffer(),
      await drawing(320, 240, 1).toColourspace('b-w').png().toBuffer(),
    ]
    expect((await sharp(greys).metadata()).space).toBe('b-w')
    for (const file of [colours, greys]) {
      expect(await doubtOf(withChunks(file, iccp(plain)))).toBe(false)
      expect(await doubtOf(withChunks(file, iccp(profile(coloured(FALLING)))))).toBe(true)
    }
  })

  test('what is broken about it one decoder minds and another does not', async () => {
    const file = await drawing().png().toBuffer()
    const broken = iccp(plain)
    broken.writeUInt8((broken.at(-1) ?? 0) ^ 1, broken.length - 1)
    for (const [what, chunks] of Object.entries({
      sum: [broken],
      'end of the packing': [iccp(plain, deflateSync(plain).subarray(0, -4))],
      name: [iccp(plain, deflateSync(plain), 'x'.repeat(80))],
      size: [iccp(Buffer.alloc(5 << 20))],
      twice: [iccp(plain), iccp(plain)],
      place: [pngChunk('PLTE', Buffer.alloc(6)), iccp(plain)],
    }))
      expect([what, await doubtOf(withChunks(file, ...chunks))]).toEqual([what, true])
  })
})

test('the pieces of a JPEG’s profile are numbered, or Chromium passes over it', async () => {
  const [file, icc] = [await drawing().jpeg().toBuffer(), profile(coloured(PLAIN))]
  const piece = (number: number, count: number, data: Buffer) => {
    const body = Buffer.concat([Buffer.from('ICC_PROFILE\0'), Buffer.from([number, count]), data])
    return Buffer.concat([Buffer.from([0xff, 0xe2, (body.length + 2) >> 8, (body.length + 2) & 255]), body])
  }
  const [a, b] = [icc.subarray(0, 200), icc.subarray(200)]
  const doubt = (...pieces: Buffer[]) => doubtOf(Buffer.concat([file.subarray(0, 2), ...pieces, file.subarray(2)]))
  expect(await doubt(piece(1, 1, icc))).toBe(false)
  expect(await doubt(piece(1, 2, a), piece(2, 2, b))).toBe(false)
  expect(await doubt(piece(1, 1, icc), piece(1, 1, icc))).toBe(true)
  expect(await doubt(piece(1, 2, icc))).toBe(true)
  expect(await doubt(piece(1, 2, a), piece(2, 3, b))).toBe(true)
})
