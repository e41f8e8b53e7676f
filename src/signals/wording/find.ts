// Finds the give-away phrases in one text, and says which of them are denied or have an honest meaning there.
import type { Normalised } from '../../text/normalise.ts'
import { lexicon, type Phrase, type Role } from './phrases.ts'

export interface Hit {
  readonly phrase: Phrase
  /** Code units of the normalised text, half open. */
  readonly start: number
  readonly end: number
  /** Why it says nothing against the listing here; undefined where it does. */
  readonly excused: string | undefined
}

/** What the text says of brands; it bounds what may excuse a phrase. */
export interface Around {
  /** Whether a brand is named between two places of the normalised text: "fake Gucci leather bag" is no fake leather. */
  readonly parted: (from: number, to: number) => boolean
  /** Whether the goods are offered as those of a much-copied maker of watches, bags and the like: no props, models or stones. */
  readonly muchCopied: boolean
}

const NOTHING_NAMED: Around = { parted: () => false, muchCopied: false }

interface Match {
  readonly role: Role
  readonly start: number
  readonly end: number
}

/** Characters between a phrase and a word that gives it another meaning: about three words. */
const EXCUSE_REACH = 24
/** A denial may stand further off: "we never ever sell any kind of replica". */
const DENIAL_REACH = 32
/** After the phrase only what follows at once denies it: "fakes are not tolerated", 偽物ではない. */
const DENIED_AFTER_REACH = 12
/** In "not a replica, fake or copy" each denied phrase hands the denial on to the next one. */
const CHAIN_REACH = 14

/** What goods often come without: "no box, AAA quality" and "without papers, replica" deny the box, not the word. */
const WHAT_COMES_ALONG =
  /\b(?:box|boxes|papers?|tags?|card|receipt|invoice|dust ?bag|warranty|certificate|logo|caja|papeles|boite|papiers|ovp|karton|rechnung|scatola|caixa|коробки|документов)\b/

/** What ends a clause: a denial does not reach over it. */
const CLAUSE_END = /[.!?;:,|()[\]{}•★☆✓✔✅❌~/。！？；，、]| - /

/**
 * All phrases in a text, left to right; where phrases overlap the longest counts. Linear in the text: each phrase looks
 * only at the few words within reach.
 */
export function findPhrases(text: Normalised, brandIds: readonly string[], around: Around = NOTHING_NAMED): Hit[] {
  const matches: Match[] = []
  lexicon.automaton.find(
    text.text,
    (pattern, start, end) => {
      const role = lexicon.roles[pattern]
      if (role !== undefined) matches.push({ role, start, end })
    },
    { wholeWords: true },
  )
  matches.sort((a, b) => a.start - b.start || b.end - a.end)

  const phrases = longest(matches)
  const context = matches.filter((m) => m.role.kind !== 'phrase')
  const hits: Hit[] = []
  let from = 0
  let denied: number | undefined
  for (const { phrase, start, end } of phrases) {
    while (from < context.length && (context[from]?.start ?? 0) < start - 2 * DENIAL_REACH) from += 1
    let excused = brandExcuse(phrase, brandIds)
    for (let i = from; i < context.length && excused === undefined; i++) {
      const word = context[i]
      if (word === undefined || word.start > end + EXCUSE_REACH) break
      excused = excuseOf(text.text, phrase, start, end, word, around)
    }
    if (
      excused === undefined &&
      denied !== undefined &&
      start - denied <= CHAIN_REACH &&
      chains(text.text.slice(denied, start))
    ) {
      excused = 'denied'
    }
    denied = excused === 'denied' ? end : undefined
    hits.push({ phrase, start, end, excused })
  }
  return hits
}

function longest(matches: readonly Match[]): { phrase: Phrase; start: number; end: number }[] {
  const kept: { phrase: Phrase; start: number; end: number }[] = []
  let end = -1
  for (const match of matches) {
    if (match.role.kind !== 'phrase' || match.start < end) continue
    kept.push({ phrase: match.role.phrase, start: match.start, end: match.end })
    end = match.end
  }
  return kept
}

/** A brand may use the word itself (Replica is a line of Margiela's), but not for goods that are another brand's too. */
function brandExcuse(phrase: Phrase, brandIds: readonly string[]): string | undefined {
  if (brandIds.length === 0) return undefined
  return lexicon.brandExcuses.find(
    (e) => e.senses.includes(phrase.sense) && brandIds.every((b) => e.brandIds.includes(b)),
  )?.why
}

function excuseOf(
  text: string,
  phrase: Phrase,
  start: number,
  end: number,
  word: Match,
  around: Around,
): string | undefined {
  const before = word.end <= start
  const after = word.start >= end
  if (!before && !after) return undefined
  const between = before ? text.slice(word.end, start) : text.slice(end, word.start)
  switch (word.role.kind) {
    case 'excuse':
      if (!word.role.excuse.senses.includes(phrase.sense) || between.length > EXCUSE_REACH) return undefined
      if (around.muchCopied && phrase.grade === 'overt') return undefined
      if (around.parted(before ? word.end : end, before ? start : word.start)) return undefined
      return word.role.excuse.why
    case 'denial':
      if ((word.role.side === 'before') !== before) return undefined
      if (between.length > (before ? DENIAL_REACH : DENIED_AFTER_REACH) || CLAUSE_END.test(between)) return undefined
      if (before && WHAT_COMES_ALONG.test(between)) return undefined
      return 'denied'
    case 'phrase':
      return undefined
  }
}

/** Only commas, blanks and joining words stand between two links of a chain. */
function chains(between: string): boolean {
  return between.split(/[\s,/&]+/).every((word) => word === '' || JOINING.has(word))
}

const JOINING: ReadonlySet<string> = new Set([
  'or',
  'and',
  'nor',
  'a',
  'any',
  'no',
  'not',
  'o',
  'ni',
  'ou',
  'oder',
  'und',
  'или',
  'и',
  '或',
  '和',
  '、',
])
