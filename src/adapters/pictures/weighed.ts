// What a file asks of its decoder beyond what its header says: looked up in its bytes before any decoder sees them.
import { pixelsOfAvif } from './avif.ts'
import type { Format } from './formats.ts'
import { framesOfGif } from './gif-frames.ts'
import { unseen, type UnseenPicture } from './messages.ts'
import { MOST_MISSING } from './missing.ts'
import { colouredBy, type Colouring } from './png-chunks.ts'
import { MOST_PIECES, pixelBytesOf } from './png-pixels.ts'
import { hasWholeProfile } from './profiles.ts'
import { scansOf } from './scans.ts'

export interface Weighed {
  /** Pixels that are decoded in one go, where that is more than its header says; and all that lie in memory at once. */
  readonly decoded: number
  readonly held: number
  /** How often a decoder goes over all of a JPEG. */
  readonly scans: number
  /** Browsers show less of it than a decoder here, which would not complain. */
  readonly isBroken: boolean
  /** Of a GIF the share that the frame lacks that lacks most. */
  readonly missing: number
  /** Of a PNG; of others whether browsers show it otherwise. */
  readonly colouring: Colouring
}

const PLAIN: Weighed = {
  decoded: 0,
  held: 0,
  scans: 1,
  isBroken: false,
  missing: 0,
  colouring: {
    hasMoreFrames: false,
    gamma: undefined,
    isDoubtful: false,
    isShownOtherwise: false,
    ignoresProfile: false,
    profile: undefined,
  },
}

/** Measured: encoders write up to 14, and what shrinks a JPEG for hours tries 64. */
const MOST_SCANS = 100
/** libwebp looks each up from the first on, which takes 10,000 of them 0.1 s and 90,000 ten. */
const MOST_FRAMES = 10_000

/**
 * Of honest files some microseconds, of a JPEG with scans milliseconds for megabytes. Of those made to take long the worst
 * found is an AVIF of 15 MB: 0.2 s. It decodes nothing.
 */
export function weighed(bytes: Uint8Array, format: Format): Weighed | UnseenPicture {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (format) {
    case 'avif': {
      const pixels = pixelsOfAvif(view)
      if ('wrong' in pixels) return unseen('not-a-picture', `a avif that cannot be read: ${pixels.wrong}`)
      const { colours, alpha, isShownOtherwise } = pixels
      return {
        ...PLAIN,
        decoded: Math.max(colours, alpha),
        held: colours + alpha,
        colouring: { ...PLAIN.colouring, isShownOtherwise },
      }
    }
    case 'jpeg': {
      const scans = scansOf(view, MOST_SCANS)
      return scans > MOST_SCANS
        ? unseen('too-many-pixels', `a jpeg of more than ${MOST_SCANS} scans`)
        : { ...PLAIN, scans, colouring: { ...PLAIN.colouring, isShownOtherwise: !hasWholeProfile(view) } }
    }
    case 'webp':
      return framesOf(view) > MOST_FRAMES
        ? unseen('too-many-pixels', `a webp of more than ${MOST_FRAMES} frames`)
        : PLAIN
    case 'png': {
      const colouring = colouredBy(view)
      if (colouring.isDoubtful)
        return unseen('not-a-picture', 'a png whose chunks say of its colours what nobody means: gamma, primaries')
      const { isWhole, pieces } = pixelBytesOf(view)
      return pieces > MOST_PIECES
        ? unseen('not-a-picture', `a png in more than ${MOST_PIECES} pieces`)
        : { ...PLAIN, colouring, isBroken: !isWhole }
    }
    case 'gif': {
      const { isOpen, missing } = framesOfGif(view)
      const colouring = { ...PLAIN.colouring, isShownOtherwise: isOpen }
      return { ...PLAIN, colouring, missing, isBroken: missing > MOST_MISSING }
    }
  }
}

/** Chunks `ANMF`, counted no further than needed. */
function framesOf(webp: Buffer): number {
  let frames = 0
  for (let at = 12; at + 8 <= webp.length && frames <= MOST_FRAMES;) {
    if (webp.readUInt32BE(at) === ANMF) frames++
    const size = webp.readUInt32LE(at + 4)
    at += 8 + size + (size % 2)
  }
  return frames
}
const ANMF = 0x41_4e_4d_46
