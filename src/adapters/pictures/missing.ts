// How much of a damaged picture is not there: where much is, what is left is no longer like the picture that the banks know.
import { constants, createInflate } from 'node:zlib'
import type { Sharp } from 'sharp'
import { isTimeout } from './faults.ts'
import type { Format } from './formats.ts'
import { bytesOfLines, lastChunkOf, MOST_LINES } from './mended.ts'
import type { Pixels } from './messages.ts'
import { pixelBytesOf } from './png-pixels.ts'

/**
 * Of 13 photographs none is beyond 31 bits with a twelfth missing, 2 are with an eighth, all with a seventh (README). So much
 * less is missing of what honest sellers send that merely lacks its end.
 */
export const MOST_MISSING = 0.08

interface Rows {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: number
}

/**
 * From 0 to 1. Of JPEG the rows at the end that are the decoder's fill, of PNG the scan lines that do not unpack,
 * of WebP the bytes that its last picture lacks. `decode` gives what is stored, in some hundred rows.
 */
export async function missingOf(bytes: Uint8Array, format: Format, decode: () => Promise<Rows>): Promise<number> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (format) {
    case 'jpeg':
      return filledRows(await decode(), format)
    case 'png':
      // Larger ones are not mended: what a decoder drops of them is more than what is missing.
      return (bytesOfLines(view) ?? 0) > MOST_LINES ? filledRows(await decode(), format) : await missingLines(view)
    case 'webp':
      return missingBytes(view)
    case 'gif':
      // Counted in its codes before (gif-frames.ts).
      return 0
    case 'avif':
      // What is damaged of it is not seen at all.
      return 0
  }
}

/** Whether the last pixels are what a JPEG is filled with where it has an end mark too soon; a profile may move it. */
export function seemsCut({ data, width, channels }: Pixels): boolean {
  const [row, first] = [data.subarray(-width * channels), data.at(-channels) ?? 0]
  return first > 64 && first < 192 && row.every((level, at) => level === row[at % channels])
}

/** Of as many rows as are told apart in a hash. */
export async function rowsOf(stored: Sharp): Promise<Rows> {
  const { data, info } = await stored
    .resize(64, 512, { fit: 'fill', kernel: 'nearest', withoutEnlargement: true })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { data, ...info }
}

/**
 * Whether a decoder that is told to mind everything minds something. libvips has one text of errors for all threads, and sharp
 * takes an empty one for success: where another thread emptied it, what tells is that nothing was counted. @throws out of time.
 */
export async function isWarnedOf(stored: Sharp): Promise<boolean> {
  try {
    return (await stored.stats()).channels.length === 0
  } catch (error) {
    if (isTimeout(error)) throw error
    return true
  }
}

/** What libjpeg makes of nothing: the middle of each channel, of CMYK as libvips shows it where profiles are passed over. */
const FILLS = [
  [128, 128, 128],
  [83, 73, 68],
] as const
const ROUNDING = 3

/** libjpeg decodes what is missing to that, libpng leaves it transparent, or black where nothing is transparent. */
function filledRows({ data, width, height, channels }: Rows, format: 'jpeg' | 'png'): number {
  const fill = data.subarray(-channels)
  const isFill =
    format === 'png'
      ? fill.every((level, at) => level === 0 || (channels === 4 && at < 3 && fill[3] === 0))
      : FILLS.some((one) => fill.every((level, at) => Math.abs(level - (one[at] ?? 0)) <= ROUNDING))
  if (!isFill) return 0
  const isFilled = (at: number): boolean => Math.abs((data[at] ?? 0) - (fill[at % channels] ?? 0)) <= 1
  let filled = 0
  for (let y = height; y > 0; y--) {
    // A row that ends in fill is missing that far: JPEG is cut within rows of blocks.
    const [from, to] = [(y - 1) * width * channels, y * width * channels]
    let at = to
    while (at > from && isFilled(at - 1)) at--
    if (to - at < channels) break
    filled += to - at
  }
  return filled / data.length
}

/** Of plain ones those at the end, of interlaced ones the finest. */
async function missingLines(png: Buffer): Promise<number> {
  const length = bytesOfLines(png)
  if (length === undefined || length === 0) return 1
  const inflate = createInflate({ finishFlush: constants.Z_SYNC_FLUSH })
  inflate.end(pixelBytesOf(png).packed)
  let there = 0
  try {
    // Nothing of it is held: a header may claim gigabytes.
    for await (const piece of inflate as AsyncIterable<Uint8Array>) {
      there += piece.length
      if (there >= length) break
    }
  } catch {
    // What does not unpack is not there.
  }
  return Math.max(0, 1 - there / length)
}

const PIXELS: ReadonlySet<string> = new Set(['VP8 ', 'VP8L', 'ALPH', 'ANMF'])

function missingBytes(webp: Buffer): number {
  const missing = webp.readUInt32LE(4) + 8 - webp.length
  const last = lastChunkOf(webp)
  // Behind the pixels stands what is told of them.
  if (!PIXELS.has(webp.toString('latin1', last, last + 4))) return 0
  const size = webp.readUInt32LE(last + 4)
  return missing <= 0 || size === 0 ? 0 : Math.min(1, missing / size)
}
