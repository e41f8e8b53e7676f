// Allow, hold or block: immutable, with every signal, the policy and the model versions that made it.
import { z } from 'zod'
import { LISTING_LIMITS } from './listing.ts'
import { outcomeSchema } from './policy.ts'
import { signalResultSchema } from './signal-result.ts'

export const STAGES = ['screening', 'review', 'deadline', 'rescreen'] as const
export type Stage = (typeof STAGES)[number]

export const reasonSchema = z.object({
  /** Stable; the seller's text for it may be translated. */
  code: z.string(),
  /** Written for the honest seller: no thresholds or figures, nothing that teaches evasion. */
  text: z.string(),
  signal: z.string().optional(),
})
export type Reason = z.infer<typeof reasonSchema>

export const holdSchema = z.object({ until: z.iso.datetime(), onDeadline: z.enum(['allow', 'block']) })
export type Hold = z.infer<typeof holdSchema>

export const decisionSchema = z.object({
  decisionId: z.uuid(),
  listingId: z.string().max(LISTING_LIMITS.id),
  revision: z.int().min(1),
  /** Rises with every decision on the listing; the highest sequence of the highest revision stands. */
  sequence: z.int().min(1).describe('Rises with every decision on the listing, over all its revisions.'),
  contentHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe(
      'sha256 of the RFC 8785 form of the listing’s known fields without submittedAt; unknown fields do not change it',
    ),
  marketplace: z.string().optional(),
  sellerId: z.string(),
  submittedAt: z.iso.datetime({ offset: true }),
  decidedAt: z.iso.datetime(),
  stage: z.enum(STAGES),
  outcome: outcomeSchema,
  risk: z.number().min(0).max(1),
  riskClass: z.string(),
  brandIds: z
    .array(z.string())
    .describe(
      'Brands that the listing names; of one that is held or blocked also those in whose own banks lies a picture that speaks ' +
        'against it; of an edit also those whose case waited.',
    ),
  caseId: z.string().optional(),
  reasons: z.array(reasonSchema),
  base: z.number(),
  signals: z.array(signalResultSchema),
  /** Rules of the policy that applied, enforced or in shadow. */
  rules: z.array(
    z.object({
      ruleId: z.string(),
      mode: z.enum(['enforce', 'shadow']),
      outcome: outcomeSchema,
      error: z.string().optional(),
    }),
  ),
  policy: z.object({ policyId: z.string(), version: z.int().min(1) }),
  models: z.record(z.string(), z.string()),
  modelParts: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'Where a version in `models` carries earlier ones and has not learnt on the marketplace of the listing: by the name of the ' +
        'model, the version that it carries and that decided there. Absent: those in `models` decided themselves.',
    ),
  hold: holdSchema.optional(),
  degraded: z.boolean(),
  audit: z.boolean(),
})
export type Decision = z.infer<typeof decisionSchema>
