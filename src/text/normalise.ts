// One pass that makes text comparable, with a map back, so that evidence is shown in the seller's own words.
import type { Span } from '../domain/signal-result.ts'
import { classOf, DIGIT, EXTENDS, IGNORED, LATIN, OTHER_ALPHABET, PLAIN, roleOf, SPACE } from './characters.ts'
import { EXACT_LOOK_ALIKES, FOREIGN_LOOK_ALIKES, PLAIN_FORMS } from './look-alikes.ts'

/** `text[i]` came from the source's UTF-16 code units `starts[i]` to `ends[i]` (half open); both rise or stay. */
export interface Normalised {
  readonly source: string
  readonly text: string
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}

/** More marks than any script stacks on one letter. The cap keeps Unicode's reordering of marks, quadratic in their number, small. */
const MAX_MARKS = 8
const KEEPS_NO_MARKS =
  /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Armenian}\p{Script=Han}\p{Script=Common}\p{Script=Inherited}]/u
const DECOMPOSES = /^[\p{Script=Latin}\p{Script=Greek}]/u
const DROPPED_MARKS = /[\p{Mn}\p{Me}]/gu
const MARKS_IN_EXCESS = /(\p{M}{8})\p{M}+/gu
const LETTERS = /\P{M}\p{M}*|^\p{M}+/gu

/** Punctuation and symbols that are unified before NFKC, which would make `tm` of a trade-mark sign and a space of an acute accent. */
const SIGNS: ReadonlyMap<string, string> = new Map([
  ...['‘', '’', '‚', '‛', '′', 'ʹ', 'ʼ', 'ʻ', '´', '`', '＇', '｀', '΄', '᾽'].map((c) => [c, "'"] as const),
  ...['“', '”', '„', '‟', '″', '〝', '〞', '＂'].map((c) => [c, '"'] as const),
  ...['‐', '‑', '‒', '–', '—', '―', '−', '﹘', '﹣', '－'].map((c) => [c, '-'] as const),
  ...['™', '®', '©', '℠', '℗'].map((c) => [c, c] as const),
  ...['¨', '¯', '¸', '˘', '˙', '˚', '˛', '˜', '˝', '‾'].map((c) => [c, c] as const),
  ['〜', '~'],
  ['\u0640', ''],
])

/**
 * Makes text comparable: NFKC, lower case, accents of Latin and Greek letters gone (`hermès` is `hermes`), zero-width,
 * bidirectional and variation characters gone, fancy letters plain, quotes and dashes unified, white space runs one
 * space. Letters of other scripts become Latin only in a word that mixes them with Latin, or that consists of nothing
 * but look-alikes in a text with no other word of their script. Time is linear; never throws; idempotent on its text.
 */
export function normalise(source: string): Normalised {
  const out = new Output(source.length)
  let at = 0
  while (at < source.length) {
    const unit = source.charCodeAt(at)
    const next = at + 1 < source.length ? source.charCodeAt(at + 1) : 0
    // A control behind a letter is nothing, and what comes behind it may join the letter.
    if (unit < 0x80 && next < 0x7f && next > 0x1f && unit > 0x20 && unit !== 0x7f && unit !== 0x60) {
      out.put(unit >= 0x41 && unit <= 0x5a ? unit + 32 : unit, at, at + 1)
      at += 1
      continue
    }
    at = cluster(source, at, out)
  }
  const units = out.units.subarray(0, out.length)
  unmask(units)
  return {
    source,
    text: Buffer.from(units.buffer, units.byteOffset, units.byteLength).toString('utf16le'),
    starts: out.starts.slice(0, out.length),
    ends: out.ends.slice(0, out.length),
  }
}

/** The place in the seller's own text that normalised code units `start` to `end` (half open) came from; the text is cut at 200 units. */
export function spanOf(n: Normalised, field: Span['field'], start: number, end: number): Span {
  const from = n.starts[start] ?? n.source.length
  const to = Math.max(from, n.ends[end - 1] ?? from)
  return { field, start: from, end: to, text: n.source.slice(from, Math.min(to, from + 200)).toWellFormed() }
}

class Output {
  units: Uint16Array
  starts: Uint32Array
  ends: Uint32Array
  length = 0
  constructor(size: number) {
    this.units = new Uint16Array(size + 16)
    this.starts = new Uint32Array(size + 16)
    this.ends = new Uint32Array(size + 16)
  }
  put(unit: number, start: number, end: number): void {
    if (this.length === this.units.length) this.#grow()
    this.units[this.length] = unit
    this.starts[this.length] = start
    this.ends[this.length] = end
    this.length += 1
  }
  #grow(): void {
    const size = this.units.length * 2
    const { units, starts, ends } = this
    this.units = new Uint16Array(size)
    this.starts = new Uint32Array(size)
    this.ends = new Uint32Array(size)
    this.units.set(units)
    this.starts.set(starts)
    this.ends.set(ends)
  }
}

/** Reads one letter with everything that joins it, writes its plain form, returns where the next begins. */
function cluster(source: string, at: number, out: Output): number {
  const first = source.codePointAt(at) ?? 0
  const role = roleOf(first)
  let end = at + (first > 0xffff ? 2 : 1)
  if (role === IGNORED) return end
  let text = isLoneSurrogate(first) ? '\ufffd' : String.fromCodePoint(first)
  let marks = 0
  let joined = end
  while (end < source.length) {
    const code = source.codePointAt(end) ?? 0
    const kind = code < 0x80 && code > 0x20 ? PLAIN : roleOf(code)
    if (kind !== EXTENDS && kind !== IGNORED) break
    end += code > 0xffff ? 2 : 1
    if (kind === IGNORED) continue
    joined = end
    if (marks < MAX_MARKS) text += String.fromCodePoint(code)
    marks += 1
  }
  if (role === SPACE) {
    space(out, at, joined)
    return end
  }
  const plain = marks === 0 ? plainOf(first, text) : simplify(text)
  for (let i = 0; i < plain.length; i++) {
    const unit = plain.charCodeAt(i)
    if (unit === 0x20) space(out, at, joined)
    else out.put(unit, at, joined)
  }
  return end
}

function space(out: Output, start: number, end: number): void {
  if (out.length > 0 && out.units[out.length - 1] === 0x20) out.ends[out.length - 1] = end
  else out.put(0x20, start, end)
}

const isLoneSurrogate = (code: number) => code >= 0xd800 && code <= 0xdfff

const forms = new Map<number, string>()

function plainOf(code: number, text: string): string {
  const known = forms.get(code)
  if (known !== undefined) return known
  const plain = simplify(text)
  // Enough for the letters in use; bounded because strangers choose them.
  if (forms.size < 20_000) forms.set(code, plain)
  return plain
}

function simplify(text: string): string {
  const enclosed = enclosedLetter(text.codePointAt(0) ?? 0)
  if (enclosed !== undefined) return enclosed
  const sign = SIGNS.get(text.charAt(0))
  if (sign !== undefined) return sign
  const plain = text.normalize('NFKC').toLowerCase().normalize('NFKC').replace(LETTERS, unmarked)
  let dressed = ''
  for (const char of plain) {
    const role = roleOf(char.codePointAt(0) ?? 0)
    // What would join a letter joins a space, as it does in the text that comes of this.
    if (role === IGNORED || (role === EXTENDS && dressed.endsWith(' '))) continue
    dressed += PLAIN_FORMS.get(char) ?? SIGNS.get(char) ?? char
  }
  return dressed
}

/** One character may stand for a word of several letters: its marks are on the last of them. */
function unmarked(letter: string): string {
  const plain = DECOMPOSES.test(letter) ? letter.normalize('NFD') : letter
  return KEEPS_NO_MARKS.test(plain) ? plain.replace(DROPPED_MARKS, '') : plain.replace(MARKS_IN_EXCESS, '$1')
}

/** Letters in circles, squares and brackets that NFKC leaves alone or writes with brackets. */
function enclosedLetter(code: number): string | undefined {
  for (const [first, last] of ENCLOSED) {
    if (code >= first && code <= last) return String.fromCharCode(0x61 + code - first)
  }
  return undefined
}
const ENCLOSED = [
  [0x249c, 0x24b5],
  [0x1f110, 0x1f129],
  [0x1f130, 0x1f149],
  [0x1f150, 0x1f169],
  [0x1f170, 0x1f189],
] as const

/** Letters of other scripts to Latin, word by word, in place; so the map stays right. */
function unmask(units: Uint16Array): void {
  const words = foreignWords(units)
  if (words.length === 0) return
  const native = new Set(words.filter((w) => w.disguise === 'none').map((w) => w.alphabet))
  for (const { start, end, alphabet, disguise } of words) {
    if (disguise === 'none' || (disguise === 'whole' && native.has(alphabet))) continue
    for (let i = start; i < end; i++) units[i] = FOREIGN_LOOK_ALIKES.get(units[i] ?? 0) ?? units[i] ?? 0
  }
}

interface ForeignWord {
  readonly start: number
  readonly end: number
  /** Blocks of 256 code units tell alphabets apart well enough: Greek 3, Cyrillic 4, Armenian 5, Cherokee AB, Lisu A4. */
  readonly alphabet: number
  /** `mixed` with Latin letters; `whole`: only letters that look Latin in lower case too; `none`: a word of its own script. */
  readonly disguise: 'mixed' | 'whole' | 'none'
}

function foreignWords(units: Uint16Array): ForeignWord[] {
  const words: ForeignWord[] = []
  eachWord(units, (start, end, foreign, latin) => {
    if (foreign === 0) return
    let alphabet = 0
    let alike = true
    let exact = foreign > 1
    for (let i = start; i < end; i++) {
      const unit = units[i] ?? 0
      if (classOf(unit) !== OTHER_ALPHABET) continue
      alphabet = unit >> 8
      alike &&= FOREIGN_LOOK_ALIKES.has(unit)
      exact &&= EXACT_LOOK_ALIKES.has(unit)
    }
    const disguise = latin > 0 && alike ? 'mixed' : latin === 0 && exact ? 'whole' : 'none'
    if (disguise !== 'none' || foreign > 1) words.push({ start, end, alphabet, disguise })
  })
  return words
}

function eachWord(
  units: Uint16Array,
  visit: (start: number, end: number, foreign: number, latin: number) => void,
): void {
  let start = -1
  let foreign = 0
  let latin = 0
  for (let i = 0; i <= units.length; i++) {
    const kind = i < units.length ? classOf(units[i] ?? 0) : 0
    if (kind === LATIN || kind === DIGIT || kind === OTHER_ALPHABET) {
      if (start < 0) start = i
      if (kind === OTHER_ALPHABET) foreign++
      if (kind === LATIN) latin++
    } else if (start >= 0) {
      visit(start, i, foreign, latin)
      start = -1
      foreign = 0
      latin = 0
    }
  }
}
