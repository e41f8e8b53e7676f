// Brands read from listings, honest text first. Real: the dictionary that ships, the whole reading; no model, no store.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { brandSchema, type Brand } from '../../../src/domain/brand.ts'
import { shippedBrands } from '../../../src/rights/brands.ts'
import { compileBrandDictionary } from '../../../src/text/brand-dictionary.ts'
import { readListing } from '../../../src/text/reading.ts'

const dictionary = compileBrandDictionary(shippedBrands())
const read = (title: string, more: { brand?: string; description?: string } = {}) =>
  readListing({ listingId: 'L', revision: 1, sellerId: 'S', title, ...more }, dictionary)
/** Certain mentions in short: brand, disguise unless plain, `~` where the goods are not offered as it. */
const seen = (title: string) =>
  read(title)
    .mentions.filter((m) => !m.uncertain)
    .map((m) => `${m.use === 'nominative' ? '~' : ''}${m.brandId}${m.disguise === 'plain' ? '' : ` ${m.disguise}`}`)

const honest = [
  'Guess how many sweets',
  'Foam for the gap between bed and wall',
  'Boss GT-100 pedal',
  'Coach trip to London',
  'Champion trophy, 20 cm',
  'vintage diesel engine manual',
  '5 g weights',
  'i n c h',
  'S M L XL XXL',
  'L.A. poster',
  'U.S.A. made',
  'L*W*H 10*20*30',
  'M*A*S*H dvd',
  'sh*t happens',
  'and/or',
  'in-side pocket',
  '**SALE** new*',
  'B05E-22 bearing',
  'size 4*',
  'h o m e sign',
  'A.B.C.D. letters',
  '3.5mm jack',
  'N.Y. cap badge',
  'black/white',
  'role* (see below)',
  'a b c d e f g',
]
const named: readonly (readonly [string, readonly string[]])[] = [
  ['Nike Air Max 90', ['nike', 'nike']],
  ['NIKE sneakers', ['nike']],
  ['#louisvuitton wallet', ['louis-vuitton']],
  ['Dolce and Gabbana belt', ['dolce-and-gabbana']],
  ['Levis 501, Levi’s 505', ['levis', 'levis']],
  ['Hermes scarf', ['hermes']],
  ['正品古驰包包', ['gucci']],
  ['エルメスのスカーフ', ['hermes']],
  ['Кроссовки Найк', ['nike']],
  ['Guess Jeans jacket', ['guess']],
  ['Gap hoodie', ['gap']],
  ['CALVIN★KLEIN boxers', ['calvin-klein']],
  ['★Gucci★ belt', ['gucci']],
  ['Nike x Off-White shoes', ['nike', 'off-white']],
]
const notOffered = [
  'case for iPhone 15',
  'iPhone 15 Pro silicone case',
  'Lens cap fits Canon',
  'plain shoes, not Nike',
  'bag inspired by Chanel',
  'Gucci style belt',
  'similar to Rolex',
  'Tiffany-style lamp',
  'чехол для iPhone',
  '适用于 iPhone',
  'Hülle für iPhone 14',
  'coque pour iPhone',
]
const hidden: readonly (readonly [string, string])[] = [
  ['N⭐K⭐ shoes', 'nike masked'],
  ['PR//ADA', 'prada masked'],
  ['PR*DA', 'prada masked'],
  ['Ca*har*t', 'carhartt masked'],
  ['L*V bag', 'louis-vuitton masked'],
  ['G.U.C.C.I', 'gucci masked'],
  ['g u c c i belt', 'gucci masked'],
  ['D I O R bag', 'dior masked'],
  ['G❤️u❤️c❤️c❤️i', 'gucci masked'],
  ['Lou*s Vu*tton', 'louis-vuitton masked'],
  ['Bal~enciaga', 'balenciaga masked'],
  ['Gu\u200bcci', 'gucci masked'],
  ['普*达 包', 'prada masked'],
  ['古*驰', 'gucci masked'],
  ['普拉～ 新款', 'prada masked'],
  ['𝗖𝗵𝗮𝗻𝗲𝗹', 'chanel lookalike'],
  ['𝗖𝗵𝗮𝗻𝗲', 'chanel lookalike'],
  ['Сhаnеl', 'chanel lookalike'],
  ['Ro1ex', 'rolex lookalike'],
  ['L0UIS VUITT0N', 'louis-vuitton lookalike'],
  ['Ch@nel', 'chanel lookalike'],
  ['N1KE', 'nike lookalike'],
  ['GUCCl', 'gucci lookalike'],
  ['RoIex', 'rolex lookalike'],
]

describe('reading a listing', () => {
  it.each(honest)('sees no brand for certain in: %s', (title) => expect(seen(title)).toEqual([]))
  it.each(named)('reads %s', (title, brands) => expect(seen(title)).toEqual(brands))
  it.each(notOffered)('does not take as offered: %s', (title) => {
    const reading = read(title)
    expect(reading.brandIds).toEqual([])
    expect(reading.mentions.some((m) => m.use === 'nominative' && !m.uncertain)).toBe(true)
  })
  it.each(hidden)('undoes %s', (title, expected) => expect(seen(title)).toEqual([expected]))

  it('carries a cue through a list', () => {
    expect(seen('Lens cap for Canon, Nikon and Sony')).toEqual(['~canon', '~nikon', '~sony'])
  })

  it('shows a disguised name as the seller wrote it', () => {
    const [mention] = read('new PR//ADA bag').mentions
    expect(mention?.span).toEqual({ field: 'title', start: 4, end: 11, text: 'PR//ADA' })
  })

  it('takes the longest of overlapping names', () => {
    expect(seen('Emporio Armani watch')).toEqual(['emporio-armani'])
  })

  it('is certain of a word where the brand field is that word, and not where it only contains it', () => {
    expect(read('hoodie', { brand: 'Gap' }).brandIds).toEqual(['gap'])
    expect(read('gap filler', { brand: 'gap' }).mentions.every((m) => !m.uncertain)).toBe(true)
    expect(read('hoodie', { brand: 'Gap Filler Inc' }).brandIds).not.toContain('gap')
  })

  it('does not let a brand in the description say whose the goods are', () => {
    const reading = read('plain bag', { description: 'better stitched than my old Gucci' })
    expect(reading.brandIds).toEqual([])
    expect(reading.mentions.map((m) => m.span.field)).toEqual(['description'])
  })

  it('stays bounded on a megabyte of names, plain and disguised', () => {
    for (const name of ['nike ', 'N*KE ', 'g u c c i ', '𝗖𝗵𝗮𝗻𝗲 ', 'L0UIS ', '香*儿']) {
      const text = name.repeat(Math.ceil(1_000_000 / name.length))
      expect(read(text).mentions.length).toBeLessThanOrEqual(100)
    }
  })

  it('never throws, and spans lie where the words are', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'nike',
        'Gucci',
        'L*V',
        'g u c c i',
        '𝗖𝗵𝗮𝗻𝗲𝗹',
        '古*驰',
        'for ',
        'case',
        '*',
        '★',
        '.',
        '/',
        ' ',
        '1',
        '0',
        'not ',
        '香',
        '～',
        '\u200b',
        '\ud835',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (parts) => {
        const title = parts.join('')
        let before = -1
        for (const { span } of read(title).mentions) {
          expect(span.start).toBeGreaterThanOrEqual(before)
          expect(span.end).toBeGreaterThan(span.start)
          expect(title.slice(span.start, span.end).toWellFormed().startsWith(span.text)).toBe(true)
          before = span.start
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('the dictionary', () => {
  const brand = (fields: Partial<Brand> & Pick<Brand, 'brandId' | 'name'>): Brand => brandSchema.parse(fields)

  it('gives a spelling that two brands claim to the one that is copied more', () => {
    const two = compileBrandDictionary([
      brand({ brandId: 'small', name: 'Nordhavn' }),
      brand({ brandId: 'famous', name: 'Nordhavn', copied: 'most' }),
    ])
    expect(readListing({ listingId: 'L', revision: 1, sellerId: 'S', title: 'Nordhavn coat' }, two).brandIds).toEqual([
      'famous',
    ])
  })

  it('takes any name that the schema allows, and none', () => {
    expect(
      readListing({ listingId: 'L', revision: 1, sellerId: 'S', title: 'nike' }, compileBrandDictionary([])).mentions,
    ).toEqual([])
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), { maxLength: 5 }), (names) => {
        const own = compileBrandDictionary(
          names.map((name, i) => brand({ brandId: `b${i}`, name: name.slice(0, 200), copied: 'most' })),
        )
        readListing({ listingId: 'L', revision: 1, sellerId: 'S', title: `${names.join(' ')}x` }, own)
      }),
      { numRuns: 200 },
    )
  })
})
