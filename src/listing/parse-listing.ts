// Data of an event to a Listing: parsed once here, then trusted and frozen; what does not fit is said field by field.
import { listingIdentitySchema, listingSchema, type Listing } from '../domain/listing.ts'
import { describeIssues } from '../domain/schema-issues.ts'

export type ListingReading =
  | { readonly kind: 'ok'; readonly value: Listing }
  /** It can be named, so its sender can be told. */
  | {
      readonly kind: 'refuse'
      readonly listingId: string
      readonly revision: number
      readonly marketplace?: string
      readonly code: 'invalid' | 'too-large'
      readonly message: string
      /** JSON pointer to the first field at fault; empty for the whole listing. */
      readonly path: string
    }
  | { readonly kind: 'unidentifiable'; readonly message: string }

export interface ListingSize {
  /** Length of the record as it came, in bytes. */
  readonly bytes: number
  readonly limit: number
}

/** Unknown fields are left out; nothing else is changed, since the content hash is taken over what was sent. Never throws. */
export function parseListing(data: unknown, size?: ListingSize): ListingReading {
  const identity = listingIdentitySchema.safeParse(data)
  if (!identity.success) return { kind: 'unidentifiable', message: describeIssues(identity.error, data).message }
  const { listingId, revision } = identity.data
  const market = marketplaceSchema.safeParse(data).data?.marketplace
  const named = {
    kind: 'refuse',
    listingId,
    revision,
    ...(market === undefined ? {} : { marketplace: market }),
  } as const
  if (size !== undefined && size.bytes > size.limit) {
    const message = `the listing has ${size.bytes} bytes; it may have at most ${size.limit}`
    return { ...named, code: 'too-large', message, path: '' }
  }
  const parsed = listingSchema.safeParse(data)
  if (parsed.success) return { kind: 'ok', value: freeze(parsed.data) }
  const { message, path } = describeIssues(parsed.error, data)
  return { ...named, code: 'invalid', message, path }
}

const marketplaceSchema = listingSchema.pick({ marketplace: true })

/** The parser copied what it read, so nobody else holds it. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
