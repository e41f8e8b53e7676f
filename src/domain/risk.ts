// The calibrated probability that a listing infringes, with each signal's share of it in log-odds.
import { z } from 'zod'
import { signalResultSchema } from './signal-result.ts'

export const riskSchema = z.object({
  /** 0 to 1. */
  risk: z.number().min(0).max(1),
  /** Prior log-odds, before any evidence: logit(risk) = base + sum of contributions. */
  base: z.number(),
  signals: z.array(signalResultSchema),
  /** Version of the fusion that computed it, as `models.fusion` in a decision. */
  model: z.string(),
  /** Of the version that it carries and that decided on the listing's marketplace; undefined: it did so itself. */
  part: z.string().optional(),
})
export type Risk = z.infer<typeof riskSchema>
