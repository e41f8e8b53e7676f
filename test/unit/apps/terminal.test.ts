// Titles are written by strangers: whatever they hold, a line stays one line of the terminal's width.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createTerminal,
  cutText,
  fit,
  plain,
  priceText,
  riskText,
  textWidth,
  wantsColour,
} from '../../../src/apps/terminal.ts'

const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom(
      '\u001b[2J',
      '\u202e',
      '\ud800',
      '\n',
      '\r',
      '\t',
      '\u0007',
      '\u009b',
      '漢',
      '\u0300',
      'م',
      '⭐',
      '\u2028',
      ' ',
    ),
  ),
  maxLength: 300,
})

describe('plain', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', '␛[31mred␛[0m'],
    ['bell\u0007 and delete\u007f', 'bell␇ and delete␡'],
    ['C1 \u009b31m', 'C1 \ufffd31m'],
    ['lines\r\nand\u2028more', 'lines and more'],
    ['\u202egnp.exe\u202c', 'gnp.exe'],
    ['N\u200bi\u2060k\ufeffe', 'Nike'],
    ['half \ud83d an emoji', 'half \ufffd an emoji'],
    ['Z\u0335\u0321\u0353\u030da', 'Z\u0335\u0321a'],
    ['  much   space  ', 'much space'],
    ['Čaj, 高仿, ⭐', 'Čaj, 高仿, ⭐'],
  ])('%j becomes %j', (text, expected) => {
    expect(plain(text)).toBe(expected)
  })

  it('closes right-to-left text, so that the price beside it stays where it is', () => {
    expect(plain('ساعة F-91W')).toBe('\u200eساعة F-91W\u200e')
  })

  it('leaves nothing that acts on a terminal, whatever comes', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = plain(text)
        expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029]/u)
        expect(shown.replaceAll('\u200e', '')).not.toMatch(/\p{Cf}/u)
      }),
    )
  })

  it('looks at a bounded part of a long title', () => {
    expect(plain('A'.repeat(1_000_000)).length).toBeLessThanOrEqual(4_000)
  })
})

describe('widths', () => {
  it.each([
    ['abc', 3],
    ['高仿', 4],
    ['ナイキ', 6],
    ['N⭐K', 4],
    ['e\u0301', 1],
    ['한국', 4],
    ['Ｗｉｄｅ', 8],
    ['𝗖𝗵', 2],
    ['\u200eساعة\u200e', 4],
  ])('%j takes %i columns', (text, width) => {
    expect(textWidth(text)).toBe(width)
  })

  it('cuts between characters and never beyond the width', () => {
    expect(cutText('高仿劳力士', 6)).toBe('高仿…')
    expect(cutText('short', 6)).toBe('short')
    expect(fit('高仿劳力士', 6)).toBe('高仿… ')
    expect(cutText('anything', 0)).toBe('')
  })

  it('cuts behind a word where one ends near, and leaves no half ones', () => {
    expect(cutText('Bundle: 12 baby bodysuits, size 68, smoke-free home', 49)).toBe(
      'Bundle: 12 baby bodysuits, size 68, smoke-free…',
    )
    expect(cutText('dark stonewash, worn', 16)).toBe('dark stonewash…')
    expect(cutText('one two', 4)).toBe('one…')
    expect(cutText('a stonewashed', 10)).toBe('a stonewa…')
  })

  it('fits exactly, whatever comes', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 80 }), (text, width) => {
        expect(textWidth(fit(plain(text), width))).toBe(width)
      }),
    )
  })
})

describe('a line', () => {
  const line = {
    word: 'hold',
    risk: 0.4312,
    title: 'A watch',
    price: { amount: 1234.5, currency: 'USD' },
    reason: 'The price is far below what goods of this brand usually sell for.',
  } as const

  it('says outcome, risk, title, price and reason side by side where there is room', () => {
    expect(createTerminal({ width: 160, colour: false }).record(line)).toMatch(
      /^hold +43 % {2}A watch +1,234\.50 USD {2}The price is far .*for\.\n$/,
    )
  })

  it('puts the reason below where there is none', () => {
    expect(createTerminal({ width: 80, colour: false }).record(line).split('\n')).toEqual([
      expect.stringMatching(/^hold +43 % {2}A watch +1,234\.50 USD$/),
      '      The price is far below what goods of this brand usually sell for.',
      '',
    ])
  })

  it('goes on below, in the same column, with what is too long to stand beside; no word is lost', () => {
    const long = `${line.reason} Please say why, in a sentence or two, and show the receipt.`
    const terminal = createTerminal({ width: 150, colour: false })
    for (const more of [{ reason: long }, { aside: long }, { mark: long }]) {
      const [first = '', second = '', ...rest] = terminal
        .record({ word: 'hold', title: 'A watch', ...more })
        .trimEnd()
        .split('\n')
      const column = first.indexOf(more.mark === undefined ? 'The price' : '! The price')
      expect(second.slice(0, column).trim()).toBe('')
      expect([first.slice(column), second.slice(column), ...rest].join(' ')).toBe(
        more.mark === undefined ? long : `! ${long}`,
      )
    }
  })

  it('has a word for every outcome with and without colour', () => {
    const coloured = createTerminal({ width: 80, colour: true }).record({ ...line, word: 'block' })
    expect(coloured).toContain('\u001b[31m')
    expect(coloured).toContain('block')
    expect(createTerminal({ width: 80, colour: false }).record({ ...line, word: 'block' })).not.toContain('\u001b')
  })

  it('never gets wider than the terminal, whatever strangers write', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.integer({ min: 20, max: 200 }), (title, reason, width) => {
        const terminal = createTerminal({ width, colour: false })
        const told = terminal.record({ ...line, title, reason, mark: reason })
        for (const row of told.split('\n')) expect(textWidth(row)).toBeLessThanOrEqual(width)
      }),
    )
  })
})

it('never rounds a risk to certainty', () => {
  expect([0, 0.0004, 0.02, 0.25, 0.991, 0.9999, 1].map(riskText)).toEqual([
    '<0.1 %',
    '<0.1 %',
    '2.0 %',
    '25 %',
    '99.1 %',
    '>99.9 %',
    '>99.9 %',
  ])
})

it('names currencies rather than drawing them: a yen and a yuan share their sign', () => {
  expect(priceText({ amount: 15_800, currency: 'JPY' })).toBe('15,800 JPY')
})

it('asks NO_COLOR, FORCE_COLOR and the terminal, in this order', () => {
  expect(wantsColour({ isTTY: true }, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false)
  expect(wantsColour({}, { FORCE_COLOR: '1' })).toBe(true)
  expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
  expect(wantsColour({ isTTY: true }, {})).toBe(true)
  expect(wantsColour({}, {})).toBe(false)
})
