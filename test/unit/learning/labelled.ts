// Labels for the tests of learning: made up, in an order of time, each with the signals that a gate would have recorded; and what is learnt with.
import type { SignalResult } from '../../../src/domain/signal-result.ts'
import type { LabelledListing } from '../../../src/learning/ports.ts'
import type { TrainingOptions } from '../../../src/pipeline/learning/train.ts'
import type { GateParts } from '../../../src/pipeline/reference.ts'

export const scored = (name: string, score: number, more: Partial<SignalResult> = {}): SignalResult => ({
  name,
  version: '1',
  state: 'scored',
  score,
  contribution: 0,
  evidence: {},
  durationMs: 0,
  ...more,
})

/** A word of its own for each number: texts that differ in digits alone are the same text to a split. */
export const wordFor = (n: number): string => String(n).replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')

/** The minute `minute` of a day; later labels have higher ones. */
export const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()

export function labelled(
  id: string,
  label: LabelledListing['label'],
  more: Partial<LabelledListing> = {},
): LabelledListing {
  return {
    listing: { listingId: id, revision: 1, sellerId: more.sellerId ?? `seller of ${id}`, title: `Goods ${id}` },
    signals: [],
    label,
    brandId: null,
    at: at(0),
    recordedAt: at(1_000),
    saidBy: { subject: 'ann', role: 'analyst' },
    sellerId: `seller of ${id}`,
    marketplace: 'demo',
    drawn: false,
    weight: 1,
    ...more,
  }
}

/**
 * `count` listings in turn confirmed and rejected, two of each seller, a minute apart. The price says little here, and open
 * wording is rejected: what the marketplace's people say is not what the shipped card expects.
 */
export const story = (count: number): LabelledListing[] =>
  Array.from({ length: count }, (_, i) => {
    const confirmed = i % 2 === 0
    return labelled(`L-${i}`, confirmed ? 'confirmed' : 'rejected', {
      listing: {
        listingId: `L-${i}`,
        revision: 1,
        sellerId: `S-${Math.floor(i / 4) * 2 + (i % 2)}`,
        title: confirmed ? `super clone watch ${wordFor(i)}` : `used watch with papers, ${wordFor(i)}`,
      },
      sellerId: `S-${Math.floor(i / 4) * 2 + (i % 2)}`,
      at: at(i),
      signals: confirmed
        ? [scored('price', i % 3 === 0 ? 0.54 : 0.86), scored('brand', 0.2)]
        : [scored('price', i % 3 === 0 ? 0.3 : 0.2), scored('brand', 0.2), scored('wording', 0.6)],
    })
  })

/** Of both models, where what ships decides and no text model is heard. */
export const trainingOptions = (
  { scorecard }: Pick<GateParts, 'scorecard'>,
  thresholds: TrainingOptions['thresholds'],
): TrainingOptions => ({
  seed: 7,
  models: ['fusion', 'text'],
  shipped: scorecard,
  champion: { fusion: scorecard, hears: async (rows) => rows, text: null, scores: async () => [] },
  thresholds,
})
