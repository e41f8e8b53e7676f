// A picture as it is kept for who looks at a case and for the banks: re-encoded by us, by the hash of the bytes as they came.

/** Nobody who reviews loads a stranger's bytes: what is kept is our own encoding of them. */
export interface KeptPicture {
  /** Of the bytes as they came. */
  readonly sha256: string
  /** PDQ, 64 hexadecimal digits, and 0 to 100. */
  readonly hash: string
  readonly quality: number
  readonly blank: boolean
  /** PDQ of each of `DERIVED_FORMS`, by which it is found again in a bank; none of a blank one, or where none is known. */
  readonly forms: readonly string[]
  /**
   * PDQ of its eight dihedral forms, the first is `hash`, then of those of each of `DERIVED_FORMS` that is not blank: it is held
   * by all of them against official pictures and what others show, since a bank finds it by its derived forms. None where
   * they are not known, the first eight where no more are.
   */
  readonly variants: readonly string[]
  /** Of an animation: its other frames that differ and are not blank, each to be found like a picture of its own. */
  readonly frames?: readonly KeptFrame[]
  /** In pixels, of the picture as it came. */
  readonly width: number
  readonly height: number
  /** WebP, at most 768 pixels a side (512 of one among many), without metadata. */
  readonly body: Uint8Array
}

export type KeptFrame = Pick<KeptPicture, 'hash' | 'quality' | 'forms' | 'variants'>
