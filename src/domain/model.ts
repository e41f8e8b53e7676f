// A version of a model as the registry keeps it: its bytes by their hash, and a card that says what it is and what it cannot know.
import { z } from 'zod'

/** `fusion` turns signals into risk (a scorecard as JSON), `text` reads words (ONNX). */
export const MODEL_NAMES = ['fusion', 'text'] as const
export type ModelName = (typeof MODEL_NAMES)[number]

export const modelCardSchema = z.looseObject({
  name: z.enum(MODEL_NAMES),
  version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
  description: z.string(),
  /** Of the file beside the card, or of the scorecard. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  trained: z.object({
    seed: z.int(),
    /** Marketplaces whose own verdicts or listings it learnt from: elsewhere a text model abstains. */
    marketplaces: z.array(z.string()),
    rows: z.int().min(0),
    confirmed: z.int().min(0),
    /** When the last listing learnt from was decided; null where listings have no time. */
    until: z.string().nullable(),
    /** True for what learnt from invented listings. */
    invented: z.boolean(),
  }),
  /** On rows that it did not learn from, by name. */
  measured: z.record(z.string(), z.json()),
})
export type ModelCard = z.infer<typeof modelCardSchema>

/** The text model that a fusion was fitted to; undefined where it was to none. */
export function expectedText(card: ModelCard): string | undefined {
  const expects = (card as { expects?: { text?: unknown } }).expects?.text
  return typeof expects === 'string' ? expects : undefined
}

/** A version that decides, as it is told to who follows: the bytes are got by `name` and `version`. */
export interface ActiveModel {
  readonly name: ModelName
  readonly version: string
  readonly sha256: string
  readonly card: ModelCard
}
