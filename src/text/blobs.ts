// Cuts normalised text into what a reader takes for one word with something odd in it: the place where disguises are sought.
import { classOf, DIGIT, LATIN, NOT_A_WORD, UNSPACED } from './characters.ts'

/** Letters, and the signs between them, of one unbroken stretch of text. */
export interface Blob {
  readonly start: number
  readonly end: number
  /** Code units; signs at the edges are trimmed off. */
  readonly letters: number
  readonly digits: number
  /** Signs that honest text hardly puts inside a word: stars, hearts, tildes. */
  readonly strong: number
  /** Signs that it does: dots, dashes, slashes. */
  readonly weak: number
  /** Strong signs right after `end`. */
  readonly trailing: number
}

const BREAKS = new Set(Array.from(' \t\n()[]{}<>"“”,;:?【】「」『』《》、。，×+%', (c) => c.charCodeAt(0)))
const STRONG_ASCII = new Set(Array.from('*~^#=', (c) => c.charCodeAt(0)))
const strength = new Uint8Array(0x1_0000)

/** 1 weak, 2 strong. Halves of surrogate pairs are emoji or the like. */
export function strengthOf(unit: number): number {
  const known = strength[unit] ?? 0
  if (known !== 0) return known
  const char = String.fromCharCode(unit)
  const strong =
    STRONG_ASCII.has(unit) ||
    (unit > 0x7f && !'™®©℠℗°×÷±|§¶†‡№℃℉¬'.includes(char) && /^[\p{So}\p{Sk}\p{Sm}\p{Cs}•·∙⋅]$/u.test(char))
  const found = strong ? 2 : 1
  strength[unit] = found
  return found
}

/** Every stretch that holds at least one letter; `visit` may return false to stop. Linear. */
export function eachBlob(text: string, visit: (blob: Blob) => boolean | void): void {
  let i = 0
  while (i < text.length) {
    const unit = text.charCodeAt(i)
    if (BREAKS.has(unit) || classOf(unit) === UNSPACED) {
      i++
      continue
    }
    const from = i
    while (i < text.length && !BREAKS.has(text.charCodeAt(i)) && classOf(text.charCodeAt(i)) !== UNSPACED) i++
    const blob = measure(text, from, i)
    if (blob.letters > 0 && visit(blob) === false) return
  }
}

function measure(text: string, from: number, to: number): Blob {
  let start = from
  let end = to
  while (start < end && classOf(text.charCodeAt(start)) === NOT_A_WORD && !'$@€£!|'.includes(text.charAt(start)))
    start++
  while (end > start && classOf(text.charCodeAt(end - 1)) === NOT_A_WORD) end--
  let letters = 0
  let digits = 0
  let strong = 0
  let weak = 0
  for (let i = start; i < end; i++) {
    const kind = classOf(text.charCodeAt(i))
    if (kind === LATIN) letters++
    else if (kind === DIGIT) digits++
    else if (kind === NOT_A_WORD) {
      if (strengthOf(text.charCodeAt(i)) === 2) strong++
      else weak++
    }
  }
  let trailing = 0
  while (end + trailing < to && strengthOf(text.charCodeAt(end + trailing)) === 2 && trailing < 4) trailing++
  return { start, end, letters, digits, strong, weak, trailing }
}
