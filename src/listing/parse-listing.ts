// Data of an event to a Listing: parsed once here, then trusted and frozen; what does not fit is said field by field.
import { listingIdentitySchema, listingSchema, type Listing } from '../domain/listing.ts'
import { describeIssues } from '../domain/schema-issues.ts'

/** What names a listing, and whose it is where that can be read. */
export interface ListingName {
  readonly listingId: string
  readonly revision: number
  readonly marketplace?: string
}

export type IdentityReading =
  { readonly kind: 'ok'; readonly value: ListingName } | { readonly kind: 'unidentifiable'; readonly message: string }

export type ListingReading =
  | { readonly kind: 'ok'; readonly value: Listing }
  /** It can be named, so its sender can be told; `path` is a JSON pointer to the first field at fault. */
  | (ListingName & {
      readonly kind: 'refuse'
      readonly code: 'invalid'
      readonly message: string
      readonly path: string
    })
  | { readonly kind: 'unidentifiable'; readonly message: string }

const marketplaceSchema = listingSchema.pick({ marketplace: true })

/** Who a listing is, for records that are not read further: withdrawals and those that are too large. Never throws. */
export function parseIdentity(data: unknown): IdentityReading {
  const identity = listingIdentitySchema.safeParse(data)
  if (!identity.success) return { kind: 'unidentifiable', message: describeIssues(identity.error, data).message }
  const marketplace = marketplaceSchema.safeParse(data).data?.marketplace
  return { kind: 'ok', value: { ...identity.data, ...(marketplace === undefined ? {} : { marketplace }) } }
}

/** Unknown fields are left out; nothing else is changed, since the content hash is taken over what was sent. Never throws. */
export function parseListing(data: unknown): ListingReading {
  const identity = parseIdentity(data)
  if (identity.kind !== 'ok') return identity
  const parsed = listingSchema.safeParse(data)
  if (parsed.success) return { kind: 'ok', value: freeze(parsed.data) }
  const { message, path } = describeIssues(parsed.error, data)
  return { kind: 'refuse', ...identity.value, code: 'invalid', message, path }
}

/** The parser copied what it read, so nobody else holds it. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
