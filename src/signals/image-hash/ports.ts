// What the detector needs of the banks: which of their pictures one picture of a listing is like.
import type { BankImage, BankKind, PictureForm } from '../../domain/bank.ts'
import type { SeenPicture } from '../../imaging/picture.ts'

export interface BankMatch {
  readonly bankId: string
  readonly kind: BankKind
  readonly imageId: string
  /** The brand that owns the bank; null: the deployment's own. */
  readonly brandId: string | null
  /** Bits of 256 that differ; at most the bank's own distance. */
  readonly distance: number
  /** 0 to 7: under which of its eight dihedral forms the listing's picture matched; 0 as it stands. */
  readonly variant: number
  /** As which form the bank's picture was matched: as it is, or one derived from it. */
  readonly form: PictureForm
  readonly source: BankImage['source']
}

/** All banks, live: each look-up is of one moment, and between two of them they may change. */
export interface BankIndex {
  /** Pictures that can match. */
  readonly size: number
  /** Of them those that can speak against a listing: of counterfeit banks, and of genuine ones, which strangers must not show. */
  readonly against: number
  /** Of the reference data: all up to it is seen, and perhaps some of what came later. */
  readonly change: bigint
  /**
   * The nearest picture of every bank within that bank's distance, nearest first, and of those that are different people's
   * word each; nothing for a blank picture. `marketplace`: whose listing shows it, null for one that names none; what is
   * in quarantine there is not among them.
   */
  match(picture: Pick<SeenPicture, 'sha256' | 'variants' | 'blank'>, marketplace?: string | null): readonly BankMatch[]
}
