// A picture that ends too soon, made whole for a decoder that shows nothing of such files where browsers show what is there.
import { deflateSync, inflateSync, constants } from 'node:zlib'
import type { Format } from './formats.ts'
import { chunk, pixelBytesOf } from './png-pixels.ts'

/** What is invented never outgrows what may be sent: a header can claim gigabytes. */
const MOST_PADDING = 16 << 20

/**
 * Alternating bits: lossless WebP takes zeros for a code that it refuses, at 1 to 1,000 missing bytes of a drawing. Read
 * otherwise than what is missing they may be used up faster, so there are a million more than are missing.
 */
const FILL = 0xaa
const SPARE = 1 << 20

const END_OF_IMAGE = Buffer.from([0xff, 0xd9])

/** Scan lines of a PNG that are held whole, twice over: 16 megapixels of colour. Larger ones stay as they are. */
export const MOST_LINES = 48 << 20

/**
 * With an end mark where a JPEG lacks it; the same bytes where the decoder needs no help (GIF), where nothing is missing, and where nothing
 * can be done: an AVIF that lacks a byte is corrupt to the AV1 decoder, whatever stands in its place.
 */
export function mended(bytes: Uint8Array, format: Format): Uint8Array {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (format === 'webp') return filled(view) ?? bytes
  if (format === 'png') return lined(view) ?? bytes
  // Half of the mark may be there.
  if (format === 'jpeg') return Buffer.concat([view.at(-1) === 0xff ? view.subarray(0, -1) : view, END_OF_IMAGE])
  return bytes
}

/** What a decoder makes of the fill stands behind what is there: rows that are whole stay what they were. */
function filled(view: Buffer): Uint8Array | undefined {
  if (view.length < 20) return undefined
  const missing = view.readUInt32LE(4) + 8 - view.length
  if (missing <= 0 || missing > MOST_PADDING) return undefined
  const last = lastChunkOf(view)
  // Frames lie in chunks within chunks: there the sizes stay, and what is missing of the last frame is all that is filled.
  const isFrame = view.toString('latin1', last, last + 4) === 'ANMF'
  const file = Buffer.concat([
    view,
    Buffer.alloc(isFrame ? missing : missing + SPARE + ((view.length + missing) % 2), FILL),
  ])
  if (!isFrame) {
    file.writeUInt32LE(file.length - 8, 4)
    file.writeUInt32LE(file.length - last - 8, last + 4)
  }
  return file
}

/** Where the last chunk of a WebP begins, also one that is not all there. */
export function lastChunkOf(webp: Buffer): number {
  let last = 12
  for (let at = last; at + 8 <= webp.length;) {
    last = at
    const size = webp.readUInt32LE(at + 4)
    at += 8 + size + (size % 2)
  }
  return last
}

/** By interlaced pass: where it begins and how far its pixels lie apart, across and down (PNG, 8.2). */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const
const WHOLE = [[0, 0, 1, 1]] as const
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/**
 * A PNG with black for the scan lines that are missing: of an interlaced one that lacks its last libpng gives nothing, of
 * others it drops all of a chunk that is not all there.
 */
function lined(view: Buffer): Uint8Array | undefined {
  const length = bytesOfLines(view)
  if (length === undefined || length > MOST_LINES) return undefined
  const before: Buffer[] = [view.subarray(0, 8)]
  for (let at = 8; at + 8 <= view.length;) {
    const end = at + 12 + view.readUInt32BE(at)
    if (view.toString('latin1', at + 4, at + 8) === 'IDAT') break
    before.push(view.subarray(at, end))
    at = end
  }
  try {
    const there = inflateSync(pixelBytesOf(view).packed, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: length,
    })
    const lines = Buffer.concat([there, Buffer.alloc(length - there.length)])
    return Buffer.concat([...before, chunk('IDAT', deflateSync(lines, { level: 1 })), chunk('IEND', Buffer.alloc(0))])
  } catch {
    // Rubbish that does not inflate, or to more than the header says.
    return undefined
  }
}

/** That all scan lines of a PNG have together, unpacked; undefined where its header makes no sense. */
export function bytesOfLines(png: Buffer): number | undefined {
  const channels = CHANNELS[png[25] ?? 1]
  if (png.length <= 33 || channels === undefined) return undefined
  const [width, height, depth] = [png.readUInt32BE(16), png.readUInt32BE(20), png[24] ?? 8]
  let length = 0
  for (const [left, top, across, down] of png[28] === 1 ? PASSES : WHOLE) {
    const columns = Math.ceil((width - left) / across)
    if (columns > 0) length += Math.ceil((height - top) / down) * (1 + Math.ceil((columns * channels * depth) / 8))
  }
  return length
}
