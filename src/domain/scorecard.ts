// A fusion model that can be read: per signal, knots of score against likelihood ratio, each with its source.
import { z } from 'zod'
import { placeOf, placeSchema } from './place.ts'

const share = { probability: z.number().gt(0).lt(1), source: z.string().min(1) }

const version = z.string().min(1)

const signalsSchema = z
  .record(
    z.string(),
    z.object({
      /** Rising scores; between two knots the log of the ratio is interpolated, so more evidence never lowers risk. */
      knots: z
        .array(
          z.object({
            score: z.number().min(0).max(1),
            likelihoodRatio: z.number().positive(),
            source: z.string().min(1),
          }),
        )
        .min(1),
    }),
  )
  .superRefine((signals, ctx) => {
    for (const [name, { knots }] of Object.entries(signals)) {
      for (const [i, knot] of knots.entries()) {
        const before = knots[i - 1]
        if (before === undefined) continue
        if (knot.score <= before.score) {
          ctx.addIssue({ code: 'custom', path: [name, 'knots', i, 'score'], message: 'scores must rise' })
        }
        if (knot.likelihoodRatio < before.likelihoodRatio) {
          ctx.addIssue({
            code: 'custom',
            path: [name, 'knots', i, 'likelihoodRatio'],
            message: 'ratios must not fall: more evidence never lowers risk',
          })
        }
      }
    }
  })

export const scorecardSchema = z.object({
  name: z.literal('fusion'),
  version,
  description: z.string(),
  /** Share of infringing listings that is assumed before any evidence, with where that comes from. */
  prior: z.object({
    ...share,
    /** Where listings of a marketplace (null: of none) have shown a share of their own; it says nothing of the others. */
    marketplaces: z.array(z.object({ marketplace: placeSchema, ...share })).optional(),
  }),
  signals: signalsSchema,
  /** On which marketplaces its own ratios decide, and whose elsewhere. Without it they decide everywhere, as do those that ship. */
  scope: z
    .object({
      /** Where it learnt; null: listings of no marketplace. */
      marketplaces: z.array(placeSchema),
      /** Versions before it, each where it was the last that learnt. */
      earlier: z.array(z.object({ version, marketplaces: z.array(placeSchema), signals: signalsSchema })),
      /** What decides where none of them learnt. */
      elsewhere: z.object({ version, signals: signalsSchema }),
    })
    .optional(),
})
export type Scorecard = z.infer<typeof scorecardSchema>

/** The share that is assumed of a listing of this marketplace. The last: `''` stood before null where a version has both. */
export const priorAt = ({ prior }: Pick<Scorecard, 'prior'>, marketplace: string | null | undefined): number =>
  prior.marketplaces?.findLast((one) => one.marketplace === placeOf(marketplace))?.probability ?? prior.probability

/** A scorecard, or what a card says of one: itself, and the parts that it carries. */
interface Parts<Part> {
  readonly scope?:
    | {
        readonly marketplaces: readonly (string | null)[]
        readonly earlier: readonly (Part & { readonly marketplaces: readonly (string | null)[] })[]
        readonly elsewhere: Part
      }
    | undefined
}

/** The part that decides on this marketplace. */
export function partAt<Part>(card: Part & Parts<Part>, marketplace: string | null | undefined): Part {
  const { scope } = card
  const place = placeOf(marketplace)
  if (scope === undefined || scope.marketplaces.includes(place)) return card
  return scope.earlier.find((one) => one.marketplaces.includes(place)) ?? scope.elsewhere
}
