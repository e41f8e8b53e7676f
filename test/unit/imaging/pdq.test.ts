// PDQ against Meta's own code (vectors of drawn pixels), against turned pixels, and on pictures that say nothing. Real: everything.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexOf } from '../../../src/imaging/picture.ts'
import { distance, pdqOf, type Pixels } from '../../../src/imaging/pdq.ts'
import { DIHEDRAL } from '../../../src/imaging/pdq-frequencies.ts'
import { draw, flip, mirror, soft, transpose, type Drawing } from './drawn-pixels.ts'

interface Vector extends Drawing {
  readonly quality: number
  readonly sum: number
  readonly variants: readonly string[]
}
const vectors = JSON.parse(readFileSync(new URL('pdq-vectors.json', import.meta.url), 'utf8')) as Vector[]
const bytesOf = (hex: string) => Buffer.from(hex, 'hex')
const plain = (width: number, height: number, grey: (at: number) => number, channels: 1 | 3 = 1): Pixels => ({
  data: Uint8Array.from({ length: width * height * channels }, (_, at) => grey(at)),
  width,
  height,
  channels,
})

describe('pictures that say nothing', () => {
  it('hashes any size without an error, and sides below five to nothing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        fc.constantFrom<1 | 3>(1, 3),
        fc.nat(),
        (long, short, upright, channels, seed) => {
          const [width, height] = upright ? [short, long] : [long, short]
          const { hash, variants, blank } = pdqOf(draw({ width, height, channels, seed: seed % 50 }))
          expect(hash.bytes).toHaveLength(32)
          expect(variants).toHaveLength(8)
          expect(hash.quality).toBeGreaterThanOrEqual(0)
          expect(hash.quality).toBeLessThanOrEqual(100)
          if (short < 5) expect([hexOf(hash.bytes), hash.quality, blank]).toEqual(['0'.repeat(64), 0, true])
        },
      ),
      { numRuns: 60 },
    )
  })

  it.each([
    ['white', plain(300, 300, () => 255)],
    ['black', plain(64, 64, () => 0, 3)],
    ['one pixel', plain(1, 1, () => 7, 3)],
    ['a faint slope', plain(256, 256, (at) => 100 + ((at % 256) >> 5))],
  ])('%s: quality 0, blank', (_, pixels) => {
    const { hash, blank } = pdqOf(pixels)
    expect([hash.quality, blank]).toEqual([0, true])
  })

  it('is blank by its deviation where many faint steps make a high quality', () => {
    // Grain of 3 levels above and below: paper, or a dark room.
    const grain = plain(64, 64, (at) => 128 + ((at + (at >> 6)) % 2 === 0 ? 3 : -3))
    const { hash, blank } = pdqOf(grain)
    expect(hash.quality).toBeGreaterThanOrEqual(50)
    expect(blank).toBe(true)
  })

  it('a small thing on white is not blank', () => {
    const shoe = plain(240, 240, (at) => {
      const x = at % 240
      const y = Math.floor(at / 240)
      return x > 70 && x < 170 && y > 90 && y < 160 ? 40 + ((x * y) % 97) : 255
    })
    expect(pdqOf(shoe).blank).toBe(false)
  })
})

describe("Meta's hashes", () => {
  it.each(vectors)(
    '$width × $height × $channels, drawing $seed: within 2 bits; the others in the same order',
    (vector) => {
      const pixels = draw(vector)
      expect(pixels.data.reduce((a, b) => a + b, 0)).toBe(vector.sum)
      const { hash, variants } = pdqOf(pixels)
      const [first = '', , , , , , transposed = ''] = vector.variants
      expect(distance(bytesOf(first), hash.bytes)).toBeLessThanOrEqual(2)
      expect(distance(bytesOf(transposed), variants[6] ?? hash.bytes)).toBeLessThanOrEqual(2)
      expect(hash.quality).toBe(vector.quality)
      expect(hexOf(variants[0] ?? new Uint8Array())).toBe(hexOf(hash.bytes))
      // Meta reads the mirrored ones off the same cells: near ours, which are those of really mirrored pixels.
      const apart = vector.variants.map((hex, i) => distance(bytesOf(hex), variants[i] ?? hash.bytes))
      expect(Math.max(...apart)).toBeLessThanOrEqual(50)
    },
  )
})

describe('turned and mirrored', () => {
  const done = { upright: (p: Pixels) => p, mirrored: mirror, flipped: flip, both: (p: Pixels) => flip(mirror(p)) }
  const apart = (picture: Pixels, index: number) => {
    const { cells, transposed } = DIHEDRAL[index] ?? DIHEDRAL[0]
    const turned = done[cells](picture)
    const really = pdqOf(transposed ? transpose(turned) : turned).hash.bytes
    return distance(pdqOf(picture).variants[index] ?? new Uint8Array(32), really)
  }
  const forms = DIHEDRAL.map(({ name }, index) => ({ name, index }))

  it.each(forms)('$name: as the hash of pixels that were really turned', ({ index }) => {
    // Of a few pixels, many frequencies are the same but for rounding.
    const size = fc.integer({ min: 30, max: 300 })
    fc.assert(
      fc.property(size, size, fc.nat(40), fc.constantFrom(1, 3), (width, height, seed, channels) => {
        expect(apart(draw({ width, height, channels, seed }), index)).toBeLessThanOrEqual(2)
      }),
      { numRuns: 15 },
    )
  })

  // Drawn once: drawing takes ten times as long as hashing.
  const large = [1, 2, 3].map((seed) => soft(800, 530, seed))
  it.each(forms)('$name: within a few bits where every second pixel is taken', ({ index }) => {
    // The nearest pixel of a mirrored picture is not the mirrored one of the nearest: up to a pixel of eight.
    for (const picture of large) expect(apart(picture, index)).toBeLessThanOrEqual(16)
  })

  it('the eight are eight: each is far from the others', () => {
    const { variants } = pdqOf(soft(300, 200, 7))
    variants.forEach((a, i) => {
      for (const b of variants.slice(i + 1)) expect(distance(a, b)).toBeGreaterThan(64)
    })
  })
})

describe('distance', () => {
  it('is the number of differing bits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uniqueArray(fc.nat(255)), (hash, bits) => {
        const other = Uint8Array.from(hash)
        for (const bit of bits) other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(distance(hash, other)).toBe(bits.length)
      }),
    )
  })
})
