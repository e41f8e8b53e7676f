// Which kind of thing a listing sells, so that its price is compared with the right goods: from the category, else the title.
import type { GoodsKind } from '../domain/brand.ts'
import type { Listing } from '../domain/listing.ts'
import words from './data/goods-words.json' with { type: 'json' }

/** What a phrase means: a kind, nothing at all (`neutral`), or that what follows is not what is sold, or only comes along. */
type Meaning = GoodsKind | 'neutral' | 'along' | 'after' | 'head-first'

/** Titles say what they sell at once; a longer text is a heap of search words. Bounds the cost as well. */
const TITLE_LIMIT = 400
const PHRASE_LIMIT = 4
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u

/** Lower-case letters without marks; Cyrillic й and Korean syllables are put together again. */
function fold(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Script=Latin}\p{M}+/gu, (l) => l.charAt(0))
    .normalize('NFKC')
    .replaceAll('ß', 'ss')
}

/** Words and what parts them; a run of Chinese, Japanese or Korean is one token that is searched inside. */
function tokens(text: string): string[] {
  return fold(text.slice(0, TITLE_LIMIT)).match(/[\p{L}\p{N}\p{M}]+|[,;|/()[\]•+]| [-–—] /gu) ?? []
}

function table(groups: Readonly<Record<string, readonly string[]>>, plural: boolean): Map<string, Meaning> {
  const found = new Map<string, Meaning>()
  for (const [meaning, phrases] of Object.entries(groups)) {
    for (const phrase of phrases) {
      const key = tokens(phrase).join(' ')
      if (!found.has(key)) found.set(key, meaning as Meaning)
      if (!plural || CJK.test(key)) continue
      for (const more of [`${key}s`, `${key}es`]) if (!found.has(more)) found.set(more, meaning as Meaning)
      if (key.endsWith('f')) found.set(`${key.slice(0, -1)}ves`, meaning as Meaning)
      if (key.endsWith('y')) found.set(`${key.slice(0, -1)}ies`, meaning as Meaning)
    }
  }
  return found
}

const GRAMMAR = { neutral: words.neutral, along: words.along, after: words.after, 'head-first': words.headFirst }
/** Grammar first: a neutral phrase wins over the kind of the same words. */
const BREAKS = [',', ';', '|', '/', '(', ')', '[', ']', '•', ' - ', ' – ', ' — '].map((b): [string, Meaning] => [
  b,
  'after',
])
const BY_WORD = new Map([...table(words.kinds, true), ...table(GRAMMAR, false), ...BREAKS, ['+', 'along'] as const])
/** `Neverfull with dust bag`: models are named before what comes along, like kinds. */
const BY_MODEL = new Map([
  ...table(words.models, false),
  ...table({ along: words.along }, false),
  ...BREAKS,
  ['+', 'along'] as const,
])

/** The meanings in a text, longest phrase first at each place, left to right. */
function meanings(parts: readonly string[], known: ReadonlyMap<string, Meaning>): Meaning[] {
  const found: Meaning[] = []
  for (let i = 0; i < parts.length;) {
    let taken = 0
    for (let n = Math.min(PHRASE_LIMIT, parts.length - i); n > 0 && taken === 0; n--) {
      const meaning = known.get(parts.slice(i, i + n).join(' '))
      if (meaning !== undefined) {
        found.push(meaning)
        taken = n
      }
    }
    const part = parts[i] ?? ''
    if (taken === 0 && part.length > 1 && CJK.test(part)) found.push(...insideCjk(part, known))
    i += Math.max(taken, 1)
  }
  return found
}

function insideCjk(run: string, known: ReadonlyMap<string, Meaning>): Meaning[] {
  const found: Meaning[] = []
  for (let i = 0; i < run.length;) {
    let taken = 0
    for (let n = Math.min(8, run.length - i); n > 0 && taken === 0; n--) {
      const meaning = known.get(run.slice(i, i + n))
      if (meaning === undefined) continue
      found.push(meaning)
      taken = n
    }
    i += Math.max(taken, 1)
  }
  return found
}

const isKind = (m: Meaning): m is GoodsKind => m !== 'neutral' && m !== 'along' && m !== 'after' && m !== 'head-first'

/**
 * The noun that is sold: the last one before a word such as "for" or "with" (an English, German or Chinese compound
 * ends with its head: watch strap, Uhrenarmband, 手表带), the first one where a Romance "de" or "di" follows it.
 */
function head(found: readonly Meaning[]): GoodsKind | undefined {
  let kind: GoodsKind | undefined
  for (const meaning of found) {
    // Whatever was named so far is sold; where nothing was, a model may say it.
    if (meaning === 'along') return kind
    if ((meaning === 'after' || meaning === 'head-first') && kind !== undefined) return kind
    if (isKind(meaning)) kind = meaning
  }
  return kind
}

/**
 * Kind of thing, or undefined where neither category nor title says. Accessories, parts and packaging are `other`.
 * The narrowest category that names a kind decides; but a title that plainly sells a part overrules a category, since
 * straps are listed among watches. Linear in the title's first 400 characters.
 */
export function goodsKind(listing: Pick<Listing, 'title' | 'category'>): GoodsKind | undefined {
  const parts = tokens(listing.title)
  const titled = head(meanings(parts, BY_WORD)) ?? head(meanings(parts, BY_MODEL))
  if (titled === 'other') return 'other'
  for (const category of (listing.category ?? []).slice(0, 20).toReversed()) {
    const kind = head(meanings(tokens(category), BY_WORD))
    if (kind !== undefined) return kind
  }
  return titled
}
