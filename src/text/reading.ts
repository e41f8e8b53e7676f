// A listing's text as every signal reads it: normalised once, with a map back, and the brands that it mentions.
import type { Listing } from '../domain/listing.ts'
import type { BrandDictionary } from './brand-dictionary.ts'
import type { Mention } from './mention.ts'
import { findMentions } from './mentions.ts'
import { normalise, type Normalised } from './normalise.ts'

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
