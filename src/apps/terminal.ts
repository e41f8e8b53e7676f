// How text of strangers, and a decision, look on a terminal: safe, cut to the width, the outcome a word and a colour.
import { createColors } from 'picocolors'
import type { Outcome } from '../domain/policy.ts'
import type { Price } from '../domain/listing.ts'

export interface TerminalOptions {
  /** Columns. */
  readonly width: number
  readonly colour: boolean
}

/** How a record ended, as the first word of its line. */
export type EndWord = Outcome | 'refused' | 'unread' | 'again' | 'gone'
/** In brackets: what would be decided, of a dry run. */
type Word = EndWord | `(${Outcome})`

export interface RecordLine {
  readonly word: Word
  readonly risk?: number | undefined
  readonly title: string
  readonly price?: Price | undefined
  /** Said after the title: what the system found. */
  readonly reason?: string | undefined
  /** Said dimly where there is no reason. */
  readonly aside?: string | undefined
  /** Said loudly, on a line of its own. */
  readonly mark?: string | undefined
}

export interface Terminal {
  readonly width: number
  readonly colours: ReturnType<typeof createColors>
  /** One or more lines, each ended, none longer than the width. */
  record(line: RecordLine): string
  /** A rule across the terminal with a title in it. */
  heading(title: string): string
  /** Words wrapped at the width behind an indent. */
  paragraph(text: string, indent: number): string
}

const LEFT_TO_RIGHT_MARK = '\u200e'
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u
/** A letter carries at most this many accents; more are only there to paint over other lines. */
const ACCENTS = 2

/**
 * Text of strangers without anything that acts on a terminal: control characters become their pictures (U+2400 on), C1
 * controls and lone surrogates U+FFFD, white space one space, and what is invisible goes: bidi overrides, zero-width
 * characters, variation selectors, tags, accents beyond two. Right-to-left text is closed by a mark, so that the figures
 * beside it stay where they are. At most `limit` code units are looked at.
 */
export function plain(text: string, limit = 4_000): string {
  let result = ''
  let accents = 0
  for (const character of text.slice(0, limit).replaceAll('\ufeff', '').replace(/\s+/gu, ' ').trim()) {
    const point = character.codePointAt(0) ?? 0
    if (/\p{M}/u.test(character)) {
      accents += 1
      if (accents <= ACCENTS && !(point >= 0xfe00 && point <= 0xfe0f) && point < 0xe0100) result += character
      continue
    }
    accents = 0
    if (point < 0x20) result += String.fromCodePoint(0x2400 + point)
    else if (point === 0x7f) result += '\u2421'
    else if (/\p{Cf}/u.test(character)) continue
    else if (/[\p{Cc}\p{Cs}\p{Co}\p{Cn}]/u.test(character)) result += '\ufffd'
    else result += character
  }
  return RIGHT_TO_LEFT.test(result) ? LEFT_TO_RIGHT_MARK + result + LEFT_TO_RIGHT_MARK : result
}

/** A line on standard error about a file or a row: names and texts of strangers are in it. */
export const complain = (line: string): void => void process.stderr.write(`${plain(line)}\n`)

/** East Asian wide and full-width blocks (Unicode 16, EastAsianWidth.txt), by whole blocks: near enough to cut a title. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u

function columns(character: string): number {
  if (/[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** Columns that plain text takes. */
export function textWidth(text: string): number {
  let width = 0
  for (const character of text) width += columns(character)
  return width
}

/** Of the width, when a text is cut at a space. */
const LEAST_KEPT = 2 / 3

/** Cut to `width` columns with an ellipsis, then filled with spaces. */
export function fit(text: string, width: number): string {
  const cut = cutText(text, width)
  return cut + ' '.repeat(Math.max(0, width - textWidth(cut)))
}

/** Behind a word where one ends near, else between two characters. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  let kept = ''
  let used = 0
  let next = ''
  for (const character of text) {
    const wide = columns(character)
    next = character
    if (used + wide > width - 1) break
    kept += character
    used += wide
  }
  // Half a word may say something else; where it would cost much of the line there are no short words, as in Chinese.
  const whole = next === ' ' ? kept : kept.slice(0, Math.max(0, kept.lastIndexOf(' ')))
  if (textWidth(whole) >= width * LEAST_KEPT) kept = whole
  const end = RIGHT_TO_LEFT.test(kept) ? LEFT_TO_RIGHT_MARK : ''
  return `${kept.replace(/[\s,;:]+$/u, '')}${end}${width > 0 ? '…' : ''}`
}

/** A risk for people: three figures at most, never 0 or 100. */
export function riskText(risk: number): string {
  const percent = risk * 100
  if (percent < 0.1) return '<0.1 %'
  if (percent > 99.9) return '>99.9 %'
  return `${percent < 10 || percent > 99 ? percent.toFixed(1) : percent.toFixed(0)} %`
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const cents = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

export function priceText(price: Price): string {
  return `${(Number.isInteger(price.amount) ? whole : cents).format(price.amount)} ${plain(price.currency, 8)}`
}

const WORD = 8
const RISK = 9
const PRICE = 13
/** From here on the usual reason fits behind a title of 45 columns. */
const WIDE_FROM = 150
/** Columns before a reason below its title: the usual ones then fit on a line of 80. */
const BELOW = 6
/** What a usual reason takes, with the space before it; the title has the rest. */
const REASON = 74

export function createTerminal(options: TerminalOptions): Terminal {
  const colours = createColors(options.colour)
  const width = Math.max(20, Math.min(options.width, 220))
  const paint: Record<Word, (text: string) => string> = {
    allow: colours.green,
    hold: colours.yellow,
    block: (text) => colours.bold(colours.red(text)),
    '(allow)': colours.green,
    '(hold)': colours.yellow,
    '(block)': colours.red,
    refused: colours.magenta,
    unread: colours.magenta,
    again: colours.dim,
    gone: colours.dim,
  }
  const paragraph = (text: string, indent: number) =>
    wrap(text, width - indent)
      .map((line) => `${' '.repeat(indent)}${line}\n`)
      .join('')

  return {
    width,
    colours,
    paragraph,
    heading: (title) => {
      const text = `── ${cutText(title, width - 6)} `
      return `${colours.bold(text)}${colours.dim('─'.repeat(Math.max(0, width - textWidth(text))))}\n`
    },
    record(line) {
      const head = paint[line.word](fit(line.word, WORD))
      const risk = width < 48 ? '' : `${(line.risk === undefined ? '' : riskText(line.risk)).padStart(RISK - 2)}  `
      const showsPrice = width >= 60
      const price = showsPrice ? (line.price === undefined ? '' : priceText(line.price)).padStart(PRICE) : ''
      const rest = width - WORD - risk.length - (showsPrice ? PRICE + 1 : 0)
      const beside = width >= WIDE_FROM
      const title = fit(plain(line.title), beside ? Math.min(56, rest - REASON) : rest)
      const start = `${head}${risk}${title}${showsPrice ? ` ${price}` : ''}`
      const indent = beside ? WORD + risk.length : Math.min(BELOW, width - 12)
      const mark = line.mark === undefined ? '' : colours.yellow(paragraph(`! ${plain(line.mark)}`, indent))
      if (beside) {
        // What is longer goes on below, in the same column.
        const room = rest - textWidth(title) - 2
        const said = (text: string) =>
          wrap(plain(text), room).map((part, n) => (n === 0 ? part : ' '.repeat(width - room) + part))
        const ended = (text: string) => `${start}  ${text}\n`
        if (line.reason !== undefined) return `${ended(said(line.reason).join('\n'))}${mark}`
        if (line.mark !== undefined) return ended(colours.yellow(said(`! ${line.mark}`).join('\n')))
        return line.aside === undefined ? `${start.trimEnd()}\n` : ended(colours.dim(said(line.aside).join('\n')))
      }
      const below = line.reason === undefined ? '' : colours.dim(paragraph(plain(line.reason), indent))
      return `${start.trimEnd()}\n${below}${mark}`
    },
  }
}

/** Words to lines; a word that is longer than a line is cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (textWidth(longer) <= width) line = longer
    else {
      if (line !== '') lines.push(line)
      line = cutText(word, width)
    }
  }
  return line === '' ? lines : [...lines, line]
}

/** Whether to colour: NO_COLOR (https://no-color.org) and dumb terminals say no, FORCE_COLOR says yes, else a terminal does. */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false
  if ((env['FORCE_COLOR'] ?? '') !== '') return env['FORCE_COLOR'] !== '0'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}
