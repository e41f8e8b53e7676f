// What the flows need of pictures: to be got, decoded and hashed within bounds, and to be kept for who looks at the case.
import type { KeptPicture } from '../../domain/kept-picture.ts'
import type { Listing } from '../../domain/listing.ts'
import type { Outcome } from '../../domain/policy.ts'
import type { Picture, SeenPicture } from '../../imaging/picture.ts'

export type ImageReference = NonNullable<Listing['images']>[number]

/** Bytes of one picture from somewhere, checked against `sha256` where the reference binds it. */
export type Got =
  { readonly state: 'got'; readonly bytes: Uint8Array; readonly sha256: string } | Extract<Picture, { state: 'unseen' }>

/** Inline data, a folder, or strangers' hosts: bounded in bytes and time. Never rejects. */
export interface PictureFetcher {
  get(image: ImageReference, until: AbortSignal): Promise<Got>
}

/** What is kept to be looked at: `small` where there is much of it. Hashes are of the picture as it came, whatever is said. */
export type KeptSize = 'small'

/** Decoding in threads of its own: bounded in pixels, memory and time. Never rejects; a thread that dies is replaced. */
export interface PictureReader {
  read(bytes: Uint8Array, sha256: string, until: AbortSignal): Promise<Picture>
  /** By its header alone, in microseconds: pixels, weighed by what they cost, not fewer than will be decoded. Never throws. */
  foresee(bytes: Uint8Array): number
  /** Re-encoded for keeping; undefined when it cannot be read. */
  keep(bytes: Uint8Array, sha256: string, size?: KeptSize): Promise<KeptPicture | undefined>
}

/** Who sends a listing. */
export type Whose = Pick<Listing, 'marketplace' | 'sellerId'>

/** All images of a listing, in their order: got and read, many at once. Never rejects. */
export interface PictureSource {
  /**
   * Takes what waiting for strangers and for threads may take and no more; `until` gives up earlier. Those who send much
   * wait for those who send little, by `whose` it is; unsaid: nobody's and alone.
   */
  look(images: readonly ImageReference[], until?: AbortSignal, whose?: Whose): Promise<readonly Picture[]>
  /** One that was seen, re-encoded; undefined when it cannot be had any more, is another picture by now, or has no turn before `until`. */
  keep(
    image: ImageReference,
    picture: SeenPicture,
    how?: { readonly size?: KeptSize; readonly until?: AbortSignal },
  ): Promise<KeptPicture | undefined>
}

/** How a listing stands that was decided before. */
export interface Glance {
  readonly outcome: Outcome | null
  readonly sequence: number
  readonly caseId: string | null
}

/** A kept picture in place of the one that was judged. */
export interface StandIn {
  /** Of the bytes that were judged. */
  readonly sha256: string
  readonly body: Uint8Array
}

/** What a listing was seen to show when it was tried. */
export interface ShownSet {
  readonly listingId: string
  /** PDQ, 64 hexadecimal digits each, none twice and in order. */
  readonly hashes: readonly string[]
  /** The sha256 of these, each on a line. */
  readonly digest: string
}

/** Kept pictures in the store, by their hash. */
export interface PictureStore {
  /** Of these hashes, those that are kept already; they stay for another day at least. */
  known(sha256s: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * Before the transaction that refers to them, so that no row is locked while megabytes travel. What nothing refers to
   * a day later is removed again.
   */
  put(pictures: readonly KeptPicture[]): Promise<void>
  /**
   * Remembers for some months what listings show: what of a case other sellers show too, who are on sale, is rather
   * innocent. Before the transaction that decides, so that no row is locked while it is indexed; so anybody may have sent
   * it, with anybody's listingId, and it says nothing until a decision on that listing names the set.
   */
  noteShown(sets: readonly ShownSet[]): Promise<void>
  /** By listing. A look without a lock: it says what is worth keeping, and decides nothing. */
  glance(listingIds: readonly string[]): Promise<ReadonlyMap<string, Glance>>
  /** What is kept of the pictures of one revision that stands with an open case, by their places; only `whole` ones. */
  standIns(listingId: string, revision: number): Promise<ReadonlyMap<number, StandIn>>
  /**
   * Removes, in bites, what belongs to cases that were closed more than `days` ago, and what nothing refers to; never what
   * a bank holds. How much was removed: 0 when there is no more.
   */
  prune(days: number): Promise<number>
}
