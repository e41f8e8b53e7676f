// The n-grams of a listing's text as numbers: what a text model is trained on and asked with, the very same code for both.
import type { Listing } from '../domain/listing.ts'
import { normalise } from './normalise.ts'
import type { Reading } from './reading.ts'
import { stemsOf } from './stems.ts'

/**
 * `version` rises with every change of what follows: a model is only asked with the features it was trained on. `table` is
 * the number of rows that n-grams are hashed into (256 KiB of weights); row 0 is nobody's, for padding.
 */
export const TEXT_FEATURES = { version: 1, table: 65_536 } as const

export interface Gram {
  readonly part: 'title' | 'description'
  readonly kind: 'letters' | 'words'
  /** As it stood in the normalised text; words by their stems. */
  readonly text: string
}

/** `ids[i]` is a row of the model's table, `values[i]` how much of it there is; rising ids, no id twice. */
export interface TextFeatures {
  readonly ids: Int32Array
  readonly values: Float32Array
  /** The n-gram that gave feature `i`, the first where several did; for analysts. */
  gram(i: number): Gram
}

/** Titles say it in the first line; what follows is stuffing, and each letter costs three n-grams. */
const TITLE_UNITS = 240
const TITLE_WORDS = 60
/** Of a description the words of its first screen; letters of it would drown the title. */
const DESCRIPTION_UNITS = 4_000
const DESCRIPTION_WORDS = 200
const SHORTEST = 2
const LONGEST = 4

/** No text has more features: three a letter of the title, two a word. */
export const MOST_FEATURES = 3 * TITLE_UNITS + 2 * (TITLE_WORDS + DESCRIPTION_WORDS)

/** Of what signals have read already. */
export const featuresOfReading = (reading: Reading): TextFeatures =>
  featuresOf(reading.title.text, reading.description.text)

/** Of a listing as it came. Nothing but title and description is looked at: the rest gives away where it came from. */
export const featuresOfListing = (listing: Pick<Listing, 'title' | 'description'>): TextFeatures =>
  featuresOf(normalise(listing.title).text, normalise(listing.description ?? '').text)

/**
 * Letters of the title (2 to 4 in a row), stemmed words of title and description and pairs of them, hashed. Each of the
 * three kinds has length 1, so that a long description does not outweigh a title. Linear in the text and bounded.
 */
function featuresOf(title: string, description: string): TextFeatures {
  const letters = ` ${title
    .slice(0, TITLE_UNITS)
    .trim()
    .replace(/\d{2,}/g, '0')} `
  const words = [
    stemsOf(title, TITLE_WORDS),
    stemsOf(description.slice(0, DESCRIPTION_UNITS), DESCRIPTION_WORDS),
  ] as const
  found.size = 0
  countLetters(letters)
  weigh()
  countWords(words[0], TITLE)
  weigh()
  countWords(words[1], DESCRIPTION)
  weigh()
  const ids = found.ids.slice(0, found.size).sort()
  const values = new Float32Array(ids.length)
  const places = new Int32Array(ids.length * 3)
  ids.forEach((id, i) => {
    const at = (found.slots[id] ?? 0) - 1
    values[i] = found.values[at] ?? 0
    places.set(found.places.subarray(at * 3, at * 3 + 3), i * 3)
    found.slots[id] = 0
  })
  return {
    ids,
    values,
    gram(i) {
      const [source, start, end] = [places[i * 3], places[i * 3 + 1] ?? 0, places[i * 3 + 2] ?? 0]
      if (source === LETTERS) return { part: 'title', kind: 'letters', text: letters.slice(start, end) }
      return source === TITLE
        ? { part: 'title', kind: 'words', text: words[0].slice(start, end).join(' ') }
        : { part: 'description', kind: 'words', text: words[1].slice(start, end).join(' ') }
    },
  }
}

const [LETTERS, TITLE, DESCRIPTION] = [0, 1, 2] as const

/**
 * Room for the features of one text, used again for the next: an object for each n-gram would cost more than all the rest.
 * `slots` leads from a row of the table to one more than its place; `counts` are of the kind that is being counted, and
 * `touched` are its places; `places` are source, start and end of the first n-gram.
 */
const found = {
  size: 0,
  touchedSize: 0,
  slots: new Int32Array(TEXT_FEATURES.table),
  ids: new Int32Array(MOST_FEATURES + 16),
  values: new Float64Array(MOST_FEATURES + 16),
  counts: new Int32Array(MOST_FEATURES + 16),
  touched: new Int32Array(MOST_FEATURES + 16),
  places: new Int32Array(3 * (MOST_FEATURES + 16)),
}

function countLetters(text: string): void {
  for (let start = 0; start < text.length; start++) {
    let hash: number = SALTS[LETTERS]
    for (let end = start + 1; end <= start + LONGEST && end <= text.length; end++) {
      hash = mix(hash, text.charCodeAt(end - 1))
      if (end - start >= SHORTEST) count(hash, LETTERS, start, end)
    }
  }
}

function countWords(stems: readonly string[], source: typeof TITLE | typeof DESCRIPTION): void {
  for (let i = 0; i < stems.length; i++) {
    const one = mixAll(SALTS[source], stems[i] ?? '')
    count(one, source, i, i + 1)
    const next = stems[i + 1]
    if (next !== undefined) count(mixAll(mix(one, 0x20), next), source, i, i + 2)
  }
}

function count(hash: number, source: number, start: number, end: number): void {
  const id = rowOf(hash)
  let at = (found.slots[id] ?? 0) - 1
  if (at < 0) {
    at = found.size
    found.size += 1
    found.slots[id] = found.size
    found.ids[at] = id
    found.values[at] = 0
    found.counts[at] = 0
    found.places[at * 3] = source
    found.places[at * 3 + 1] = start
    found.places[at * 3 + 2] = end
  }
  if (found.counts[at] === 0) {
    found.touched[found.touchedSize] = at
    found.touchedSize += 1
  }
  found.counts[at] = (found.counts[at] ?? 0) + 1
}

/** Gives what was counted of one kind the length 1. Repeating a word is worth little more than saying it. */
function weigh(): void {
  let squares = 0
  for (let k = 0; k < found.touchedSize; k++) squares += worth(found.counts[found.touched[k] ?? 0] ?? 0) ** 2
  const length = Math.sqrt(squares)
  for (let k = 0; k < found.touchedSize; k++) {
    const at = found.touched[k] ?? 0
    found.values[at] = (found.values[at] ?? 0) + worth(found.counts[at] ?? 0) / length
    found.counts[at] = 0
  }
  found.touchedSize = 0
}

const worth = (times: number): number => (times === 1 ? 1 : 1 + Math.log(times))

/** FNV-1a over UTF-16 code units, 32 bits; another start for each kind, so that the same letters are another n-gram. */
const SALTS = [0x811c9dc5, 0x2f0b4a47, 0x5bd1e995] as const
const mix = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193)

function mixAll(hash: number, text: string): number {
  let mixed = hash
  for (let i = 0; i < text.length; i++) mixed = mix(mixed, text.charCodeAt(i))
  return mixed
}

/** FNV's low bits are its worst; the finish of MurmurHash3 spreads them. Row 0 is left out. */
function rowOf(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  h = (h ^ (h >>> 16)) >>> 0
  return 1 + (h % (TEXT_FEATURES.table - 1))
}
