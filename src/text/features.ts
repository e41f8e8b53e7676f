// The n-grams of a listing's text as numbers: what a text model is trained on and asked with, the very same code for both.

/** Rises with every change of what follows: a model is only asked with the features it was trained on. */
export const TEXT_FEATURES = { version: 1, table: 65_536 } as const

/** `ids[i]` is a row of the model's table, `values[i]` how much of it there is; rising ids, no id twice. */
export interface TextFeatures {
  readonly ids: Int32Array
  readonly values: Float32Array
  /** The n-gram that gave each, as it stood in the normalised text; for analysts. */
  readonly grams: readonly string[]
}
