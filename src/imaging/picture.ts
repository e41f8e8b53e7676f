// What is known of one image of a listing when it was got, decoded and hashed; or why it could not be.

export const PICTURE_FORMATS = ['jpeg', 'png', 'webp', 'avif', 'gif'] as const
export type PictureFormat = (typeof PICTURE_FORMATS)[number]

/** PDQ: 32 bytes in the order of Meta's hexadecimal text, and 0 to 100. */
export interface PdqHash {
  readonly bytes: Uint8Array
  readonly quality: number
}

/** What is compared of a picture, or of one frame. `variants` are the hashes of its eight dihedral forms; the first is `hash`. */
export interface HashedPicture {
  readonly hash: PdqHash
  readonly variants: readonly Uint8Array[]
  /** Near-blank, or of too low a quality: neither indexed nor matched. */
  readonly blank: boolean
}

/** A picture that was seen. Of an animation the hash is that of the frame shown longest, among those that are not blank. */
export interface SeenPicture extends HashedPicture {
  readonly state: 'seen'
  /** Of the bytes as they came, in lower-case hexadecimal. */
  readonly sha256: string
  readonly format: PictureFormat
  /** In pixels, upright. */
  readonly width: number
  readonly height: number
  /** Of an animation: other frames that were looked at and are not blank, each to be compared like a picture of its own. */
  readonly frames?: readonly HashedPicture[]
  /** Of an animation: frames lie beyond what one picture may cost, or cannot be decoded. */
  readonly unseenFrames?: true
  /** Browsers may show another picture: its samples are meant in a way that is not understood here (PQ, HLG, linear light), or it says something that decoders take differently. */
  readonly shownOtherwise?: true
  /** It ends too soon or is broken, and was decoded as far as a browser shows it. */
  readonly damaged?: true
  /** Of a damaged one: so much of it is missing that it may be no longer like what the banks hold of it. */
  readonly unseenPart?: true
}

/**
 * Why a picture could not be seen.
 *
 * - lasting, of the picture itself: `not-a-picture` (none of the formats, or broken), `too-large` (bytes), `too-many-pixels`,
 *   `too-slow` (it took all the time that a thread has for one, twice, and the second time alone), `hash-differs` (it is not what `sha256` binds), `address-refused` (not public, or not an allowed host),
 *   `not-fetched` (URLs are not followed here, by the wish of whoever started us: no failure);
 * - perhaps only late: `gone` (404, 410), which a host says as well that has not been given the picture yet;
 * - passing: `unreachable` (refused, reset, 5xx, 429, no such name), `timed-out` (what was asked did not
 *   answer in time), `busy` (it had no turn with us, or no thread read it in time: our own fault).
 */
export const LASTING_FAULTS = [
  'not-a-picture',
  'too-large',
  'too-many-pixels',
  'too-slow',
  'hash-differs',
  'address-refused',
  'not-fetched',
] as const
export const LATE_FAULTS = ['gone'] as const
export const PASSING_FAULTS = ['unreachable', 'timed-out', 'busy'] as const
export type PictureFault =
  (typeof LASTING_FAULTS)[number] | (typeof LATE_FAULTS)[number] | (typeof PASSING_FAULTS)[number]

export interface UnseenPicture {
  readonly state: 'unseen'
  readonly fault: PictureFault
  /** For analysts: what was expected and what was there; never a URL's query. */
  readonly message: string
}

export type Picture = SeenPicture | UnseenPicture

export const unseen = (fault: PictureFault, message: string): UnseenPicture => ({ state: 'unseen', fault, message })

/** It may be seen when it is tried again later. */
export const isPassing = (picture: Picture): boolean =>
  picture.state === 'unseen' && (PASSING_FAULTS as readonly string[]).includes(picture.fault)

/** It is not there; soon after the listing came it may be there a moment later. */
export const isLate = (picture: Picture): boolean =>
  picture.state === 'unseen' && (LATE_FAULTS as readonly string[]).includes(picture.fault)

/** By their places, what is told of pictures to know them again: null for one that was not seen. */
export const sha256sOf = (pictures: readonly Picture[]): (string | null)[] =>
  pictures.map((picture) => (picture.state === 'seen' ? picture.sha256 : null))

/** The hash of a picture as it is written: 64 hexadecimal digits. */
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
