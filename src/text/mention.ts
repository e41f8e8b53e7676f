// A brand's name as the dictionary has it, as it was found in a text, and what a signal is told of it.
import type { Brand } from '../domain/brand.ts'
import type { Span } from '../domain/signal-result.ts'

/** One way to write one brand, normalised. */
export interface DictionaryName {
  readonly brandId: string
  readonly text: string
  /** A word, a nickname, or too short to stand alone: certain only in context. */
  readonly ambiguous: boolean
  readonly kind: Brand['aliases'][number]['kind']
  readonly copied: Brand['copied']
  /** Goods that other makers' cases and straps are honestly sold for. */
  readonly device: boolean
}

/** A disguised name in a text, before overlaps are settled. */
export interface DisguisedHit {
  readonly name: DictionaryName
  readonly disguise: MentionDisguise
  /** Only a part of the name is there; nothing may follow from it alone. */
  readonly partial: boolean
  /** Code units of the normalised text. */
  readonly start: number
  readonly end: number
}

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
