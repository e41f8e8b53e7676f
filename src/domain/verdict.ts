// What a person said of a listing: confirmed or rejected, with a reason; the only source of labels.
import { z } from 'zod'
import { listingSchema } from './listing.ts'
import { instant, textField } from './text-field.ts'

/** Far above what people write, and what one verdict costs stays bounded. */
const LIMITS = { id: 256, reason: 1_000, note: 10_000, role: 100 } as const

/** All that the review page can tick: a hundred of its own, as many that the case was opened with, two dozen between. */
export const MOST_PICTURES = 224

export const VERDICTS = ['confirmed', 'rejected', 'cannot-tell'] as const

export const verdictSchema = z
  .object({
    /** Made by whoever says it: sent again under the same id it counts once. */
    verdictId: textField(1, LIMITS.id).describe('Unique for good: the same verdict sent again counts once.'),
    /** The case of the decision; none where a listing on sale was looked at. */
    caseId: textField(1, LIMITS.id).nullish(),
    listingId: listingSchema.shape.listingId,
    revision: listingSchema.shape.revision,
    decisionId: z.uuid().describe('The decision that the person looked at.'),
    brandId: textField(1, LIMITS.id).nullish().describe('For which brand it speaks; without one it speaks for all.'),
    verdict: z.enum(VERDICTS).describe('confirmed: it infringes; rejected: it does not.'),
    reason: textField(0, LIMITS.reason).nullish(),
    note: textField(0, LIMITS.note).nullish(),
    by: z.object({ subject: textField(1, LIMITS.id), role: textField(1, LIMITS.role) }),
    at: instant(2000),
    source: z.enum(['review', 'audit', 'appeal']),
    pictures: z
      .array(z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in lower-case hexadecimal'))
      .max(MOST_PICTURES)
      .nullish()
      .describe(
        'Of a confirmed one: which pictures of the listing it is about, by the sha256 of their bytes; only those join the ' +
          'bank of confirmed pictures. Not said: those that no other seller’s listing on sale shows, or all where that is none.',
      ),
    supersedes: textField(1, LIMITS.id)
      .nullish()
      .describe('The verdictId of an earlier one on the same revision or case that no longer counts.'),
  })
  .refine((v) => v.supersedes !== v.verdictId, { path: ['supersedes'], error: 'must name another verdict' })
export type Verdict = z.infer<typeof verdictSchema>
