// One detector's evidence about one listing, as it is recorded in every decision.
import { z } from 'zod'

export const SIGNAL_STATES = ['scored', 'abstained', 'failed'] as const

/** A half-open range of UTF-16 code units in the seller's own text: the place that an analyst is shown. */
export const spanSchema = z.object({
  field: z.enum(['title', 'description', 'brand']),
  start: z.int().min(0),
  end: z.int().min(0),
  text: z.string(),
})
export type Span = z.infer<typeof spanSchema>

export const signalResultSchema = z.object({
  name: z.string(),
  version: z.string(),
  state: z.enum(SIGNAL_STATES),
  /** 0 (speaks for the listing) to 1 (speaks most strongly against it); only when scored. */
  score: z.number().min(0).max(1).optional(),
  /** Scored by a part only, because it could not look at the rest: that counts against a listing, never for it. */
  incomplete: z
    .boolean()
    .optional()
    .describe('Scored by a part only, because it could not look at the rest: the decision is degraded.'),
  /** Natural log-odds added to the risk; 0 unless scored. Filled in by the fusion. */
  contribution: z.number(),
  /** JSON for analysts; never shown to a seller. */
  evidence: z.record(z.string(), z.json()),
  durationMs: z.number().min(0),
  /** A signal in shadow is recorded and adds nothing. */
  shadow: z.boolean().optional(),
})
export type SignalResult = z.infer<typeof signalResultSchema>
