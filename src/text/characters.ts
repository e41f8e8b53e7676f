// What kind of character a code point or a code unit is, looked up once and kept in a table.

export const PLAIN = 1
export const EXTENDS = 2
export const IGNORED = 3
export const SPACE = 4

const IGNORABLE = /^[\p{Default_Ignorable_Code_Point}\p{Cc}]$/u
const WHITE = /^[\s\u0085\u2800\p{Z}]$/u
const MARK = /^\p{M}/u
/** Vowels and final consonants of Hangul compose with what stands before them, as marks do. */
const HANGUL_TAIL = /^[\u1160-\u11ff\ud7b0-\ud7ff]/

const roles = new Uint8Array(0x11_0000)

/** The role of a code point when text is cut into clusters: PLAIN starts one, EXTENDS joins one, IGNORED leaves no trace. */
export function roleOf(codePoint: number): number {
  const known = roles[codePoint] ?? 0
  if (known !== 0) return known
  const role = classifyRole(codePoint)
  roles[codePoint] = role
  return role
}

function classifyRole(codePoint: number): number {
  const char = String.fromCodePoint(codePoint)
  if (WHITE.test(char)) return SPACE
  if (IGNORABLE.test(char)) return IGNORED
  const first = char.normalize('NFKC')
  if (first.startsWith(' ') && first.length > 1) return PLAIN
  return MARK.test(first) || HANGUL_TAIL.test(first) ? EXTENDS : PLAIN
}

/** Script classes of code units in normalised text. */
export const NOT_A_WORD = 1
export const LATIN = 2
export const DIGIT = 3
/** A script that puts spaces between words and has letters that look Latin. */
export const OTHER_ALPHABET = 4
/** Han, kana, Hangul, Thai and the like: a name may stand next to other letters. */
export const UNSPACED = 5

const UNSPACED_SCRIPTS =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Bopomofo}々ー]$/u
const classes = new Uint8Array(0x1_0000)

/** The class of one UTF-16 code unit; halves of surrogate pairs (emoji, rare Han) count as not a word. */
export function classOf(unit: number): number {
  const known = classes[unit] ?? 0
  if (known !== 0) return known
  const found = classify(String.fromCharCode(unit))
  classes[unit] = found
  return found
}

function classify(char: string): number {
  if (UNSPACED_SCRIPTS.test(char)) return UNSPACED
  if (/^\p{Script=Latin}$/u.test(char) && /^\p{L}$/u.test(char)) return LATIN
  if (/^\p{N}$/u.test(char)) return DIGIT
  return /^[\p{L}\p{M}]$/u.test(char) ? OTHER_ALPHABET : NOT_A_WORD
}

/** Whether a word may begin or end between two neighbouring code units. -1 stands for the edge of the text. */
export function isBoundary(before: number, after: number): boolean {
  if (before < 0 || after < 0) return true
  const a = classOf(before)
  if (a === NOT_A_WORD || a === UNSPACED) return true
  const b = classOf(after)
  return b === NOT_A_WORD || b === UNSPACED
}
