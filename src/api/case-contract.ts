// The shapes of cases over HTTP: the queue, one case, and what people and sellers say on it.
import { z } from 'zod'
import { bankImageSchema } from '../domain/bank.ts'
import { CASE_STATES, caseOpenerSchema, caseStateSchema } from '../domain/case.ts'
import { reasonSchema } from '../domain/decision.ts'
import { LISTING_LIMITS, priceSchema } from '../domain/listing.ts'
import { outcomeSchema } from '../domain/policy.ts'
import { textField } from '../domain/text-field.ts'
import { MOST_PICTURES, verdictSchema } from '../domain/verdict.ts'
import { decisionAnswerSchema } from './contract.ts'

/** Room for a number behind it: taking several verdicts back records several. */
const verdictId = textField(1, 200).describe('Unique for good: a request that is repeated with it counts once.')
const brandId = textField(1, 256)
/** Far above what a seller has to say. */
const MOST_APPEAL = 5_000
/** A working day: whoever forgets a case does not keep it from others for longer. */
const MOST_CLAIM_SECONDS = 28_800

export const caseParamsSchema = z.object({ caseId: textField(1, 256) })

export const caseQuerySchema = z.object({
  state: z.enum([...CASE_STATES, 'any']).default('open'),
  brand: brandId.optional(),
  marketplace: textField(1, 200).optional(),
  openedBy: caseOpenerSchema.optional(),
  outcome: outcomeSchema.optional().describe('That stands for the revision of the case.'),
  claimed: z.enum(['yes', 'me', 'no']).optional().describe('By anyone, by the caller, or by nobody.'),
  sort: z
    .enum(['due', 'risk', 'closed'])
    .default('due')
    .describe(
      'What is due first, or what is riskiest first. `closed`: what is not open alone, what was closed last first; `state` must say which, or `any`.',
    ),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: z.string().min(1).max(1_000).optional().describe('The `next` of an earlier answer in the same order.'),
})

export const caseSummarySchema = z.object({
  caseId: z.string(),
  listingId: z.string().max(LISTING_LIMITS.id),
  revision: z.int(),
  state: caseStateSchema,
  openedBy: caseOpenerSchema,
  marketplace: z.string().nullable(),
  brandIds: z
    .array(z.string())
    .describe('Whose word it waits for; edits only add to them. Of a rights holder only its own.'),
  risk: z.number(),
  outcome: outcomeSchema,
  reason: reasonSchema
    .optional()
    .describe('The strongest of the decision that stands; none where nothing spoke against it.'),
  sellerId: z.string(),
  openedAt: z.string(),
  dueAt: z
    .string()
    .nullable()
    .describe('null: never; nobody waits for a listing that was withdrawn, until it comes back.'),
  closedAt: z.string().nullable(),
  claim: z.object({ by: z.string().nullable(), until: z.string() }).nullable(),
  appeals: z.int().describe('How often its seller has answered.'),
  title: z.string(),
  brand: z.string().optional(),
  price: priceSchema.optional(),
})
export const casesSchema = z.object({ items: z.array(caseSummarySchema), next: z.string().nullable() })

export const caseDetailsSchema = caseSummarySchema.extend({
  listing: z
    .looseObject({})
    .describe('The revision of the case as it was sent; without seller figures for rights holders.'),
  decisions: z.array(decisionAnswerSchema),
  verdicts: z
    .array(verdictSchema)
    .describe(
      'On the revision of the case. Rights holders see those for their brands, and of those for all only what was said.',
    ),
  answers: z
    .array(z.object({ text: z.string().nullable(), at: z.string(), revision: z.int() }))
    .describe('Of the seller; the text is not for rights holders.'),
  pictures: z.array(
    z.object({
      revision: z.int(),
      ordinal: z.int(),
      sha256: z.string(),
      href: z.string(),
      shownElsewhere: z
        .boolean()
        .nullable()
        .describe(
          'Whether other sellers had it on sale before and still have: then a confirmed verdict that names no pictures leaves it out, where any other joins. ' +
            'null: not known in time, or the case is resolved, or the picture is blank or of a revision that such a verdict does not speak of.',
        ),
    }),
  ),
  openedRevision: z
    .int()
    .nullable()
    .describe(
      'That the case was opened with, or that first stopped what had been a sample: a confirmed verdict takes all of its pictures, ' +
        'however often the listing was edited since. null: not known, of a case of an earlier version that keeps no pictures.',
    ),
  pictureCount: z
    .object({ listed: z.int().min(0), kept: z.int().min(0) })
    .describe(
      'Of the revision of the case: how many pictures the listing has, and how many of them are among `pictures`. What is ' +
        'not kept was not looked at by anybody: a verdict may say with `pictures` what it is about.',
    ),
  noLongerKept: z
    .array(z.object({ revision: z.int(), pictures: z.int() }))
    .describe('How many pictures of which revision were kept until the days after the case was closed had passed.'),
})

export const claimBodySchema = z.object({
  seconds: z
    .int()
    .min(0)
    .max(MOST_CLAIM_SECONDS)
    // A look takes minutes.
    .default(900)
    .describe('How long the case is the caller’s; 0 gives it back.'),
})
export const claimedSchema = z.object({ caseId: z.string(), claimedUntil: z.string().nullable() })

export const verdictBodySchema = z.object({
  verdictId: verdictId.optional(),
  verdict: verdictSchema.shape.verdict,
  reason: verdictSchema.shape.reason,
  note: verdictSchema.shape.note,
  brandId: brandId
    .nullish()
    .describe('For which brand it speaks. A rights holder of several brands of the case must say.'),
  supersedes: verdictSchema.shape.supersedes,
  pictures: z
    .array(z.union([z.int().min(0), bankImageSchema.shape.sha256]))
    .max(MOST_PICTURES)
    .nullish()
    .describe(
      'Which of the case’s `pictures` a confirmed verdict is about, by `sha256`, or those of its revision by `ordinal`: only these join the bank of ' +
        'confirmed pictures, [] none. Not said: of that revision, and of earlier ones back to the last that was left on sale or has a verdict of its own, ' +
        'those that no other seller’s listing on sale shows, or all where that is none. Of what others show on ' +
        'sale too a rights holder’s word counts as of what it uploads, and so does anybody’s of what only a revision in between shows.',
    ),
  decisionId: z
    .uuid({
      error: ({ input }) =>
        `${input === undefined ? 'is missing: it' : 'is no uuid: it'} must be the decision that was looked at. ` +
        'Look at the case again (GET /v1/cases/{caseId}), and name the last of its `decisions`; the one that stands by now is in `stands`',
    })
    .describe('The decision that was looked at: when the listing was edited meanwhile, nothing is recorded.'),
})

export const reopenBodySchema = z.object({
  verdictId: verdictId.optional(),
  reason: textField(1, 1_000),
  takeBack: z
    .boolean()
    .default(false)
    .describe('Undo every verdict that counts, also on a withdrawn listing; without it what stands goes on standing.'),
})

export const appealBodySchema = z.object({
  text: textField(1, MOST_APPEAL).refine((text) => text.trim() !== '', 'must not be blank'),
})

export const standsSchema = z.object({
  caseId: z.string(),
  state: caseStateSchema,
  listingId: z.string(),
  revision: z.int().describe('The one that stands.'),
  decisionId: z.string().describe('The last one on the listing.'),
  outcome: outcomeSchema.nullable(),
  sequence: z.int(),
  withdrawn: z.boolean().describe('Its seller has taken it back: it is not on sale, whatever the outcome.'),
})
const count = (words: string) => z.int().min(0).describe(words)
const pictureOfVerdictSchema = z.object({ revision: z.int(), ordinal: z.int(), sha256: z.string() })
const picturesOfVerdictSchema = z
  .object({
    bankId: z.string().describe('The bank of what is confirmed; made with the first picture that joins it.'),
    joined: count('So many joined it.'),
    which: z
      .array(
        pictureOfVerdictSchema.extend({
          by: z
            .enum(['brand', 'nobody'])
            .optional()
            .describe('Of those that are `limited`, why: a rights holder’s word over others, or nobody’s word.'),
        }),
      )
      .describe('They; of earlier revisions those that the one that was confirmed does not have.'),
    limited: count(
      'Of these, so many that count against listings alone that name the brand, until an analyst vouches for them or a verdict names them: those of ' +
        'revisions between what the case was opened with and what was confirmed, of which nobody has said anything, and those that other sellers’ ' +
        'listings show on sale too, or of which that could not be looked up in time, or whose revision another brand rejects, where a rights holder confirmed.',
    ),
    leftOut: z.object({
      official: count('Like a picture of a genuine or an allowed bank.'),
      elsewhere: count('Shown by other sellers’ listings on sale, from before; a verdict that names them takes them.'),
      notLookedUp: count(
        'There was too much to compare to look up in time whether they are official or other sellers show them; a verdict that names them takes them.',
      ),
      unnamed: count('The verdict names others.'),
      earlier: count(
        'Of earlier revisions of the case that were left on sale or came before such a one, have a verdict of their own or name other brands, ' +
          'and beyond the newest 24 besides what the case was opened with; a verdict that names them takes them.',
      ),
      blank: count('Blank, or nearly.'),
      repeated: count('The same as another one of the listing.'),
      noLongerKept: count('Were kept for the case, until the days after it was closed had passed.'),
      neverKept: count(
        'Could not be looked at, or is not kept: there was no time yet, or it is gone from where it was.',
      ),
    }),
    leftOutWhich: z
      .array(
        pictureOfVerdictSchema.extend({
          why: z
            .enum(['official', 'elsewhere', 'notLookedUp', 'unnamed', 'earlier'])
            .describe(
              'As the counts of `leftOut`. But for `official` a verdict that names it takes it: with `supersedes`, and `pictures` that names what had joined too.',
            ),
          listings: z
            .array(z.string())
            .optional()
            .describe(
              'Of `elsewhere`, for analysts and administrators: up to 10 listings of other sellers that show it on sale, from before, decided last first. Missing: not known in time.',
            ),
        }),
      )
      .describe('Which of those that can be looked at; of earlier revisions that it does not speak of the newest 24.'),
  })
  .describe(
    'What became of the pictures of the listing that was confirmed; together they are all that its revision lists, and of those ' +
      'that the case keeps of earlier ones what is not blank and not the same.',
  )

export const reviewedSchema = z.object({
  status: z.enum(['recorded', 'known']).describe('known: the same request was taken before.'),
  verdictIds: z.array(z.string()),
  decision: decisionAnswerSchema.nullable().describe('What it decided; null: nothing new.'),
  earlier: z
    .array(z.object({ verdictId: z.string(), revision: z.int(), brandId: z.string().nullable() }))
    .describe(
      'After `rejected`: confirmations of earlier revisions that still count, with their pictures in the bank. ' +
        'Take one back with `cannot-tell` and `supersedes` if it was wrong.',
    ),
  pictures: picturesOfVerdictSchema
    .nullable()
    .describe('null: nothing was confirmed, or the request was taken before.'),
  stands: standsSchema,
})
