// Data of an event to a Listing: parsed once here, then trusted and frozen; what does not fit is said field by field.
import {
  filedListingSchema,
  LISTING_LIMITS,
  listingIdentitySchema,
  listingSchema,
  type Listing,
} from '../domain/listing.ts'
import { describeIssues, jsonPointer, shortened } from '../domain/schema-issues.ts'

/** What names a listing, and whose it is where that can be read. */
export interface ListingName {
  readonly listingId: string
  readonly revision: number
  readonly marketplace?: string
}

export type IdentityReading = { readonly kind: 'ok'; readonly value: ListingName } | Unidentifiable

interface Unidentifiable {
  readonly kind: 'unidentifiable'
  readonly message: string
  readonly path: string
}

export type ListingReading =
  | { readonly kind: 'ok'; readonly value: Listing }
  /** It can be named, so its sender can be told; `path` is a JSON pointer to the first field at fault. */
  | (ListingName & {
      readonly kind: 'refuse'
      readonly code: 'invalid'
      readonly message: string
      readonly path: string
    })
  | Unidentifiable

const marketplaceSchema = listingSchema.pick({ marketplace: true })

/** Who a listing is, for records that are not read further: withdrawals and those that are too large. Never throws. */
export function parseIdentity(data: unknown): IdentityReading {
  const identity = listingIdentitySchema.safeParse(data)
  if (!identity.success) {
    const { message, path } = describeIssues(identity.error, data)
    return { kind: 'unidentifiable', message, path }
  }
  const marketplace = marketplaceSchema.safeParse(data).data?.marketplace
  return { kind: 'ok', value: { ...identity.data, ...(marketplace === undefined ? {} : { marketplace }) } }
}

/** Unknown fields are left out; nothing else is changed, since the content hash is taken over what was sent. Never throws. */
export const parseListing = (data: unknown): ListingReading => parseBy(listingSchema, data)

/** The same of a row of a file: its pictures may be named by their paths. */
export const parseFiledListing = (data: unknown): ListingReading => parseBy(filedListingSchema, data)

function parseBy(schema: typeof listingSchema | typeof filedListingSchema, data: unknown): ListingReading {
  const identity = parseIdentity(data)
  if (identity.kind !== 'ok') return identity
  const crowded = findCrowded(data)
  if (crowded !== undefined) return { kind: 'refuse', ...identity.value, code: 'invalid', ...crowded }
  const parsed = schema.safeParse(data)
  if (parsed.success) return { kind: 'ok', value: freeze(parsed.data) }
  const { message, path } = describeIssues(parsed.error, data)
  return { kind: 'refuse', ...identity.value, code: 'invalid', message, path }
}

/**
 * The first list that has too many entries. The schema says so too, but only after it has looked at every entry: two
 * megabytes of wrong ones took it 2 s, counting them first takes none.
 */
function findCrowded(data: unknown): { message: string; path: string } | undefined {
  const { images, category, attributes } = data as Record<string, unknown>
  const lists: { key: string[]; name: string; list: unknown; limit: number }[] = [
    { key: ['category'], name: 'category', list: category, limit: LISTING_LIMITS.categories },
    { key: ['images'], name: 'images', list: images, limit: LISTING_LIMITS.images },
  ]
  if (typeof attributes === 'object' && attributes !== null && !Array.isArray(attributes)) {
    const entries = Object.entries(attributes)
    lists.push({ key: ['attributes'], name: 'attributes', list: entries, limit: LISTING_LIMITS.attributes })
    for (const [name, list] of entries.slice(0, LISTING_LIMITS.attributes)) {
      lists.push({
        key: ['attributes', name],
        name: `attributes[${shortened(name)}]`,
        list,
        limit: LISTING_LIMITS.attributeValues,
      })
    }
  }
  for (const { key, name, list, limit } of lists) {
    if (!Array.isArray(list) || list.length <= limit) continue
    return { path: jsonPointer(key), message: `${name} must have at most ${limit} entries (got ${list.length})` }
  }
  return undefined
}

/** The parser copied what it read, so nobody else holds it. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
