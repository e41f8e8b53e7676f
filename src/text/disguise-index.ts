// Brand names by the traces that a disguise leaves: letters without marks, letters with gaps, digits read as letters.
import { buildAutomaton, type Automaton } from './automaton.ts'
import type { DictionaryName } from './mention.ts'
import { classOf, LATIN, UNSPACED } from './characters.ts'
import { LETTERS_OF_SIGN } from './look-alikes.ts'

/** A name without its blanks and marks. */
export interface Skeleton {
  readonly name: DictionaryName
  readonly letters: string
  /** Positions in `letters` before which the name has a blank or a mark of its own: a separator there hides nothing. */
  readonly gaps: ReadonlySet<number>
}

export interface DisguiseIndex {
  /** By letters, for signs put between them. */
  readonly byLetters: ReadonlyMap<string, Skeleton>
  /** By number of letters and first letter, for signs put in their place; only marks known to be copied. */
  readonly byShape: ReadonlyMap<string, readonly Skeleton[]>
  /** Abbreviations of the most copied marks, for `L*V`. */
  readonly byInitials: ReadonlyMap<string, Skeleton>
  /** Han and kana names by two letters that a sign may stand between; `position` is that of the second of them. */
  readonly byNeighbours: ReadonlyMap<string, readonly { readonly skeleton: Skeleton; readonly position: number }[]>
  /** First letters of Han and kana names, of which the rest is left out: `普拉～`. */
  readonly byBeginning: ReadonlyMap<string, Skeleton>
  /** Pieces of the most copied names, for words in fancy letters that give away only a part: `𝗖𝗵𝗮𝗻𝗲`. */
  readonly byPiece: ReadonlyMap<string, Skeleton>
  /** Over `foldLetters` of the names; patterns in the order of `foldedNames`. */
  readonly folded: Automaton
  readonly foldedNames: readonly DictionaryName[]
}

/** Shorter names are found by chance in model numbers and abbreviations. */
export const LEAST_LETTERS = 4
/** Of marks that nobody is known to copy, shorter names cost more honest listings than they find disguises. */
const LEAST_LETTERS_UNKNOWN = 6

export function indexDisguises(names: readonly DictionaryName[]): DisguiseIndex {
  const byLetters = new Map<string, Skeleton>()
  const byShape = new Map<string, Skeleton[]>()
  const byInitials = new Map<string, Skeleton>()
  const byNeighbours = new Map<string, { skeleton: Skeleton; position: number }[]>()
  const byBeginning = new Map<string, Skeleton>()
  const byPiece = new Map<string, Skeleton>()
  const foldedNames: DictionaryName[] = []
  for (const name of names) {
    const skeleton = skeletonOf(name)
    if (skeleton === undefined) continue
    const { letters } = skeleton
    if (classOf(letters.charCodeAt(0)) === UNSPACED) {
      if (name.copied === 'unknown') continue
      addNeighbours(byNeighbours, skeleton)
      if (name.kind === 'name') addBeginnings(byBeginning, skeleton)
      continue
    }
    if (name.kind === 'abbreviation' && name.copied === 'most' && letters.length <= 4) byInitials.set(letters, skeleton)
    if (letters.length < (name.copied === 'unknown' ? LEAST_LETTERS_UNKNOWN : LEAST_LETTERS)) continue
    if (name.copied === 'unknown' && name.ambiguous) continue
    if (!byLetters.has(letters)) byLetters.set(letters, skeleton)
    foldedNames.push(name)
    // A misspelling with a gap is too close to the name with a mark of honest decoration.
    if (name.copied === 'most' && name.kind === 'name' && !name.ambiguous) addPieces(byPiece, skeleton)
    if (name.copied === 'unknown' || name.kind === 'misspelling' || byLetters.get(letters) !== skeleton) continue
    const shape = shapeOf(letters.length, letters.charAt(0))
    const bucket = byShape.get(shape)
    if (bucket === undefined) byShape.set(shape, [skeleton])
    else bucket.push(skeleton)
  }
  const folded = buildAutomaton(foldedNames.map((n) => foldLetters(n.text)))
  return { byLetters, byShape, byInitials, byNeighbours, byBeginning, byPiece, folded, foldedNames }
}

export const shapeOf = (length: number, first: string) => `${length}${first}`

/** Undefined for names with digits or in other alphabets, whose disguises are not looked for. */
function skeletonOf(name: DictionaryName): Skeleton | undefined {
  let letters = ''
  const gaps = new Set<number>()
  let kind = 0
  for (let i = 0; i < name.text.length; i++) {
    const unit = name.text.charCodeAt(i)
    const here = classOf(unit)
    if (here === LATIN || here === UNSPACED) {
      if (kind !== 0 && kind !== here) return undefined
      kind = here
      letters += name.text.charAt(i)
    } else if (/[\p{L}\p{N}\p{Cs}]/u.test(name.text.charAt(i))) return undefined
    else gaps.add(letters.length)
  }
  return letters.length < 2 ? undefined : { name, letters, gaps }
}

function addNeighbours(index: Map<string, { skeleton: Skeleton; position: number }[]>, skeleton: Skeleton): void {
  const { letters } = skeleton
  const add = (a: number, b: number) => {
    const key = letters.charAt(a) + letters.charAt(b)
    const bucket = index.get(key)
    if (bucket === undefined) index.set(key, [{ skeleton, position: b }])
    // A few names share two letters; more would only slow the search.
    else if (bucket.length < 16) bucket.push({ skeleton, position: b })
  }
  for (let i = 1; i < letters.length; i++) add(i - 1, i)
  for (let i = 2; i < letters.length; i++) add(i - 2, i)
}

function addBeginnings(index: Map<string, Skeleton>, skeleton: Skeleton): void {
  for (let length = 1; length <= 3 && length < skeleton.letters.length; length++) {
    const beginning = skeleton.letters.slice(0, length)
    if (!index.has(beginning)) index.set(beginning, skeleton)
  }
}

/** The longest word that pieces.ts looks at; the pieces of a name are as many as the square of its letters. */
export const MOST_LETTERS = 30

/** Beginnings of four letters, and any five letters in a row: shorter pieces stand in too many words. */
function addPieces(index: Map<string, Skeleton>, skeleton: Skeleton): void {
  const { letters } = skeleton
  if (letters.length > MOST_LETTERS) return
  for (let start = 0; start + 4 <= letters.length; start++) {
    for (let end = start + (start === 0 ? 4 : 5); end <= letters.length; end++) {
      const piece = letters.slice(start, end)
      if (piece !== letters && !index.has(piece)) index.set(piece, skeleton)
    }
  }
}

const FOLDS: ReadonlyMap<string, string> = new Map([
  ...[...LETTERS_OF_SIGN].map(([sign, letters]) => [sign, letters.includes('l') ? 'l' : letters.charAt(0)] as const),
  ['i', 'l'],
])

/** One reading for what looks alike: `i`, `l`, `1` are one letter, `0` is `o`; code unit by code unit, so places stay. */
export function foldLetters(text: string): string {
  let folded = ''
  for (let i = 0; i < text.length; i++) folded += FOLDS.get(text.charAt(i)) ?? text.charAt(i)
  return folded
}
