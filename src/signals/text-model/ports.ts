// What the detector needs of a text model: a calibrated probability for words, from a version that says what it learnt from.
import type { ModelCard } from '../../domain/model.ts'

export interface TextInput {
  readonly title: string
  readonly description?: string | undefined
  readonly brandIds: readonly string[]
}

export interface TextModel {
  readonly version: string
  readonly card: ModelCard
  /** 0 to 1. */
  score(input: TextInput): Promise<number>
}
