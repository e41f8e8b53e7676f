// What the main thread and the threads that decode say to each other.
import type { KeptPicture } from '../../domain/kept-picture.ts'
import type { PictureReader } from '../../pipeline/pictures/ports.ts'

export type Picture = Awaited<ReturnType<PictureReader['read']>>
export type SeenPicture = Extract<Picture, { state: 'seen' }>
export type UnseenPicture = Extract<Picture, { state: 'unseen' }>

export const unseen = (fault: UnseenPicture['fault'], message: string): UnseenPicture => ({
  state: 'unseen',
  fault,
  message,
})

/** Upright, 8 bits a channel, interleaved, alpha flattened on white. */
export interface Pixels {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
}

/** The perceptual hash, handed to the thread by the app: an adapter knows no algorithm. */
export type HashPixels = (pixels: Pixels) => HashedPicture
export type HashedPicture = Pick<SeenPicture, 'hash' | 'variants' | 'blank'>

/** What a thread is started with. */
export interface ThreadData {
  /** From 1; 0 stands for nobody in `heavy`. */
  readonly thread: number
  /** One word, shared by all threads: who decodes a heavy picture at present. */
  readonly heavy: Int32Array
  readonly maxPixels: number
  readonly timeMs: number
  /** Of an animation only the first frame is looked at. */
  readonly firstFrame: boolean
}

export interface Job {
  readonly kind: 'read' | 'keep'
  readonly bytes: Uint8Array
  readonly sha256: string
  /** Of what is kept; undefined: the usual one. */
  readonly size?: 'small' | undefined
}

export type Answer =
  | { readonly kind: 'read'; readonly picture: Picture }
  | { readonly kind: 'keep'; readonly kept: KeptPicture | undefined }
