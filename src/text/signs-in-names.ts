// Undoes signs put between the letters of a brand name or in their place.
import { strengthOf } from './blobs.ts'
import { classOf, LATIN, NOT_A_WORD } from './characters.ts'
import { LEAST_LETTERS, shapeOf, type DisguiseIndex } from './disguise-index.ts'
import type { DictionaryName, MentionDisguise } from './mention.ts'

/** A name found by its letters, and whether signs hid it or a part of it. */
interface Unsigned {
  readonly name: DictionaryName
  readonly disguise: MentionDisguise
  readonly partial: boolean
}

interface Sign {
  /** Letters before it. */
  readonly at: number
  strong: boolean
  length: number
  readonly dash: boolean
}

/** Signs put between letters: `PR//ADA`, `G.U.C.C.I`, `L*V`. */
export function withoutSigns(text: string, start: number, end: number, index: DisguiseIndex): Unsigned | undefined {
  let letters = ''
  const signs: Sign[] = []
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i)
    const kind = classOf(unit)
    if (kind === LATIN) letters += text.charAt(i)
    else if (kind !== NOT_A_WORD) return undefined
    else {
      const last = signs.at(-1)
      const strong = strengthOf(unit) === 2
      if (last !== undefined && last.at === letters.length) {
        last.length++
        last.strong ||= strong
      } else
        signs.push({
          at: letters.length,
          strong,
          length: unit === 0x20 ? 0 : 1,
          dash: text.charAt(i) === '-' || text.charAt(i) === "'" || unit === 0x20,
        })
    }
  }
  const initials = index.byInitials.get(letters)
  if (initials !== undefined && signs.length === letters.length - 1 && signs.every((s) => s.strong))
    return { name: initials.name, disguise: 'masked', partial: false }
  const found = index.byLetters.get(letters)
  if (found === undefined) return undefined
  const { name } = found
  const inside = signs.filter((s) => !found.gaps.has(s.at) && s.at > 0 && s.at < letters.length)
  // A star for a blank is decoration, but the name would not be found otherwise.
  if (inside.length === 0) return signs.some((s) => s.strong) ? { name, disguise: 'plain', partial: false } : undefined
  return isHidden(name, letters.length - found.gaps.size, inside)
    ? { name, disguise: 'masked', partial: false }
    : undefined
}

/** Dots, dashes and slashes have honest uses between letters; they hide a name where they stand between all, or doubled. */
function isHidden(name: DictionaryName, parts: number, inside: readonly Sign[]): boolean {
  if (inside.some((s) => s.strong)) return true
  if (name.copied === 'unknown') return false
  if (inside.length >= parts - 1 && parts >= LEAST_LETTERS) return true
  if (inside.some((s) => s.length >= 2)) return true
  return name.copied === 'most' && !name.ambiguous && parts > LEAST_LETTERS && inside.some((s) => !s.dash)
}

/** Signs put in place of letters, one for one: `PR*DA`, `Ca*har*t`, `N⭐K⭐`. */
export function withGaps(text: string, start: number, end: number, index: DisguiseIndex): Unsigned | undefined {
  const shape: string[] = []
  let known = 0
  for (const char of text.slice(start, end)) {
    const kind = char.length > 1 ? NOT_A_WORD : classOf(char.charCodeAt(0))
    if (kind === LATIN) {
      shape.push(char)
      known++
    } else if (kind === NOT_A_WORD && char !== ' ') {
      if (strengthOf(char.charCodeAt(0)) !== 2) return undefined
      shape.push('')
    } else if (char !== ' ') return undefined
  }
  const hidden = shape.length - known
  if (hidden === 0 || known < 2 || known < hidden) return undefined
  const outside = shape.at(-1) === '' && shape.indexOf('') === shape.length - 1
  // A name with a star after it has all its letters.
  if (outside && index.byLetters.has(shape.join(''))) return undefined
  for (const { name, letters } of index.byShape.get(shapeOf(shape.length, shape[0] ?? '')) ?? []) {
    if (letters.length < 5 && (name.copied !== 'most' || name.ambiguous)) continue
    // A word with one star after it is a footnote more often than a name (role*): looked at only if much copied, and never sure.
    if (outside && (name.copied !== 'most' || name.ambiguous || letters.length < 5)) continue
    if (shape.every((char, i) => char === '' || char === letters.charAt(i)))
      return { name, disguise: 'masked', partial: outside }
  }
  return undefined
}
