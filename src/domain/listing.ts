// What a seller wants to sell, as it arrives: `listingId` names it for life, `revision` rises with every edit.
import { z } from 'zod'
import { base64Problem, bytesOfBase64, instant, textField } from './text-field.ts'

/** Bounds on what one listing may carry. Each is far above what honest marketplaces send and keeps one listing's cost bounded. */
export const LISTING_LIMITS = {
  id: 256,
  title: 2_000,
  description: 50_000,
  brand: 500,
  categories: 20,
  attributes: 200,
  attributeValues: 100,
  images: 100,
  url: 4_096,
  /** 10^12 covers a house in the weakest currency in use. */
  amount: 1e12,
  count: 1_000_000_000,
  /** PostgreSQL's integer. */
  revision: 2_147_483_647,
} as const

export const CONDITIONS = ['new', 'refurbished', 'used', 'unknown'] as const

/** ISO 4217 codes that the runtime knows, current and historic; crypto-currencies are not among them. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

const count = z.int().min(0, 'must not be negative').max(LISTING_LIMITS.count)

export const priceSchema = z.object({
  amount: z.number().min(0, 'must not be negative').max(LISTING_LIMITS.amount, 'must be at most 10^12'),
  currency: z.string().refine((c) => CURRENCIES.has(c), 'must be an ISO 4217 code in capitals, such as USD'),
})

export const sellerSchema = z.object({
  createdAt: instant(1990).optional(),
  country: textField(0, 100).optional(),
  ratingCount: count.optional(),
  ratingAverage: z.number().min(0).max(100).optional(),
  complaintCount: count.optional(),
  salesCount: count.optional(),
})

/** Published as zod's own form. */
const base64 = z
  .string({ error: ({ input }) => base64Problem(input) })
  .refine((text) => bytesOfBase64(text) !== undefined, { error: ({ input }) => base64Problem(input) })
  .meta({ format: 'base64', contentEncoding: 'base64', pattern: z.core.regexes.base64.source })

const imagesAt = (url: z.ZodType<string>) =>
  z
    .array(
      z
        .object({
          url: url.optional(),
          sha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
            .optional(),
          data: base64.optional(),
        })
        .refine((i) => i.url !== undefined || i.data !== undefined, 'must have a url or data')
        // One of them would be judged and the other one shown.
        .refine((i) => i.url === undefined || i.data === undefined, 'must have a url or data, not both'),
    )
    .max(LISTING_LIMITS.images, `must have at most ${LISTING_LIMITS.images} images`)

const webAddress = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).max(LISTING_LIMITS.url)

const attributeValue = z.union([
  textField(0, 4_000),
  z.number(),
  z.boolean(),
  z.array(textField(0, 4_000)).max(LISTING_LIMITS.attributeValues),
])

export const listingSchema = z.object({
  listingId: textField(1, LISTING_LIMITS.id),
  revision: z
    .int({ error: (issue) => (issue.code === 'too_big' ? 'must be at most 2147483647' : undefined) })
    .min(1, 'must be at least 1')
    .max(LISTING_LIMITS.revision, 'must be at most 2147483647'),
  submittedAt: instant(2000).optional(),
  marketplace: textField(0, 200).optional(),
  sellerId: textField(1, LISTING_LIMITS.id),
  seller: sellerSchema.optional(),
  title: textField(1, LISTING_LIMITS.title),
  description: textField(0, LISTING_LIMITS.description).optional(),
  language: textField(0, 35).optional(),
  brand: textField(0, LISTING_LIMITS.brand).optional(),
  category: z.array(textField(0, 500)).max(LISTING_LIMITS.categories).optional(),
  attributes: z
    .record(textField(1, 200), attributeValue)
    .refine(
      (a) => Object.keys(a).length <= LISTING_LIMITS.attributes,
      `must have at most ${LISTING_LIMITS.attributes} entries`,
    )
    .optional(),
  condition: z.enum(CONDITIONS).optional(),
  price: priceSchema.optional(),
  quantity: count.optional(),
  lotSize: z.int().min(1, 'must be at least 1').max(LISTING_LIMITS.count).optional(),
  shipsFrom: textField(0, 200).optional(),
  images: imagesAt(webAddress).optional(),
})

/** A path below some folder: relative, and no step of it leads up, however systems write that. */
export const isPathBelow = (text: string): boolean =>
  text !== '' && !/^(?:[/\\]|[a-z][a-z\d+.-]*:)|\0/i.test(text) && !text.split(/[/\\]/).includes('..')

/** A row of a file, whose pictures may be files beside it: for tools alone, the log and the API take no such names. */
export const filedListingSchema = listingSchema.extend({
  images: imagesAt(
    z
      .string()
      .max(LISTING_LIMITS.url)
      .refine((text) => isPathBelow(text) || webAddress.safeParse(text).success, {
        error: 'must be an http or https URL, or the path of a file below the folder of --images',
      }),
  ).optional(),
})

export type Listing = z.infer<typeof listingSchema>
export type Price = z.infer<typeof priceSchema>
export type Condition = (typeof CONDITIONS)[number]

/** What names one revision of a listing, wherever the rest cannot be read. */
export const listingIdentitySchema = listingSchema.pick({ listingId: true, revision: true })
export type ListingIdentity = z.infer<typeof listingIdentitySchema>

/** A withdrawal may say whose listing it means; where both say so, another marketplace's listing stays. */
export const withdrawalSchema = listingSchema.pick({ listingId: true, revision: true, marketplace: true })
export type Withdrawal = z.infer<typeof withdrawalSchema>
