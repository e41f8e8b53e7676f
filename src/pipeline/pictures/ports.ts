// What the flows need of pictures: to be got, decoded and hashed within bounds, and to be kept for who looks at the case.
import type { Listing } from '../../domain/listing.ts'
import type { Picture } from '../../imaging/picture.ts'

export type ImageReference = NonNullable<Listing['images']>[number]

/** A picture as it is kept and shown: re-encoded by us, so that nobody who reviews loads a stranger's bytes. */
export interface KeptPicture {
  /** Of the bytes as they came. */
  readonly sha256: string
  /** PDQ, 64 hexadecimal digits, and 0 to 100. */
  readonly hash: string
  readonly quality: number
  readonly blank: boolean
  readonly width: number
  readonly height: number
  /** WebP, at most 768 pixels a side, without metadata. */
  readonly body: Uint8Array
}

/** Bytes of one picture from somewhere, checked against `sha256` where the reference binds it. */
export type Got =
  { readonly state: 'got'; readonly bytes: Uint8Array; readonly sha256: string } | Extract<Picture, { state: 'unseen' }>

/** Inline data, a folder, or strangers' hosts: bounded in bytes and time. Never rejects. */
export interface PictureFetcher {
  get(image: ImageReference, until: AbortSignal): Promise<Got>
}

/** Decoding in threads of its own: bounded in pixels, memory and time. Never rejects; a thread that dies is replaced. */
export interface PictureReader {
  read(bytes: Uint8Array, sha256: string, until: AbortSignal): Promise<Picture>
  /** Re-encoded for keeping; undefined when it cannot be read. */
  keep(bytes: Uint8Array, sha256: string): Promise<KeptPicture | undefined>
}

/** All images of a listing, in their order: got and read, many at once. Never rejects. */
export interface PictureSource {
  look(images: readonly ImageReference[], until: AbortSignal): Promise<readonly Picture[]>
  /** Those that were seen lately, re-encoded; what is not at hand any more is left out. */
  keep(pictures: readonly Picture[]): Promise<readonly KeptPicture[]>
}
