// A fusion model that can be read: per signal, knots of score against likelihood ratio, each with its source.
import { z } from 'zod'

const share = { probability: z.number().gt(0).lt(1), source: z.string().min(1) }

export const scorecardSchema = z
  .object({
    name: z.literal('fusion'),
    version: z.string().min(1),
    description: z.string(),
    /** Share of infringing listings that is assumed before any evidence, with where that comes from. */
    prior: z.object({
      ...share,
      /** Where listings of a marketplace (null: of none) have shown a share of their own; it says nothing of the others. */
      marketplaces: z.array(z.object({ marketplace: z.string().nullable(), ...share })).optional(),
    }),
    signals: z.record(
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
    ),
  })
  .superRefine((card, ctx) => {
    for (const [name, { knots }] of Object.entries(card.signals)) {
      for (const [i, knot] of knots.entries()) {
        const before = knots[i - 1]
        if (before === undefined) continue
        if (knot.score <= before.score) {
          ctx.addIssue({ code: 'custom', path: ['signals', name, 'knots', i, 'score'], message: 'scores must rise' })
        }
        if (knot.likelihoodRatio < before.likelihoodRatio) {
          ctx.addIssue({
            code: 'custom',
            path: ['signals', name, 'knots', i, 'likelihoodRatio'],
            message: 'ratios must not fall: more evidence never lowers risk',
          })
        }
      }
    }
  })
export type Scorecard = z.infer<typeof scorecardSchema>

/** The share that is assumed of a listing of this marketplace, undefined or null: of none. */
export const priorAt = ({ prior }: Pick<Scorecard, 'prior'>, marketplace: string | null | undefined): number =>
  prior.marketplaces?.find((one) => one.marketplace === (marketplace ?? null))?.probability ?? prior.probability
