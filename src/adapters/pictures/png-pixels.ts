// The pixels of a PNG in its bytes, as browsers come by them: how far they go, and what a short palette means.
import { crc32 } from 'node:zlib'

export interface PixelBytes {
  /** As they are packed, in one. */
  readonly packed: Buffer
  /** Whether all pieces that there are lie side by side and are intact; otherwise browsers stop sooner. */
  readonly isWhole: boolean
  /** No further than one more than `MOST_PIECES`. */
  readonly pieces: number
}

/** Encoders write pieces of 4 kilobytes and more. Each takes a microsecond, and some list of it memory, whenever it is passed. */
export const MOST_PIECES = 20_000

/**
 * Up to the first chunk that is another one, or to one whose sum is wrong, which is the last that is shown. libpng reads on, as
 * libvips asks it to. Copied as they come: a list of a million pieces, each of one byte, would fill the memory.
 */
export function pixelBytesOf(png: Buffer): PixelBytes {
  const packed = Buffer.allocUnsafe(png.length)
  let [length, pieces, isOver, isWhole] = [0, 0, false, true]
  for (let at = 8; at + 8 <= png.length && isWhole && pieces <= MOST_PIECES;) {
    const end = at + 12 + png.readUInt32BE(at)
    const type = png.readUInt32BE(at + 4)
    if (type === IEND) break
    if (type === IDAT && isOver) isWhole = false
    else if (type === IDAT) {
      pieces++
      if (end > at + 12) length += png.copy(packed, length, at + 8, Math.min(end - 4, png.length))
      isWhole = isIntact(png, at, end)
    } else isOver = pieces > 0
    at = end
  }
  return { packed: packed.subarray(0, length), isWhole, pieces }
}
const [IDAT, IEND] = [0x49_44_41_54, 0x49_45_4e_44] as const

/** Decoders differ in whether they pass over a chunk that is not. */
export const isIntact = (png: Buffer, at: number, end: number): boolean =>
  end <= png.length && crc32(png.subarray(at + 4, end - 4)) === png.readUInt32BE(end - 4)

/** Of three bytes each, one for every value that a sample can have. */
const COLOUR = 3

/**
 * With a palette of a colour for every value that samples can have, the last one standing in: Chromium shows that for a
 * value beyond, libpng black, and the shape of what lies there is another picture. The same bytes where nothing is amiss.
 */
export function withWholePalette(png: Buffer): Buffer {
  const [depth, kind] = [png[24] ?? 8, png[25]]
  if (kind !== PALETTE || depth > 8) return png
  for (let at = 8, n = 0; at + 12 <= png.length && n < MOST_CHUNKS; n++) {
    const length = png.readUInt32BE(at)
    const end = at + 12 + length
    const type = png.toString('latin1', at + 4, at + 8)
    if (type === 'IDAT' || end > png.length) break
    if (type === 'PLTE') {
      const missing = 2 ** depth - length / COLOUR
      if (missing <= 0 || length < COLOUR || length % COLOUR !== 0 || !isIntact(png, at, end)) return png
      const last = png.subarray(end - 4 - COLOUR, end - 4)
      const palette = Buffer.concat([png.subarray(at + 8, end - 4), ...Array.from({ length: missing }, () => last)])
      return Buffer.concat([png.subarray(0, at), chunk('PLTE', palette), png.subarray(end)])
    }
    at = end
  }
  return png
}
const PALETTE = 3
/** Before the pixels; what is beyond is no picture of anybody. */
export const MOST_CHUNKS = 1_000

export function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
