// A rights holder's mark: its names and aliases, how often it is copied, what its goods cost, who may sell it.
import { z } from 'zod'
import { CONDITIONS } from './listing.ts'

export const BRAND_ALIAS_KINDS = ['name', 'nickname', 'abbreviation', 'misspelling'] as const

/** Kinds of thing that price bands are kept for; read from the category or, where that is missing, from the title. */
export const GOODS_KINDS = [
  'bag',
  'small-leather',
  'shoes',
  'clothing',
  'outerwear',
  'watch',
  'jewellery',
  'eyewear',
  'belt',
  'scarf',
  'hat',
  'perfume',
  'cosmetics',
  'headphones',
  'phone',
  'computer',
  'camera',
  'console',
  'toy',
  'appliance',
  'other',
] as const
export type GoodsKind = (typeof GOODS_KINDS)[number]

export const priceBandSchema = z.object({
  kind: z.enum(GOODS_KINDS),
  condition: z.enum(CONDITIONS),
  currency: z.string().length(3),
  /** One piece: the cheapest that is plausible for genuine goods, what is usual, and the dearest that is plausible. */
  low: z.number().positive(),
  typical: z.number().positive(),
  high: z.number().positive(),
  source: z.string().min(1),
  asOf: z.string().regex(/^\d{4}(-\d{2}(-\d{2})?)?$/),
})
export type PriceBand = z.infer<typeof priceBandSchema>

export const brandSchema = z.object({
  brandId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,99}$/, 'must be lower-case letters, digits and hyphens, at most 100'),
  name: z.string().min(1).max(200),
  aliases: z
    .array(z.object({ text: z.string().min(1).max(200), kind: z.enum(BRAND_ALIAS_KINDS).default('name') }))
    .max(1_000)
    // Every spelling is indexed in many disguises: bounds what one brand costs all workers.
    .refine(
      (all) => all.reduce((sum, a) => sum + a.text.length, 0) <= 20_000,
      'must have at most 20,000 characters together',
    )
    .default([]),
  /** The name is also a word (Guess, Coach, Gap): a mention alone says nothing without context. */
  ambiguous: z.boolean().default(false),
  /** How often counterfeits of it are met: `most` for the marks that seizure reports list, `some` for others known to be copied. */
  copied: z.enum(['most', 'some', 'unknown']).default('unknown'),
  classes: z.array(z.string()).default([]),
  priceBands: z.array(priceBandSchema).default([]),
  authorisedSellers: z.array(z.string()).default([]),
  /** Where name and aliases were taken from. */
  source: z.string().default(''),
})
export type Brand = z.infer<typeof brandSchema>
