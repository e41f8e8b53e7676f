// Words of a normalised text by their stems: "replicas" and "replica" are one word to a model.
import russian from 'natural/lib/natural/stemmers/porter_stemmer_ru.js'
import english from 'natural/lib/natural/stemmers/porter_stemmer.js'
import { RegexpTokenizer } from 'natural/lib/natural/tokenizers/regexp_tokenizer.js'

/** Longer runs are no words; the stemmers' patterns are not linear in a word's length, so it is cut before. */
const LONGEST = 24

/** Figures are one word whatever they say: sizes, years and article numbers would only be learnt by heart. */
const FIGURE = /^\d{2,}$/

const words = new RegexpTokenizer({ pattern: /[\p{L}\p{M}\p{N}]+/gu, gaps: false })

const LATIN = /^[a-z]+$/
const CYRILLIC = /^[а-яё]+$/

const known = new Map<string, string>()
/** Above what the vocabulary of a busy hour holds; bounded because strangers choose the words. */
const KNOWN = 50_000

/** At most `limit` stems, in their order. Linear in the text; what is not Latin or Cyrillic stays as it is. */
export function stemsOf(text: string, limit: number): string[] {
  const found = words.tokenize(text) ?? []
  return found.slice(0, limit).map(stemOf)
}

function stemOf(word: string): string {
  const before = known.get(word)
  if (before !== undefined) return before
  const cut = word.slice(0, LONGEST)
  const stem = FIGURE.test(cut)
    ? '0'
    : LATIN.test(cut)
      ? english.stem(cut)
      : CYRILLIC.test(cut)
        ? russian.stem(cut)
        : cut
  if (known.size >= KNOWN) known.clear()
  if (word.length <= LONGEST) known.set(word, stem)
  return stem
}
