// A bank: reference pictures of one kind, with a match distance, an owner, and for each picture where it came from.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { brandSchema } from './brand.ts'
import { textField } from './text-field.ts'

/** `allowed` wins: what matches it is no evidence, whatever else it matches. */
export const BANK_KINDS = ['genuine', 'counterfeit', 'logo', 'allowed'] as const
export type BankKind = (typeof BANK_KINDS)[number]

/** Beyond 63 of 256 bits the index is not exact, and unrelated pictures begin to match. */
export const MAX_DISTANCE = 63
/** What a rights holder may give its banks, after Meta's advice for PDQ: beyond, what is called the same begins to be chance. */
export const MAX_BRAND_DISTANCE = 31

/**
 * A listing's picture is compared with a picture of a bank as it is, and with forms derived from it: where a small one is
 * halved, or brightened until its lights are cut off, more of its hash changes than any distance may reach. The order is
 * that of `forms`, in which a hash of zeros stands for a form that is too plain to be matched.
 */
export const DERIVED_FORMS = ['half', 'half-brightened'] as const
export type PictureForm = 'whole' | (typeof DERIVED_FORMS)[number]

export const bankSchema = z.object({
  bankId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,99}$/, 'must be lower-case letters, digits and hyphens, at most 100'),
  name: textField(1, 200),
  kind: z.enum(BANK_KINDS),
  /** Bits of 256 in which a picture may differ from one of the bank and still match. */
  maxDistance: z.int().min(0).max(MAX_DISTANCE).default(31),
  /** The brand that owns it; null: the deployment's own. */
  brandId: brandSchema.shape.brandId.nullable().default(null),
})
export type Bank = z.infer<typeof bankSchema>

/** What somebody says of a bank: what is not said stays, and of a new one is as its schema has it. */
export type BankChange = Pick<Bank, 'bankId'> & { readonly [Field in keyof Bank]?: Bank[Field] | undefined }

/** Where pictures go that a person confirmed as counterfeit. One for each brand; `confirmed` where none was named. */
export const confirmedBank = (brandId: string | null): Bank => ({
  bankId: brandId === null ? 'confirmed' : confirmedId(brandId),
  name: brandId === null ? 'Confirmed by verdicts' : `Confirmed by verdicts: ${brandId}`,
  kind: 'counterfeit',
  maxDistance: 31,
  brandId,
})

/** What a bank's id has room for. */
const MOST_LETTERS = 100

/**
 * One that is too long ends in a hash, so that no two brands share a bank. With two hyphens in front it is no other brand's
 * either: an id of a brand begins with a letter or digit.
 */
function confirmedId(brandId: string): string {
  const whole = `confirmed-${brandId}`
  if (whole.length <= MOST_LETTERS) return whole
  const hash = createHash('sha256').update(brandId).digest('hex').slice(0, 32)
  const room = MOST_LETTERS - 'confirmed--'.length - 1 - hash.length
  return `confirmed--${brandId.slice(0, room)}-${hash}`
}

/** Whose listings: those of a marketplace; null: those that name none. */
const marketplace = z.string().nullable()

/**
 * What came of it that too many sellers of one marketplace showed a picture within an hour. `quarantined`: it matches
 * nothing there; `quarantined-for-all`: nothing anywhere; `bound`: it matches on, since enough pictures went into
 * quarantine by themselves for that marketplace within the hour; `new-sellers`: it matches on, since too many of them
 * opened their accounts just before.
 */
export const ALERT_RESULTS = ['quarantined', 'quarantined-for-all', 'bound', 'new-sellers'] as const
export type AlertResult = (typeof ALERT_RESULTS)[number]

export const bankAlertSchema = z.object({
  marketplace,
  result: z.enum(ALERT_RESULTS),
  /** So many at least, as one worker saw them; of these, accounts that were opened just before. */
  sellers: z.int().min(1),
  newSellers: z.int().min(0),
  /** From the first of them to the last. */
  seconds: z.int().min(0),
  firstAt: z.string(),
  lastAt: z.string(),
})
export type BankAlert = z.infer<typeof bankAlertSchema>

export const quarantineSchema = z.object({
  /** The marketplaces for whose listings it matches nothing. */
  scope: z.union([z.literal('all'), z.array(marketplace)]),
  since: z.string(),
  by: z.string(),
  why: z.enum(['too-many-sellers', 'by-hand']),
})

export const bankImageSchema = z.object({
  imageId: z.uuid(),
  bankId: bankSchema.shape.bankId,
  /** Of the bytes as they came. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** PDQ. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  quality: z.int().min(0).max(100),
  /** A quarantined one matches nothing within its scope until somebody has looked: it suddenly matched far too much. */
  state: z.enum(['active', 'quarantined']),
  /** Of a quarantined one. */
  quarantine: quarantineSchema.optional(),
  /** That nobody has answered yet by releasing or removing it; where it is listed. */
  alerts: z.array(bankAlertSchema).optional(),
  /** Where it came from. */
  source: z.object({
    kind: z.enum(['import', 'api', 'verdict']),
    /**
     * Where no person of the deployment has vouched for it. `brand`: a rights holder's word alone, where it uploaded it, or
     * confirmed it on a case although other sellers show it on sale or another brand rejects it; `nobody`: of a verdict that neither names it nor is
     * about its revision, which came between what the case was opened with and what was looked at.
     */
    by: z.enum(['brand', 'nobody']).optional(),
    /** A person of the deployment has: no word of another brand makes it less any more. */
    vouched: z.literal(true).optional(),
    /** Of a verdict: the brands that its case was about. */
    brandIds: z.array(z.string()).optional(),
    verdictId: z.string().optional(),
    caseId: z.string().optional(),
    listingId: z.string().optional(),
    /** Of a verdict: the revision of the listing that showed it. */
    revision: z.int().optional(),
    file: z.string().optional(),
  }),
  addedAt: z.string(),
  addedBy: z.string(),
})
export type BankImage = z.infer<typeof bankImageSchema>
