// A listing's text as every signal reads it: normalised once, with a map back, and the brands that it mentions.
import type { Listing } from '../domain/listing.ts'
import type { Span } from '../domain/signal-result.ts'
import type { BrandDictionary } from './brand-dictionary.ts'
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
  /** The brand's name is also a word, and nothing near by says that the brand is meant. */
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
