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
  /** The first n-gram that gave each, for analysts. */
  readonly grams: readonly Gram[]
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
  const found = new Map<number, { gram: Gram; value: number }>()
  letters(
    found,
    title
      .slice(0, TITLE_UNITS)
      .trim()
      .replace(/\d{2,}/g, '0'),
  )
  wordsAndPairs(found, 'title', stemsOf(title, TITLE_WORDS))
  wordsAndPairs(found, 'description', stemsOf(description.slice(0, DESCRIPTION_UNITS), DESCRIPTION_WORDS))
  const ids = Int32Array.from(found.keys()).sort()
  const features = Array.from(ids, (id) => found.get(id))
  return {
    ids,
    values: Float32Array.from(features, (f) => f?.value ?? 0),
    grams: features.flatMap((f) => (f === undefined ? [] : [f.gram])),
  }
}

type Found = Map<number, { gram: Gram; value: number }>

function letters(found: Found, title: string): void {
  const text = ` ${title} `
  const counts = new Map<number, { gram: Gram; count: number }>()
  for (let start = 0; start < text.length; start++) {
    let hash: number = SALTS.letters
    for (let end = start + 1; end <= Math.min(start + LONGEST, text.length); end++) {
      hash = mix(hash, text.charCodeAt(end - 1))
      if (end - start >= SHORTEST) count(counts, hash, 'title', 'letters', text, start, end)
    }
  }
  add(found, counts)
}

function wordsAndPairs(found: Found, part: Gram['part'], stems: readonly string[]): void {
  const counts = new Map<number, { gram: Gram; count: number }>()
  stems.forEach((stem, i) => {
    const next = stems[i + 1]
    const both = next === undefined ? stem : `${stem} ${next}`
    let hash: number = SALTS[part]
    for (let at = 0; at < both.length; at++) {
      if (at === stem.length) count(counts, hash, part, 'words', both, 0, at)
      hash = mix(hash, both.charCodeAt(at))
    }
    count(counts, hash, part, 'words', both, 0, both.length)
  })
  add(found, counts)
}

function count(
  counts: Map<number, { gram: Gram; count: number }>,
  hash: number,
  part: Gram['part'],
  kind: Gram['kind'],
  text: string,
  start: number,
  end: number,
): void {
  const id = rowOf(hash)
  const known = counts.get(id)
  if (known === undefined) counts.set(id, { gram: { part, kind, text: text.slice(start, end) }, count: 1 })
  else known.count += 1
}

/** Repeating a word is worth little more than saying it. */
function add(found: Found, counts: ReadonlyMap<number, { gram: Gram; count: number }>): void {
  let squares = 0
  for (const { count: n } of counts.values()) squares += (1 + Math.log(n)) ** 2
  const length = Math.sqrt(squares)
  for (const [id, { gram, count: n }] of counts) {
    const value = (1 + Math.log(n)) / length
    const known = found.get(id)
    if (known === undefined) found.set(id, { gram, value })
    else known.value += value
  }
}

/** FNV-1a over UTF-16 code units, 32 bits; another start for each kind, so that the same letters are another n-gram. */
const SALTS = { letters: 0x811c9dc5, title: 0x2f0b4a47, description: 0x5bd1e995 } as const
const mix = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193)

/** FNV's low bits are its worst; the finish of MurmurHash3 spreads them. Row 0 is left out. */
function rowOf(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  h = (h ^ (h >>> 16)) >>> 0
  return 1 + (h % (TEXT_FEATURES.table - 1))
}
