// What decoding a picture may come to, by its header alone: asked before it has a turn with the threads, in microseconds.
import { pixelsOfAvif } from './avif.ts'
import { formatOf, type Format } from './formats.ts'
import { scansOf } from './scans.ts'

/**
 * A pixel counts as so many: libheif cannot be interrupted, and the smallest file may be the dearest. At the limit's default of
 * 50 million the dearest form of each takes at most 0.9 s of a core, by milliseconds a megapixel, measured at 16 to 49 megapixels:
 *
 *     avif  30 flat, 1 kB for 49 megapixels; 50 with detail      at 16.7 megapixels 0.8 s
 *     png   34 with 16 bits, interlaced; 13 with a palette       at 25 megapixels   0.9 s
 *     gif   14 flat; 16 noise                                    at 50 megapixels   0.8 s
 *     jpeg  11 progressive without subsampling; 47 noise, which the limit on bytes ends at 20 megapixels
 *     webp  11 lossy; 31 lossless noise, which the limit on bytes ends at 6 megapixels
 */
export const COUNTS: Readonly<Record<Format, number>> = { jpeg: 1, png: 2, webp: 1, gif: 1, avif: 3 }

/** That a JPEG of the most pixels may have; smaller ones more. Honest ones have up to 14, where pixels are few. */
export const SCANS = 16
/** Looked through: an AVIF made for it takes 13 ms for so many, an honest one 0.2. What is larger counts as the dearest. */
const LOOKED_THROUGH = 1 << 20
/** Markers, chunks and blocks that are stepped over. */
const MOST_STEPS = 20_000
const MOST_SCANS = 100

/**
 * Pixels as they are weighed, `most` at most: not fewer than are decoded, because what turns out to be larger is refused. What
 * is not clear from the header counts as the dearest, what is no picture as nothing. Never throws.
 */
export function foreseenPixels(bytes: Uint8Array, most: number): number {
  const format = formatOf(bytes)
  if (format === undefined) return 0
  try {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return Math.min(most, (PIXELS[format](view) ?? Infinity) * COUNTS[format])
  } catch {
    return most
  }
}

const PIXELS: Readonly<Record<Format, (view: Buffer) => number | undefined>> = {
  jpeg: pixelsOfJpeg,
  png: pixelsOfPng,
  gif: pixelsOfGif,
  webp: pixelsOfWebp,
  avif(view) {
    if (view.length > LOOKED_THROUGH) return undefined
    const pixels = pixelsOfAvif(view)
    // What is wrong is refused before it is decoded.
    return 'wrong' in pixels ? 0 : pixels.colours + pixels.alpha
  },
}

function pixelsOfJpeg(jpeg: Buffer): number | undefined {
  for (let at = 2, steps = 0; at + 9 <= jpeg.length && steps < MOST_STEPS; steps++) {
    if (jpeg[at] !== 0xff) return undefined
    const marker = jpeg[at + 1] ?? 0
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const area = jpeg.readUInt16BE(at + 5) * jpeg.readUInt16BE(at + 7)
      const isLong = jpeg.length > LOOKED_THROUGH && marker > 0xc1
      return Math.max(area, (area * (isLong ? MOST_SCANS : scansOf(jpeg, MOST_SCANS))) / SCANS)
    }
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xda)) return undefined
    at += 2 + jpeg.readUInt16BE(at + 2)
  }
  return undefined
}

function pixelsOfPng(png: Buffer): number | undefined {
  if (png.toString('latin1', 12, 16) !== 'IHDR') return undefined
  const area = png.readUInt32BE(16) * png.readUInt32BE(20)
  for (let at = 8, steps = 0; at + 12 <= png.length; steps++) {
    const type = png.toString('latin1', at + 4, at + 8)
    if (type === 'IDAT') return area
    // The picture itself may be none of its frames.
    if (type === 'acTL') return area * (png.readUInt32BE(at + 8) + 1)
    if (steps === MOST_STEPS) return undefined
    at += 12 + png.readUInt32BE(at)
  }
  return area
}

function pixelsOfGif(gif: Buffer): number | undefined {
  let [across, down, frames, steps] = [gif.readUInt16LE(6), gif.readUInt16LE(8), 0, 0]
  for (let at = 13 + tableOf(gif[10]); at < gif.length;) {
    const kind = gif[at]
    if (kind === 0x2c && at + 10 <= gif.length) {
      frames++
      across = Math.max(across, gif.readUInt16LE(at + 1) + gif.readUInt16LE(at + 5))
      down = Math.max(down, gif.readUInt16LE(at + 3) + gif.readUInt16LE(at + 7))
      at += 11 + tableOf(gif[at + 9])
    } else if (kind === 0x21) at += 2
    else break
    for (let size = gif[at]; size !== undefined && size > 0; size = gif[at]) {
      if (++steps > MOST_STEPS) return undefined
      at += size + 1
    }
    at++
  }
  return across * down * Math.max(1, frames)
}

/** Bytes of the table of colours that these flags announce. */
const tableOf = (flags = 0): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))

/** Frames are decoded on top of each other, the dearest kind for twice as much. */
const WEBP_FRAME = 2

function pixelsOfWebp(webp: Buffer): number | undefined {
  const first = webp.toString('latin1', 12, 16)
  if (first === 'VP8 ') return (webp.readUInt16LE(26) & 0x3fff) * (webp.readUInt16LE(28) & 0x3fff)
  if (first === 'VP8L') {
    const bits = webp.readUInt32LE(21)
    return ((bits & 0x3fff) + 1) * (((bits >>> 14) & 0x3fff) + 1)
  }
  if (first !== 'VP8X') return undefined
  const area = (webp.readUIntLE(24, 3) + 1) * (webp.readUIntLE(27, 3) + 1)
  let frames = 0
  for (let at = 12, steps = 0; at + 8 <= webp.length; steps++) {
    if (steps === MOST_STEPS) return undefined
    if (webp.toString('latin1', at, at + 4) === 'ANMF') frames++
    const size = webp.readUInt32LE(at + 4)
    at += 8 + size + (size % 2)
  }
  return area * Math.max(1, frames * WEBP_FRAME)
}
