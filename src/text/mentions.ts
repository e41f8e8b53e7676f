// Finds the brands in one field of a listing: plain and disguised, the longest where they overlap.
import type { Span } from '../domain/signal-result.ts'
import type { BrandDictionary } from './brand-dictionary.ts'
import { roleOf, IGNORED } from './characters.ts'
import { findDisguises } from './disguises.ts'
import { isMeant, namesGoods } from './mention-context.ts'
import { isNominative } from './mention-use.ts'
import { spanOf, type Normalised } from './normalise.ts'
import type { DictionaryName, Mention, MentionDisguise } from './mention.ts'

/** In one field. A lot of fifty brands fits; a text of nothing but names costs no more. */
const MAX_MENTIONS = 100
const MAX_HITS = 1_000

interface Hit {
  readonly name: DictionaryName
  readonly disguise: MentionDisguise
  readonly partial: boolean
  readonly start: number
  readonly end: number
}

/** At most MAX_MENTIONS, in order of place, none overlapping. */
export function findMentions(n: Normalised, field: Span['field'], dictionary: BrandDictionary): Mention[] {
  const hits: Hit[] = []
  dictionary.automaton.find(
    n.text,
    (pattern, start, end) => {
      const name = dictionary.names[pattern]
      if (name !== undefined) hits.push({ name, disguise: disguiseOf(n, name, start, end), partial: false, start, end })
      return hits.length < MAX_HITS
    },
    { wholeWords: true },
  )
  for (const hit of findDisguises(n, dictionary.disguises)) hits.push(hit)
  if (hits.length === 0) return []
  const goodsNamed = hits.some((h) => h.name.ambiguous) && namesGoods(n.text)
  const mentions: Mention[] = []
  let nominativeEnd: number | undefined
  for (const hit of longest(hits)) {
    const { name, disguise, partial, start, end } = hit
    const nominative = field !== 'brand' && isNominative(n.text, start, end, name.device, nominativeEnd)
    nominativeEnd = nominative ? end : undefined
    const uncertain = partial || isUncertain(n, hit, field, goodsNamed)
    mentions.push({
      brandId: name.brandId,
      disguise,
      use: nominative ? 'nominative' : 'names',
      uncertain,
      span: spanOf(n, field, start, end),
    })
    if (mentions.length === MAX_MENTIONS) break
  }
  return mentions
}

/** A disguise is context enough, but for a word in a text that is all in fancy letters. */
function isUncertain(
  n: Normalised,
  { name, disguise, start, end }: Hit,
  field: Span['field'],
  goodsNamed: boolean,
): boolean {
  if (!name.ambiguous || disguise === 'masked') return false
  const source = n.source.slice(n.starts[start] ?? 0, n.ends[end - 1] ?? 0)
  if (disguise === 'lookalike' && /[\x20-\x7e]/.test(source)) return false
  if (field === 'brand') return end - start !== n.text.trim().length
  // Of words that are the name of some shop nobody copies, only those are meant that are announced.
  return !isMeant(n, start, end, goodsNamed && name.copied !== 'unknown')
}

/** Leftmost first, of those the longest; a plain name before a disguised one of the same length. */
function longest(hits: readonly Hit[]): Hit[] {
  const ordered = hits.toSorted(
    (a, b) => a.start - b.start || b.end - a.end || Number(a.disguise !== 'plain') - Number(b.disguise !== 'plain'),
  )
  const kept: Hit[] = []
  let end = -1
  for (const hit of ordered) {
    if (hit.start < end) continue
    kept.push(hit)
    end = hit.end
  }
  return kept
}

/** The normaliser has undone fancy letters and hidden characters already; the source tells whether there were any. */
function disguiseOf(n: Normalised, name: DictionaryName, start: number, end: number): MentionDisguise {
  if (!/^[\x20-\x7e]+$/.test(name.text)) return 'plain'
  const source = n.source.slice(n.starts[start] ?? 0, n.ends[end - 1] ?? 0)
  if (/^[\x20-\x7e]*$/.test(source)) return 'plain'
  let disguise: MentionDisguise = 'plain'
  for (const char of source) {
    const code = char.codePointAt(0) ?? 0
    if (isDressedUp(code)) return 'lookalike'
    // Soft hyphens and variation selectors come with copied text.
    if (code !== 0xad && !(code >= 0xfe00 && code <= 0xfe0f) && roleOf(code) === IGNORED) disguise = 'masked'
    if (code >= 0x334 && code <= 0x338) disguise = 'masked'
  }
  return disguise
}

/**
 * A letter that no keyboard layout gives for Latin text. Accented Latin letters are honest, and so are full-width ones
 * and ligatures in East Asian text.
 */
function isDressedUp(code: number): boolean {
  if (code < 0x250 || (code >= 0x1e00 && code <= 0x1eff) || (code >= 0x300 && code <= 0x36f)) return false
  if ((code >= 0xff00 && code <= 0xffef) || (code >= 0xfb00 && code <= 0xfb06) || (code >= 0x3000 && code <= 0x33ff))
    return false
  return /^[\p{L}\p{N}\p{So}]$/u.test(String.fromCodePoint(code)) && code !== 0x2122
}
