// A listing's text as every signal reads it: normalised once, with a map back, and the brands that it mentions.
import type { Listing } from '../domain/listing.ts'
import type { Span } from '../domain/signal-result.ts'
import type { BrandDictionary } from './brand-dictionary.ts'
import { findMentions } from './mentions.ts'
import { normalise, type Normalised } from './normalise.ts'

/** How a mention was written: `plain`; `masked` (separators, symbols or emoji inside the name); `lookalike` (letters of other scripts, mathematical letters, digits for letters). */
export const MENTION_DISGUISES = ['plain', 'masked', 'lookalike'] as const
export type MentionDisguise = (typeof MENTION_DISGUISES)[number]

/** What the mention is for: `names` the goods' brand, or is `nominative` (compatible with, case for, like, not). */
export type MentionUse = 'names' | 'nominative'

export interface Mention {
  readonly brandId: string
  readonly disguise: MentionDisguise
  readonly use: MentionUse
  /** The name is also a word, a nickname or very short, and nothing near by says that the brand is meant; or only a part of it is written. */
  readonly uncertain: boolean
  readonly span: Span
}

export interface Reading {
  readonly title: Normalised
  readonly description: Normalised
  readonly brand: Normalised
  /** In order of place: title, then brand field, then description. */
  readonly mentions: readonly Mention[]
  /** The brands that the goods are offered as: claimed in the brand field or named in the title, certain ones only. */
  readonly brandIds: readonly string[]
}

/** Brands further down a description are keywords; the goods are named before. In UTF-16 code units. */
const DESCRIPTION_SEARCHED = 4_000

/** Reads a listing once for all signals. Never throws; time is linear in the text. */
export function readListing(listing: Listing, dictionary: BrandDictionary): Reading {
  const title = normalise(listing.title)
  const brand = normalise(listing.brand ?? '')
  const description = normalise(listing.description ?? '')
  const named = findMentions(title, 'title', dictionary)
  const claimed = findMentions(brand, 'brand', dictionary)
  const described = findMentions(firstPart(description), 'description', dictionary)
  const offeredAs = new Set<string>()
  for (const m of [...claimed, ...named]) if (m.use === 'names' && !m.uncertain) offeredAs.add(m.brandId)
  // A word that may be a brand is the brand where the listing names that brand for certain elsewhere.
  const mentions = [...named, ...claimed, ...described].map((m) =>
    m.uncertain && m.disguise === 'plain' && offeredAs.has(m.brandId) ? { ...m, uncertain: false } : m,
  )
  return { title, description, brand, mentions, brandIds: [...offeredAs] }
}

function firstPart(n: Normalised): Normalised {
  return n.text.length <= DESCRIPTION_SEARCHED ? n : { ...n, text: n.text.slice(0, DESCRIPTION_SEARCHED) }
}
