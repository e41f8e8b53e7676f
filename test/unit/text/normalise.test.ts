// The normaliser on hostile and honest text. Real: everything; nothing is replaced.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalise, spanOf } from '../../../src/text/normalise.ts'

/** Letters, marks, joiners and halves of pairs in any order: what breaks maps and idempotence first. */
const nasty = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom(
        '\u0301',
        '\u0327',
        '\u200d',
        '\u200b',
        '\ud835',
        '\udc00',
        '\u3099',
        '\uff9e',
        '\u1161',
        '\uffb3',
        'ﷺ',
        'İ',
        'ß',
        '´',
        '¨',
        '\u0338',
        'а',
        'Р',
        'ﾊ',
        '각',
        ' \t',
        '\u00ad',
        'e',
        'Σ',
        '𝗖',
      ),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''))

const readings: readonly (readonly [string, string, string])[] = [
  ['mathematical letters', '𝗖𝗵𝗮𝗻𝗲𝗹 𝔊𝔲𝔠𝔠𝔦 𝕃𝕠𝕦𝕚𝕤', 'chanel gucci louis'],
  ['full-width letters', 'ＧＵＣＣＩ', 'gucci'],
  ['small capitals, superscripts, circles', 'ɢᴜᴄᴄɪ ᴳᵘᶜᶜⁱ Ⓖⓤⓒⓒⓘ 🅶🆄🅲🅲🅸', 'gucci gucci gucci gucci'],
  ['Cyrillic letters in a Latin word', 'РRАDА', 'prada'],
  ['a word of nothing but look-alikes', 'сосо рара bag', 'coco papa bag'],
  ['zero-width and bidirectional characters', 'Gu\u200bc\u2060c\u202ei', 'gucci'],
  ['accents', 'Hermès Lancôme Søren', 'hermes lancome soren'],
  ['struck-out letters', 'G\u0336u\u0336c\u0336c\u0336i\u0336', 'gucci'],
  ['half-width kana', 'ﾅｲｷ ｶﾞ', 'ナイキ ガ'],
  ['apostrophes and dashes', 'L’Oréal L´Oreal Off–White', "l'oreal l'oreal off-white"],
  ['white space', 'a \t\n\u00a0 b', 'a b'],
]

const kept: readonly (readonly [string, string, string])[] = [
  ['Russian stays Russian', 'Сумка красная, оса и хор', 'сумка красная, оса и хор'],
  ['й and ё are letters', 'Йод ёлка', 'йод ёлка'],
  ['Greek stays Greek', 'Τσάντα ροζ', 'τσαντα ροζ'],
  ['units are no disguise', '50 μm 10 kΩ', '50 μm 10 kω'],
  ['phrases with punctuation', '1:1 mirror!', '1:1 mirror!'],
  ['signs of registration', 'Nike™ Nike®', 'nike™ nike®'],
  ['a model between alphabets', 'α7 III', 'α7 iii'],
  ['Chinese', '古驰 包包', '古驰 包包'],
]

describe('normalise', () => {
  it.each(readings)('undoes %s', (_, source, text) => expect(normalise(source).text).toBe(text))
  it.each(kept)('keeps: %s', (_, source, text) => expect(normalise(source).text).toBe(text))

  it('drops a mark behind a sign that stands for a word as it does behind the last letter of that word', () => {
    expect(normalise('\u3311\u0301').text).toBe(normalise('ギニー\u0301').text)
    expect(normalise('\u3311\u0301').text).toBe('ギニー')
    expect(normalise('a\u1fbf\u1161b').text).toBe('a b')
    expect(normalise('e\0\u1712').text).toBe(normalise('e\u1712').text)
  })

  it('never throws, is idempotent and well formed, and its map stays inside and rises', () => {
    fc.assert(
      fc.property(nasty, (source) => {
        const { text, starts, ends } = normalise(source)
        expect(normalise(text).text).toBe(text)
        expect(text.isWellFormed()).toBe(true)
        expect(starts.length).toBe(text.length)
        expect(ends.length).toBe(text.length)
        for (let i = 0; i < text.length; i++) {
          expect(starts[i]).toBeLessThan(ends[i] ?? 0)
          expect(ends[i]).toBeLessThanOrEqual(source.length)
          if (i > 0) {
            expect(starts[i]).toBeGreaterThanOrEqual(starts[i - 1] ?? 0)
            expect(ends[i]).toBeGreaterThanOrEqual(ends[i - 1] ?? 0)
          }
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('is idempotent on every code point, alone and between letters', () => {
    const wrong: string[] = []
    for (let code = 0; code < 0x11_0000; code += 7) {
      const around = `a${String.fromCodePoint(code)}b`
      const once = normalise(around).text
      if (normalise(once).text !== once) wrong.push(code.toString(16))
    }
    expect(wrong).toEqual([])
  })

  it('shows a match in the seller’s own words', () => {
    const n = normalise('★ 𝗖𝗵\u200b𝗮𝗻𝗲𝗹 bag')
    const start = n.text.indexOf('chanel')
    expect(spanOf(n, 'title', start, start + 6)).toEqual({ field: 'title', start: 2, end: 15, text: '𝗖𝗵\u200b𝗮𝗻𝗲𝗹' })
  })

  it('keeps a span of a lone surrogate storable, and bounds its text', () => {
    expect(spanOf(normalise('\ud835x'), 'title', 0, 1).text.isWellFormed()).toBe(true)
    const n = normalise(`a${'\u0301'.repeat(5_000)}`)
    expect(n.text).toBe('a')
    expect(spanOf(n, 'title', 0, 1)).toMatchObject({ start: 0, end: 5_001 })
    expect(spanOf(n, 'title', 0, 1).text.length).toBe(200)
    expect(spanOf(normalise(''), 'brand', 0, 0)).toEqual({ field: 'brand', start: 0, end: 0, text: '' })
  })

  it('grows with the text, not with its square: a megabyte of stacked marks gives one letter', () => {
    expect(normalise(`a${'\u0323\u0301'.repeat(500_000)}`).text).toBe('a')
    expect(normalise('ﷺ'.repeat(50_000)).text.length).toBe(18 * 50_000)
    expect(normalise('\u1100\u1161\u11a8'.repeat(300_000)).text).toBe('각'.repeat(300_000))
  })
})
