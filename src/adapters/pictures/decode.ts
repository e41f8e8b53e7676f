// Bytes of strangers to pixels, inside a thread: sniffed, measured by the header, and only then decoded, within bounds.
import sharp, { type KernelEnum, type SharpOptions } from 'sharp'
import { formatOf, type Format } from './formats.ts'
import { unseen, type Pixels, type UnseenPicture } from './messages.ts'
import { isSwapped, upright } from './upright.ts'

export interface Opened {
  readonly state: 'opened'
  readonly format: Format
  /** In pixels, upright. */
  readonly width: number
  readonly height: number
  /** Bytes of memory that decoding may take, at most about. */
  readonly memory: number
  /**
   * Upright, sRGB, on white; shrunk into `side` by `side` where a shrink is named (`inside` keeps its shape), never enlarged.
   * @throws what libvips says: broken, truncated, or out of time.
   */
  pixels(shrink?: {
    readonly side: number
    readonly fit: 'fill' | 'inside'
    readonly kernel: keyof KernelEnum
  }): Promise<Pixels>
}

/** libvips calls the container HEIF; its only codec here is AV1. */
const LOADED_AS: Readonly<Record<Format, string>> = { jpeg: 'jpeg', png: 'png', webp: 'webp', gif: 'gif', avif: 'heif' }

const LOADERS = ['JpegBuffer', 'PngBuffer', 'WebpBuffer', 'HeifBuffer', 'NsgifBuffer']

/** Bytes a pixel at the peak, measured at 48 megapixels: interlaced 16-bit PNG, progressive JPEG without subsampling, AVIF. */
const MEMORY: Readonly<Record<Format, number>> = { jpeg: 6, png: 8, webp: 4, gif: 5, avif: 18 }

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
const COUNTS: Readonly<Record<Format, number>> = { jpeg: 1, png: 2, webp: 1, gif: 1, avif: 3 }

/** Of the whole process, whichever thread says it: nothing but the five is loaded, nothing is remembered. */
export function limitLibvips(): void {
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: LOADERS.map((name) => `VipsForeignLoad${name}`) })
  // Every picture comes once: a cache would only hold memory.
  sharp.cache(false)
  // The threads that we start are the parallelism.
  sharp.concurrency(1)
}

/** Never rejects. Reads the header only. */
export async function open(
  bytes: Uint8Array,
  limits: { readonly maxPixels: number; readonly timeMs: number },
): Promise<Opened | UnseenPicture> {
  const format = formatOf(bytes)
  if (format === undefined)
    return unseen('not-a-picture', `${bytes.length} bytes that are none of JPEG, PNG, WebP, AVIF and GIF`)
  // `truncated` refuses what lacks pixels and takes what merely has odd metadata, as browsers do. A first page only: of an
  // animation the first frame is what a shop shows.
  const input: SharpOptions = { failOn: 'truncated', limitInputPixels: limits.maxPixels, page: 0, pages: 1 }
  const meta = await sharp(bytes, { ...input, limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => faultOf(error, format))
  if ('state' in meta) return meta
  const { width: w, height: h, orientation } = meta
  if (meta.format !== LOADED_AS[format] || (format === 'avif' && meta.compression !== 'av1'))
    return unseen('not-a-picture', `begins as ${format} and is read as ${meta.format}`)
  const most = Math.floor(limits.maxPixels / COUNTS[format])
  if (w * h > most) return unseen('too-many-pixels', `${w} × ${h} pixels; of ${format} at most ${most} are decoded`)
  const turned = isSwapped(orientation)
  return {
    state: 'opened',
    format,
    width: turned ? h : w,
    height: turned ? w : h,
    memory: w * h * MEMORY[format],
    async pixels(shrink) {
      const decoding = sharp(bytes, input).timeout({ seconds: secondsOf(limits.timeMs) })
      if (shrink !== undefined) {
        const { side, fit, kernel } = shrink
        const [across, down] = fit === 'fill' ? [Math.min(w, side), Math.min(h, side)] : [side, side]
        decoding.resize(across, down, { fit, kernel, withoutEnlargement: true })
      }
      const { data, info } = await decoding
        .flatten({ background: '#ffffff' })
        .toColourspace('srgb')
        .raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true })
      if (info.channels !== 1 && info.channels !== 3) throw new Error(`${info.channels} channels after conversion`)
      return upright({ data, width: info.width, height: info.height, channels: info.channels }, orientation)
    },
  }
}

/** libvips stops by itself, in whole seconds, a little before the thread would be ended for it. */
const secondsOf = (timeMs: number): number => Math.max(1, Math.ceil(timeMs / 1_000) - 1)

/** What libvips could not do with it. */
export function faultOf(error: unknown, format: Format): UnseenPicture {
  const said = error instanceof Error ? error.message : String(error)
  if (said.startsWith('timeout')) return unseen('too-slow', `the ${format} took too long to decode`)
  // One line, and not a novel: libvips repeats itself for every scan line.
  const [line = ''] = said.split('\n', 1)
  return unseen('not-a-picture', `a ${format} that cannot be read: ${line.slice(0, 200)}`)
}
