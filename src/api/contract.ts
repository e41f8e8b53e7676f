// The shapes of requests and answers over HTTP: routes check with them, OpenAPI is made from them, pages import their types.
import { z } from 'zod'
import { apiKeySchema, ROLES } from '../domain/access.ts'
import { brandSchema } from '../domain/brand.ts'
import { decisionSchema } from '../domain/decision.ts'
import { LISTING_LIMITS, priceSchema } from '../domain/listing.ts'
import { outcomeSchema, policySchema } from '../domain/policy.ts'
import { refusalSchema } from '../domain/refusal.ts'
import { signalResultSchema } from '../domain/signal-result.ts'
import { textField } from '../domain/text-field.ts'
import { storable } from './storable.ts'

/** RFC 9457, with the catalogue's stable code. */
export const problemSchema = z
  .object({
    type: z.string().describe('URN of the code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What was wrong here: names field and expectation.'),
    code: z.string().describe('Stable; programs branch on this.'),
    path: z.string().optional().describe('JSON pointer (RFC 6901) to the field at fault.'),
    remedy: z.string().optional().describe('What the reader can do about it.'),
    instance: z.string().describe('URN of the request id, as in the header x-request-id.'),
    stands: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('What is decided by now, where a verdict came too late.'),
  })
  .describe('An error, as application/problem+json.')
export type Problem = z.infer<typeof problemSchema>

/**
 * A decision as it is answered. Evidence is any JSON: said as such, because the recursive schema of the event becomes a
 * reference that OpenAPI's components do not hold.
 */
export const decisionAnswerSchema = decisionSchema.extend({
  signals: z.array(signalResultSchema.extend({ evidence: z.record(z.string(), z.unknown()) })),
})

const listingId = textField(1, LISTING_LIMITS.id)
const revision = z.int().min(1).max(LISTING_LIMITS.revision)

export const listingParamsSchema = z.object({ listingId })
export const brandParamsSchema = z.object({ brandId: brandSchema.shape.brandId })
export const keyParamsSchema = z.object({
  keyId: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, 'must be letters, digits, hyphens and underscores, at most 100'),
})

/** The longest that a request may wait, in seconds: proxies commonly cut connections after 60 to 100. */
export const MAX_WAIT_SECONDS = 60

export const acceptedSchema = z.object({
  listingId,
  revision,
  contentHash: z.string().optional(),
  status: z.literal('accepted').describe('In the log, durably. The decision comes over the feed.'),
})
export type Accepted = z.infer<typeof acceptedSchema>

/** One line of the answer to NDJSON, for each line that was not blank, in order. */
export const lineResultSchema = z.object({
  line: z.int().min(1),
  status: z.int(),
  listingId: listingId.optional(),
  revision: revision.optional(),
  contentHash: z.string().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  path: z.string().optional(),
})
export type LineResult = z.infer<typeof lineResultSchema>

/** The last line of an answer to NDJSON that ends early: the only one with `lines`. */
export const streamEndSchema = z
  .object({
    status: z.int().describe('413: a limit of the body; 503: the log or the store cannot be reached; 500: unexpected.'),
    code: z.string(),
    message: z.string(),
    lines: z.int().min(0).describe('So many lines at the beginning are dealt with; sending all again is harmless.'),
  })
  .describe('Ends an answer that had begun when the body went beyond a limit or the log failed.')
export type StreamEnd = z.infer<typeof streamEndSchema>

export const withdrawalBodySchema = z.object({ revision })

export const feedQuerySchema = z.object({
  after: z
    .string()
    .min(1)
    // A cursor names a position for each partition; with the headers it must fit the 16 KiB that a request line may have.
    .max(12_000)
    .optional()
    .describe('The `next` of an earlier answer; without it the feed begins at the oldest entry held.'),
  last: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('Instead of `after`: begin with the newest entries, so many.'),
  wait: z.coerce
    .number()
    .min(0)
    .max(MAX_WAIT_SECONDS)
    .default(0)
    .describe('Seconds to wait for an entry when there is none.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
})

export const summarySchema = z.object({
  title: z.string(),
  brand: z.string().optional(),
  price: priceSchema.optional(),
})

export const feedEntrySchema = z.object({
  cursor: z.string(),
  type: z.string().describe('CloudEvents type: touchstone.listing.decided.v1 or touchstone.listing.refused.v1.'),
  data: z.union([decisionAnswerSchema, refusalSchema]),
  listing: summarySchema.optional().describe('Only for analysts and administrators.'),
})
export const feedSchema = z.object({ items: z.array(feedEntrySchema), next: z.string() })

export const historySchema = z.object({
  listingId,
  marketplace: z.string().nullable(),
  current: z.object({
    revision: z.int(),
    outcome: outcomeSchema.nullable(),
    caseId: z.string().nullable(),
    withdrawnRevision: z.int(),
  }),
  revisions: z.array(
    z.object({
      revision: z.int(),
      contentHash: z.string(),
      submittedAt: z.string(),
      listing: z.looseObject({}).describe('The listing as it was sent.'),
    }),
  ),
  decisions: z.array(decisionAnswerSchema),
  refusals: z.array(refusalSchema),
})

export const signalsSchema = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      label: z.string(),
      description: z.string(),
      mode: z.enum(['enforce', 'shadow']),
      sources: z.array(z.string()),
    }),
  ),
})

/** The id stands in the address; in the body it may be left out. */
export const brandBodySchema = brandSchema.partial({ brandId: true }).superRefine(storable)

const policyRecordSchema = z.object({
  policy: policySchema,
  publishedAt: z.string(),
  publishedBy: z.string(),
  active: z.boolean(),
})
export const activatedPolicySchema = policyRecordSchema.extend({
  warnings: z.array(z.string()).describe('Where it holds listings that nothing speaks against.'),
})
export const policiesSchema = z.object({ items: z.array(policyRecordSchema) })
/** A policy document, bare or with the version that it was made from. The publishing flow checks it: its codes name the rule at fault. */
export const publishBodySchema = z.union([
  z.looseObject({ policyId: z.string() }).describe('A policy document; its version is given by the service.'),
  z.object({
    policy: z.record(z.string(), z.unknown()).describe('A policy document; its version is given by the service.'),
    basedOn: z
      .int()
      .min(1)
      .optional()
      .describe('The active version that it was made from; another active version is a conflict.'),
  }),
])

export const keyBodySchema = z
  .object({
    role: z.enum(ROLES),
    brandIds: z.array(brandSchema.shape.brandId).max(1_000).default([]),
    marketplace: textField(1, 200).optional(),
  })
  .superRefine((k, ctx) => {
    if (k.role === 'brand' && k.brandIds.length === 0) {
      ctx.addIssue({ code: 'custom', path: ['brandIds'], message: 'must name at least one brand for the role brand' })
    }
    if (k.role !== 'brand' && k.brandIds.length > 0) {
      ctx.addIssue({ code: 'custom', path: ['brandIds'], message: 'is only for the role brand' })
    }
    if (k.role !== 'ingest' && k.marketplace !== undefined) {
      ctx.addIssue({ code: 'custom', path: ['marketplace'], message: 'is only for the role ingest' })
    }
  })
export const keysSchema = z.object({ items: z.array(apiKeySchema) })
export const createdKeySchema = apiKeySchema
  .pick({ keyId: true, role: true, brandIds: true, marketplace: true })
  .extend({ key: z.string().describe('Shown once; only its hash is stored.') })

export const callerSchema = z.object({
  subject: z.string(),
  role: z.enum(ROLES),
  brandIds: z.array(z.string()),
  marketplace: z.string().optional(),
})

export const healthSchema = z.object({ status: z.literal('ok') })
export const readinessSchema = z.object({
  status: z.literal('ready'),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
})
