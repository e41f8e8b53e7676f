// Which verdicts a version did not learn from, by what its card says of its training.
import { z } from 'zod'
import type { ModelCard } from '../../domain/model.ts'
import { placeSchema } from '../../domain/place.ts'
import type { LabelledListing, Spoken } from '../../learning/ports.ts'
import { unlearnt, type Unlearnt } from '../../learning/split.ts'
import { trainingSet, type TrainingRow } from '../../learning/training-set.ts'
import { WORDS_DRAWN } from './card.ts'

export interface Labels {
  /** Every label of the store, weighted by the audit share of the policy that decided. */
  readonly labels: readonly LabelledListing[]
  readonly spoken: readonly Spoken[]
}

const line = { from: z.string(), draw: z.string() }
const heldOutSchema = z.object({
  heldOut: z.object({
    ...line,
    places: z.array(z.object({ marketplace: placeSchema, ...line })).optional(),
    seen: z.string(),
    words: z.string().optional(),
  }),
})

export interface Unseen extends Unlearnt {
  /** Verdicts that count; those neither among the rows nor left out repeat another one. */
  readonly labels: number
}

/** Labels that the version of this card did not learn from, by the same draws as in its training. Without a card: all. */
export function unseenBy(read: Labels, card: ModelCard | undefined): Unseen {
  const labels = read.labels.length
  if (card === undefined || card.trained.until === null)
    return { labels, rows: trainingSet(read.labels), leftOut: { earlier: 0, sellers: 0, words: 0 } }
  const { until, seed } = card.trained
  const measured = heldOutSchema.safeParse(card.measured)
  if (measured.success) {
    const { seen, words, from, draw, places } = measured.data.heldOut
    const boundary = { from, draw, ...(places === undefined ? {} : { places }) }
    const wordsDrawn = words === WORDS_DRAWN
    return { labels, ...unlearnt(read, { seed, boundary, seen, wordsDrawn }) }
  }
  // Made elsewhere, or before listings were split by their decision: `until` may be the time of a verdict. No listing is
  // judged before it is decided, so what was decided later was not learnt from; whoever was known by then may have been.
  return {
    labels,
    ...unlearnt(read, { seed, boundary: { from: until, draw: BEHIND_ALL }, seen: '', wordsDrawn: false }),
  }
}

/** Above every draw: nothing that was decided at the very time of a boundary lies behind it. */
const BEHIND_ALL = 'g'

/** Whether the version of this card may have learnt from a row of these labels. */
export function mayHaveLearnt(read: Labels, card: ModelCard | undefined): (row: TrainingRow) => boolean {
  const unseen = new Set(unseenBy(read, card).rows.map(keyOf))
  return (row) => !unseen.has(keyOf(row))
}

const keyOf = ({ listing }: TrainingRow): string => JSON.stringify([listing.listingId, listing.revision])
