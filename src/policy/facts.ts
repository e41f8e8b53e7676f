// What a rule may speak about: plain values under fixed names, every missing one null, every list bounded.
import type { CelInput } from '@bufbuild/cel'
import type { Brand } from '../domain/brand.ts'
import { listingSchema, priceSchema, sellerSchema, type Listing } from '../domain/listing.ts'
import type { Risk } from '../domain/risk.ts'

/** Fields of the maps whose fields are known; a rule that names another one does not compile. */
export const KNOWN_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  listing: new Set(Object.keys(listingSchema.shape).filter((field) => field !== 'seller')),
  'listing.price': new Set(Object.keys(priceSchema.shape)),
  seller: new Set(['id', 'ageDays', ...Object.keys(sellerSchema.shape)]),
}

/** Fields of `signals.NAME`, whatever the name. */
export const SIGNAL_FIELDS: ReadonlySet<string> = new Set(['state', 'score', 'incomplete', 'contribution'])

export const FACT_NAMES = [
  'listing',
  'seller',
  'risk',
  'riskClass',
  'brandIds',
  'signals',
  'priceUsd',
  'authorisedSeller',
] as const
export type FactName = (typeof FACT_NAMES)[number]
export type Facts = Readonly<Record<FactName, CelInput>>

/** As many as the longest list of a listing; brands that a text mentions are the attacker's choice. */
const MAX_ENTRIES = 200
/** Patterns of rules run over texts that attackers choose: as much as they are shown, so much they cost. */
const MAX_TEXT = 10_000
const DAY_MS = 86_400_000

export interface PolicyInput {
  readonly risk: Risk
  readonly listing: Listing
  /** The brands that the goods are offered as. */
  readonly brandIds: readonly string[]
  /** Brands that know what its pictures show, named or not. */
  readonly knownTo?: readonly string[] | undefined
  readonly brands: ReadonlyMap<string, Brand>
  readonly usdPer: (currency: string) => number | undefined
  readonly now: Date
  /** Whether the listing's time allows one more rule; undefined: it always does. */
  readonly mayGoOn?: (() => boolean) | undefined
  /** Taken as it is where an example gives it; otherwise read from the brands. */
  readonly authorisedSeller?: boolean | undefined
}

export function readFacts(input: PolicyInput, riskClass: string): Facts {
  const { listing, risk } = input
  const { price, seller } = listing
  const usd = price === undefined ? undefined : input.usdPer(price.currency)
  return {
    listing: record(KNOWN_FIELDS['listing'], {
      ...listing,
      price: record(KNOWN_FIELDS['listing.price'], price ?? {}),
      category: listing.category ?? [],
      attributes: new Map(Object.entries(listing.attributes ?? {}).map(([name, value]) => [name, bounded(value)])),
      images: (listing.images ?? []).map((image) =>
        record(undefined, { url: image.url ?? null, sha256: image.sha256 ?? null }),
      ),
    }),
    seller: record(KNOWN_FIELDS['seller'], {
      ...seller,
      id: listing.sellerId,
      ageDays: ageInDays(seller?.createdAt, input.now),
    }),
    risk: risk.risk,
    riskClass,
    brandIds: input.brandIds.slice(0, MAX_ENTRIES),
    signals: new Map(
      risk.signals.map((s) => [
        s.name,
        record(SIGNAL_FIELDS, {
          state: s.state,
          score: s.score,
          incomplete: s.incomplete === true,
          contribution: s.contribution,
        }),
      ]),
    ),
    priceUsd: price === undefined || usd === undefined ? null : price.amount * usd,
    authorisedSeller: input.authorisedSeller ?? isAuthorised(input),
  }
}

/**
 * By every brand that the goods are offered as, of which there is one, and by every one that knows a picture as a fake: one
 * brand's list puts nothing on sale that another one confirmed.
 */
function isAuthorised({ brandIds, knownTo = [], brands, listing: { sellerId } }: PolicyInput): boolean {
  const isListed = (id: string) => brands.get(id)?.authorisedSellers.includes(sellerId) ?? false
  return brandIds.length > 0 && brandIds.every(isListed) && knownTo.every(isListed)
}

/** Whole days; undefined where the account's age is unknown; an account from the future is 0 days old. */
function ageInDays(createdAt: string | undefined, now: Date): number | undefined {
  return createdAt === undefined ? undefined : Math.max(0, Math.floor((now.getTime() - Date.parse(createdAt)) / DAY_MS))
}

/** A map with all the fields, null where there is no value: `has(…)` is false for those, and comparing them is not an error. */
function record(fields: ReadonlySet<string> | undefined, values: Readonly<Record<string, unknown>>): CelInput {
  return new Map(
    [...(fields ?? Object.keys(values))].map((field) => [
      field,
      bounded(COUNTS.has(field) ? count(values[field]) : values[field]),
    ]),
  )
}

/** Counts are whole numbers in CEL too, so that `salesCount * 2` is one; prices, ratings and attributes are decimals. */
const COUNTS: ReadonlySet<string> = new Set([
  'revision',
  'quantity',
  'lotSize',
  'ratingCount',
  'complaintCount',
  'salesCount',
  'ageDays',
])

function count(value: unknown): bigint | undefined {
  return typeof value === 'number' ? BigInt(value) : undefined
}

function bounded(value: unknown): CelInput {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value.slice(0, MAX_TEXT)
  return Array.isArray(value) ? (value as CelInput[]).slice(0, MAX_ENTRIES) : (value as CelInput)
}
