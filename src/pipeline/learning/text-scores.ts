// Rows as the gate would have seen them beside another text model: what verdicts keep of it are the scores of that time.
import type { SignalResult } from '../../domain/signal-result.ts'
import type { LabelledListing } from '../../learning/ports.ts'
import type { TextModel } from '../../signals/text-model/ports.ts'
import { featuresOfListing } from '../../text/features.ts'

/** A version of the text model, from the registry or the one that ships. Rejects with `not-found` and `model-invalid`. */
export type TextOf = (version: string) => Promise<TextModel>

/** Asked at once: far fewer than may wait for the threads. */
const BLOCK = 1_000

/** What the model says of each row, undefined where it abstains: outside of its marketplaces and where there is no text. */
export async function textScores(
  model: TextModel,
  rows: readonly Pick<LabelledListing, 'listing' | 'marketplace'>[],
): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = []
  for (let start = 0; start < rows.length; start += BLOCK) {
    const block = rows.slice(start, start + BLOCK).map(async ({ listing, marketplace }) => {
      if (!model.card.trained.marketplaces.includes(marketplace ?? '')) return undefined
      const features = featuresOfListing(listing)
      // Six digits, as the detector tells them.
      return features.ids.length === 0 ? undefined : Number((await model.score(features)).score.toFixed(6))
    })
    found.push(...(await Promise.all(block)))
  }
  return found
}

/**
 * The rows with the text signal as a fusion expects it: from the text model it was fitted to, silent for null. One that was
 * fitted to none (undefined) weighs what was recorded.
 */
export async function heardWith<R extends Pick<LabelledListing, 'listing' | 'marketplace' | 'signals'>>(
  textOf: TextOf,
  expects: string | null | undefined,
  rows: readonly R[],
): Promise<R[]> {
  if (expects === undefined) return [...rows]
  const scores = expects === null ? [] : await textScores(await textOf(expects), rows)
  return rows.map((row, i) => ({ ...row, signals: withText(row, scores[i]) }))
}

/** The row's signals with the text signal as a model gives it; what was decided before there was one gets it too. */
export function withText({ signals }: Pick<LabelledListing, 'signals'>, score: number | undefined): SignalResult[] {
  const before = signals.find((signal) => signal.name === TEXT_SIGNAL) ?? NO_TEXT
  const { score: _, ...rest } = before
  const now: SignalResult = score === undefined ? { ...rest, state: 'abstained' } : { ...rest, state: 'scored', score }
  return [...signals.filter((signal) => signal.name !== TEXT_SIGNAL), now]
}

/** The detector that asks the text model. */
const TEXT_SIGNAL = 'text-model'
const NO_TEXT: SignalResult = {
  name: TEXT_SIGNAL,
  version: '0',
  state: 'abstained',
  contribution: 0,
  evidence: {},
  durationMs: 0,
}
