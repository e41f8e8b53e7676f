// A record that names a listing and a revision but cannot be tried: not on sale, with a code and the field at fault.
import { z } from 'zod'

export const REFUSAL_CODES = [
  'invalid',
  'too-large',
  'superseded',
  'revision-reused',
  'withdrawn',
  'marketplace-mismatch',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

export const refusalSchema = z.object({
  listingId: z.string(),
  revision: z.int().min(1),
  code: z.enum(REFUSAL_CODES),
  /** Names the field and what was expected. */
  message: z.string(),
  /** JSON pointer (RFC 6901) to the field at fault; empty for the whole record. */
  path: z.string(),
  at: z.iso.datetime(),
  marketplace: z.string().optional(),
})
export type Refusal = z.infer<typeof refusalSchema>
