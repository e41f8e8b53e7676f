// Tells a brand that the goods are offered as from one that they only fit, resemble or are denied to be.
import { buildAutomaton } from './automaton.ts'
import { normalise } from './normalise.ts'

/** Phrases that, right before a brand, say that the goods are not offered as it. English, then other languages of large marketplaces. */
// prettier-ignore
const BEFORE = [
  'compatible with', 'works with', 'work with', 'designed for', 'made for', 'suitable for', 'case for', 'cover for',
  'fits', 'fit', 'fits for', 'fit for', 'for', 'replacement for', 'replaces', 'similar to', 'similar', 'like',
  'looks like', 'style of', 'in the style of', 'inspired by', 'alternative to', 'alternative for', 'not', 'not a',
  'not an', 'no', 'non', "isn't", 'is not', 'not by', 'not made by', 'instead of', 'better than', 'vs', 'versus',
  'compare to', 'compared to', 'not affiliated with', 'unlike', 'type of', 'dupe of', 'dupe for', 'kompatibel mit',
  'passend fur', 'passend zu', 'geeignet fur', 'fur', 'wie', 'kein', 'keine', 'nicht', 'compatible avec', 'pour',
  'adapte a', 'style', 'comme', 'pas de', 'compatible con', 'para', 'estilo', 'tipo', 'como', 'compatibile con',
  'per', 'tipo di', 'stile', 'compatibel met', 'geschikt voor', 'voor', 'kompatybilny z', 'do', 'dla', 'pasuje do',
  'uyumlu', 'icin', 'compativel com', 'для', 'совместим с', 'совместимый с', 'подходит для', 'под', 'как', 'в стиле',
  'не', '适用于', '适用', '适配', '兼容', '适合', '类似', '不是', '非', '風', '對應', '適用', '対応', 'ではない', '호환',
] as const

/** The same right after a brand. */
// prettier-ignore
const AFTER = [
  'compatible', 'style', 'styled', 'inspired', 'type', 'like', 'look', 'lookalike', 'alternative', 'replacement',
  'kompatibel', 'stil', 'dupe', 'uyumlu', 'icin', '适用', '同款风格', '対応', '用', '風', '风格', 'ではありません', '호환', '스타일',
] as const

/** Things that other makers sell for devices, named after the device: `iPhone 15 case`. */
// prettier-ignore
const ACCESSORIES = [
  'case', 'cases', 'cover', 'covers', 'skin', 'skins', 'strap', 'straps', 'band', 'bands', 'holster', 'pouch',
  'sleeve', 'screen protector', 'tempered glass', 'mount', 'holder', 'stand', 'dock', 'hulle', 'coque', 'funda',
  'custodia', 'capa', 'чехол', '保护壳', '手机壳', '钢化膜', '表带', 'ケース', 'カバー', 'フィルム', '케이스',
] as const

const LIKENESS: ReadonlySet<string> = new Set(['like', 'looks like'])

const before = buildAutomaton(BEFORE.map((p) => normalise(p).text))
const after = buildAutomaton(AFTER.map((p) => normalise(p).text))
const accessories = buildAutomaton(ACCESSORIES.map((p) => normalise(p).text))

/** How far a cue may stand from the brand, in code units: `for the new`, `for your Apple`. */
const BEFORE_REACH = 28
const AFTER_REACH = 14
const ACCESSORY_REACH = 28
/** Words between a cue and the brand that carry the cue on. */
const CARRIES_ON =
  /^(?:the|a|an|your|all|any|new|most|original|genuine|brand|models?|use|with|on|apple|to|and|or|by|of|die|der|das|les|el|la|los|il|de|все|всех)$/

/**
 * Whether what stands around code units `start` to `end` says that the goods are not offered as the brand. `previous` is
 * the end of an earlier mention that was nominative: a list (`for Canon, Nikon and Sony`) stays so.
 */
export function isNominative(
  text: string,
  start: number,
  end: number,
  device: boolean,
  previous: number | undefined,
): boolean {
  if (previous !== undefined && isListed(text, previous, start)) return true
  const head = text.slice(Math.max(0, start - BEFORE_REACH), start)
  if (cueEndsIn(head)) return true
  const tail = text.slice(end, end + AFTER_REACH)
  if (startsWithCue(tail)) return true
  return device && accessoryFollows(text, end)
}

function cueEndsIn(head: string): boolean {
  let found = false
  before.find(
    head,
    (pattern, __, cueEnd) => {
      const between = head.slice(cueEnd).trim()
      // "Like new" is a condition, not a likeness.
      if (/^new\b/.test(between) && LIKENESS.has(BEFORE[pattern] ?? '')) return true
      // A sentence, or another thing, has begun since.
      if (!/[.;:!?|)]/.test(between) && (between === '' || between.split(' ').every((w) => CARRIES_ON.test(w))))
        found = true
      return !found
    },
    { wholeWords: true },
  )
  return found
}

function startsWithCue(tail: string): boolean {
  let found = false
  after.find(
    tail,
    (_, cueStart) => {
      if (tail.slice(0, cueStart).replace(/^[- ]+/, '') === '') found = true
      return !found
    },
    { wholeWords: true },
  )
  return found
}

function accessoryFollows(text: string, end: number): boolean {
  const tail = text.slice(end, end + ACCESSORY_REACH).split(/[.,;:!?|()]/, 1)[0] ?? ''
  let found = false
  accessories.find(
    tail,
    (_, cueStart) => {
      // A model may stand between: numbers and single words such as `15 pro max`, no other thing with its own `and`.
      found ||= !/ (?:and|with|in|\+|&) /.test(tail.slice(0, cueStart))
      return !found
    },
    { wholeWords: true },
  )
  return found
}

/** Only separators, joining words and a short model between two mentions. */
function isListed(text: string, from: number, to: number): boolean {
  if (to - from > 24) return false
  const between = text.slice(from, to)
  return (
    /^[^.;!?|]*$/.test(between) &&
    (/[,/&+、]/.test(between) || / (?:and|or|und|et|y|e|и) /.test(between) || between.trim() === '')
  )
}
