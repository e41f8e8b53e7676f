// A versioned, immutable document that turns risk into a decision: thresholds, risk classes and ordered rules.
import { z } from 'zod'
import { brandSchema } from './brand.ts'
import { listingSchema } from './listing.ts'
import { textField } from './text-field.ts'

export const OUTCOMES = ['allow', 'hold', 'block'] as const
export type Outcome = (typeof OUTCOMES)[number]
export const outcomeSchema = z.enum(OUTCOMES)

const probability = z.number().min(0).max(1)
const ruleId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and hyphens, at most 64')

/** A listing at or above `hold` is held, at or above `block` blocked. */
const thresholds = z
  .object({ hold: probability, block: probability })
  .refine((t) => t.hold <= t.block, { message: 'must not be below hold', path: ['block'] })

/** The sample of allowed listings that a person looks at all the same: without it nobody knows what slips through. */
export const auditSchema = z
  .object({
    /** Of allowed listings, 0 to 1. One in a hundred shows an error rate of one per cent within weeks and costs little. */
    share: probability.default(0.01),
    /** Seconds until somebody should have looked; nothing happens then. A week: no buyer waits for it. */
    dueSeconds: z.int().min(1).max(7_776_000).default(604_800),
  })
  .prefault({})

/** What ends a hold whose decision was made while a signal could not look: `allow` leaves it to the risk class. */
export const onDeadlineDegradedSchema = z.enum(['allow', 'block']).default('block')

export const policyRuleSchema = z.object({
  ruleId,
  description: textField(0, 1_000).default(''),
  /** `enforce` decides; `shadow` is only recorded. */
  mode: z.enum(['enforce', 'shadow']),
  /** A CEL expression over `listing`, `seller`, `risk`, `riskClass`, `brandIds`, `signals`, `priceUsd`, `authorisedSeller`; true means that the rule applies. */
  when: textField(1, 4_000),
  outcome: outcomeSchema,
})
export type PolicyRule = z.infer<typeof policyRuleSchema>

export const policyExampleSchema = z.object({
  name: textField(1, 200),
  /** Either a risk by itself, or a listing that is tried by all signals. */
  risk: probability.optional(),
  brandIds: z.array(brandSchema.shape.brandId).max(1_000).default([]),
  failedSignals: z.array(textField(1, 100)).max(100).default([]),
  /** Only with a risk by itself; a listing that is tried is held against the brands. */
  authorisedSeller: z.boolean().optional(),
  listing: listingSchema.partial().optional(),
  expect: z.object({
    outcome: outcomeSchema,
    ruleId: ruleId.optional(),
    /** How the hold would end. */
    onDeadline: z.enum(['allow', 'block']).optional(),
  }),
})

export const policySchema = z
  .object({
    policyId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
    version: z.int().min(1),
    description: textField(0, 4_000).default(''),
    thresholds,
    /** Per brand; where a listing is about several brands the lowest of each threshold holds. */
    brandThresholds: z.record(brandSchema.shape.brandId, thresholds).default({}),
    /** Bands of risk by their lower bound, rising, the first from 0. */
    riskClasses: z
      .array(z.object({ name: z.string().regex(/^[a-z][a-z-]{0,31}$/), from: probability }))
      .min(1)
      .max(16),
    hold: z.object({
      /** Seconds until a hold that nobody answered is decided; at most 90 days. */
      deadlineSeconds: z.int().min(1).max(7_776_000),
      /** What then, by risk class; classes that are not named are blocked. */
      onDeadline: z.record(z.string(), z.enum(['allow', 'block'])),
      /** And where a signal could not look, which risk class it would be nobody knows: `allow` as that of what was seen says. */
      onDeadlineDegraded: onDeadlineDegradedSchema,
    }),
    audit: auditSchema,
    /** The least outcome when a signal failed, by the risk class that the others give; classes not named: hold. */
    onFailedSignal: z.record(z.string(), outcomeSchema).default({}),
    /** Tried in this order; the first enforced rule that applies decides, else the thresholds do. */
    rules: z.array(policyRuleSchema).max(200).default([]),
    examples: z.array(policyExampleSchema).max(500).default([]),
  })
  .superRefine((p, ctx) => {
    p.riskClasses.forEach((c, i) => {
      const before = p.riskClasses[i - 1]
      if (i === 0 && c.from !== 0)
        ctx.addIssue({ code: 'custom', path: ['riskClasses', 0, 'from'], message: 'the first class must start at 0' })
      if (before !== undefined && c.from <= before.from)
        ctx.addIssue({ code: 'custom', path: ['riskClasses', i, 'from'], message: 'classes must rise' })
    })
    const classes = new Set(p.riskClasses.map((c) => c.name))
    for (const [field, record] of [
      ['onDeadline', p.hold.onDeadline],
      ['onFailedSignal', p.onFailedSignal],
    ] as const) {
      for (const name of Object.keys(record)) {
        if (!classes.has(name))
          ctx.addIssue({
            code: 'custom',
            path: field === 'onDeadline' ? ['hold', field, name] : [field, name],
            message: 'is not one of the risk classes',
          })
      }
    }
    const seen = new Set<string>()
    p.rules.forEach((r, i) => {
      if (seen.has(r.ruleId)) ctx.addIssue({ code: 'custom', path: ['rules', i, 'ruleId'], message: 'is used twice' })
      seen.add(r.ruleId)
    })
  })
export type Policy = z.infer<typeof policySchema>

/** The risks from which listings are held, of the policy and of its brands. */
export const holdsOf = ({ thresholds: overall, brandThresholds }: Pick<Policy, 'thresholds' | 'brandThresholds'>) => [
  overall.hold,
  ...Object.values(brandThresholds).map(({ hold }) => hold),
]
