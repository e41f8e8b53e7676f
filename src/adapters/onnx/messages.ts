// What the main thread and the threads that run models say to each other: `ready` once, then one job at a time.

/** One batch of texts for one model, each padded with row 0 to `width` features. */
export interface Job {
  readonly sha256: string
  /** The model file, where the thread does not have it yet. */
  readonly body?: Uint8Array<ArrayBuffer> | undefined
  /** Models that are not needed there any more. */
  readonly drop: readonly string[]
  readonly texts: number
  readonly width: number
  readonly ids: Int32Array<ArrayBuffer>
  readonly values: Float32Array<ArrayBuffer>
}

export type Done =
  | { readonly score: Float32Array<ArrayBuffer>; readonly shares: Float32Array<ArrayBuffer> }
  | { readonly failed: string }
