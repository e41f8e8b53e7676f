// What the detector needs of a text model: a calibrated probability for the n-grams of a text, from a version that says what it learnt from.
import type { ModelCard } from '../../domain/model.ts'
import type { TextFeatures } from '../../text/features.ts'

/** What the model says of one text. */
export interface TextScore {
  /** 0 to 1: the probability that it infringes, were half of all listings to infringe. */
  readonly score: number
  /** What each n-gram adds to the log-odds, in the order of the features. */
  readonly shares: Float32Array
}

export interface TextModel {
  readonly version: string
  readonly card: ModelCard
  /** Rejects when the model cannot be asked: the signal failed then. */
  score(features: TextFeatures): Promise<TextScore>
}
