// Bytes of strangers to pixels, inside a thread: sniffed, measured by the header, and only then decoded, within bounds.
import sharp, { type KernelEnum, type Metadata, type SharpOptions } from 'sharp'
import { apngOf, framesOf, played, shrunk, withAlpha, type Apng } from './apng.ts'
import { faultOf, isTimeout } from './faults.ts'
import { COUNTS, foreseenPixels, SCANS } from './foreseen.ts'
import { formatOf, isSequence, type Format } from './formats.ts'
import { framesToSee, seesWhole } from './frames.ts'
import { displayed, powerOf } from './gamma.ts'
import { mended } from './mended.ts'
import { isWarnedOf, missingOf, rowsOf, seemsCut } from './missing.ts'
import { unseen, type Pixels, type UnseenPicture } from './messages.ts'
import { withWholePalette } from './png-pixels.ts'
import { isOrdinaryProfile, type Samples } from './profiles.ts'
import { isSwapped, upright } from './upright.ts'
import { weighed } from './weighed.ts'

export interface Opened {
  readonly state: 'opened'
  readonly format: Format
  /** In pixels, upright. */
  readonly width: number
  readonly height: number
  /** Bytes of memory that decoding may take, at most about. */
  readonly memory: number
  /** Of an animation those that count most, what people see longest first; 0 of any other picture. */
  readonly frames: readonly number[]
  /** The one that other tools see. */
  readonly first: number
  /** Whether these are all that there are to see. */
  readonly allFrames: boolean
  /** Its samples are no ordinary sRGB, and what browsers show is another picture than this one. */
  readonly shownOtherwise: boolean
  /**
   * Upright, sRGB, on white; shrunk into `side` by `side` where a shrink is named (`inside` keeps its shape), never enlarged.
   * What is broken or ends too soon is decoded as far as a browser shows it, in what is left of the same time.
   * @throws what libvips says: not to be decoded at all, or out of time.
   */
  pixels(shrink?: Shrink, frame?: number): Promise<Pixels>
  /**
   * All frames of an animation, decoded in one go, in their order; undefined of any other picture, of one that costs more
   * than a picture may, and of one that cannot be decoded to its end. @throws out of time.
   */
  film(): Promise<Film | undefined>
  /** Of what was decoded until now. */
  damaged(): boolean
  /** How much of it is not there, 0 to 1; to be asked when it was decoded. @throws out of time. */
  missing(): Promise<number>
}

export interface Film {
  readonly frames: number
  at(frame: number): Pixels
}

export interface Shrink {
  readonly side: number
  readonly fit: 'fill' | 'inside'
  readonly kernel: keyof KernelEnum
}

/** libvips calls the container HEIF; its only codec here is AV1. */
const LOADED_AS: Readonly<Record<Format, string>> = { jpeg: 'jpeg', png: 'png', webp: 'webp', gif: 'gif', avif: 'heif' }

/** Bytes a pixel at the peak, measured at 48 megapixels: interlaced 16-bit PNG, progressive JPEG without subsampling, AVIF. */
const MEMORY: Readonly<Record<Format, number>> = { jpeg: 6, png: 8, webp: 4, gif: 5, avif: 18 }

/**
 * And so many where frames are passed over on the way to another, which cannot be interrupted either: noise in WebP takes 75 ms
 * a megapixel of frames passed, in GIF 8.
 */
const MOVING_COUNTS: Readonly<Record<Format, number>> = { jpeg: 1, png: 1, webp: 2, gif: 1, avif: 1 }

/** Bytes a pixel besides, where all of a picture is decoded to four channels before it is shrunk. */
const UNSHRUNK = 8

/** Never rejects. Reads the header only. */
export async function open(
  sent: Uint8Array,
  limits: { readonly maxPixels: number; readonly timeMs: number },
): Promise<Opened | UnseenPicture> {
  const format = formatOf(sent)
  if (format === undefined)
    return unseen('not-a-picture', `${sent.length} bytes that are none of JPEG, PNG, WebP, AVIF and GIF`)
  const bytes = format === 'png' ? withWholePalette(Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength)) : sent
  const weight = weighed(bytes, format)
  if ('state' in weight) return weight
  const opening = await headerOf(bytes, format, weight.isBroken).catch((error: unknown) => faultOf(error, format))
  if ('state' in opening) return opening
  const { meta, page } = opening
  const { width: w, height: h, orientation } = meta
  if (meta.format !== LOADED_AS[format] || (format === 'avif' && meta.compression !== 'av1'))
    return unseen('not-a-picture', `begins as ${format} and is read as ${meta.format}`)
  const most = Math.floor(limits.maxPixels / COUNTS[format])
  if (w * h > most) return unseen('too-many-pixels', `${w} × ${h} pixels; of ${format} at most ${most} are decoded`)
  // It had its turn for what its header says.
  if (w * h * COUNTS[format] > foreseenPixels(sent, limits.maxPixels))
    return unseen('not-a-picture', `${w} × ${h} pixels, more than its header says`)
  if (weight.decoded > most)
    return unseen(
      'too-many-pixels',
      `${weight.decoded} pixels in all its parts; of ${format} at most ${most} are decoded`,
    )
  if (w * h * weight.scans > limits.maxPixels * SCANS)
    return unseen('too-many-pixels', `${w} × ${h} pixels in ${weight.scans} scans`)
  const { gamma, hasMoreFrames, isShownOtherwise, ignoresProfile: ignoreIcc } = weight.colouring
  const profile = weight.colouring.profile ?? meta.icc
  const power = powerOf(gamma)
  const passed = Math.floor(most / MOVING_COUNTS[format])
  const moving = hasMoreFrames && !opening.damaged ? apngOf(Buffer.from(bytes)) : undefined
  const layers = moving?.layers.length ?? 0
  const count = moving === undefined ? (meta.pages ?? 1) : layers + Number(moving.isPictureApart)
  const isFilm = page === 0 && count > 1 && format !== 'avif' && seesWhole(count, w * h, passed)
  const apng = isFilm ? moving : undefined
  const isAnimated = isFilm || (page === 0 && (meta.pages ?? 1) > 1 && format !== 'avif')
  // The picture of an animated PNG itself, in the place behind its frames where it is none of them.
  const first = apng?.isPictureApart === true ? layers : page
  const { frames, all } =
    apng !== undefined
      ? { frames: framesOf(apng, w * h, passed, first), all: true }
      : isAnimated
        ? framesToSee({ frames: count, delays: meta.delay ?? [], loops: meta.loop ?? 0, area: w * h }, passed)
        : { frames: [page], all: !isSequence(bytes) && !hasMoreFrames }
  const turned = isSwapped(orientation)
  let { file, damaged } = opening
  let isCut = false
  let until: number | undefined

  /** What is asked of libvips, and the seconds that are left for it. */
  const loading = (failOn: Failing, options: SharpOptions = {}, of: Uint8Array = file) => {
    until ??= performance.now() + limits.timeMs
    const left = until - performance.now()
    if (left <= 0) throw new Error('timeout')
    const input: SharpOptions = { failOn, limitInputPixels: limits.maxPixels, ...options }
    return sharp(of, input).timeout({ seconds: secondsOf(left) })
  }

  /** From one frame on so many, one below the other, as they are stored. */
  async function decoded(failOn: FailOn, frame: number, shrink?: Shrink, pages = 1): Promise<Pixels> {
    const stored = loading(failOn, { page: apng === undefined ? frame : 0, pages, ignoreIcc })
    const decoding = power === undefined ? stored : await displayed(stored, power)
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
    const pixels: Pixels = { data, width: info.width, height: info.height, channels: info.channels }
    isCut ||= format === 'jpeg' && seemsCut(pixels)
    return pixels
  }

  /** Strictly first, and where that fails as browsers do. */
  const shown = async (decode: (failOn: FailOn) => Promise<Pixels>): Promise<Pixels> => {
    if (!damaged) {
      try {
        return await decode('truncated')
      } catch (error) {
        if (isTimeout(error)) throw error
        damaged = true
        file = mended(bytes, format)
      }
    }
    return await decode('none')
  }

  async function layerOf(png: Buffer): Promise<Uint8Array> {
    const stored = loading('truncated', { ignoreIcc }, png)
    return await withAlpha(power === undefined ? stored : await displayed(stored, power))
  }

  async function playedFilm(moving: Apng): Promise<Film> {
    const pictures: Pixels[] = []
    for await (const picture of played(moving, w, h, layerOf)) pictures.push(upright(picture, orientation))
    if (moving.isPictureApart) pictures.push(upright(await decoded('truncated', first), orientation))
    return {
      frames: pictures.length,
      at(frame) {
        const picture = pictures[frame]
        if (picture === undefined) throw new Error(`no frame ${frame}`)
        return picture
      },
    }
  }

  return {
    state: 'opened',
    format,
    width: turned ? h : w,
    height: turned ? w : h,
    // The frame before lies beside the one that is drawn over it; of a film all frames lie in memory, in three channels.
    memory:
      Math.max(w * h, weight.held) *
      (MEMORY[format] * (isAnimated ? 2 : 1) + (isFilm ? 3 * count : 0) + (power === undefined ? 0 : UNSHRUNK)),
    frames,
    first,
    allFrames: all && (!isAnimated || frames.length === count),
    shownOtherwise:
      isShownOtherwise || (profile !== undefined && !ignoreIcc && !isOrdinaryProfile(profile, samplesOf(meta))),
    async pixels(shrink, frame = frames[0] ?? 0) {
      if (apng === undefined || frame === first)
        return upright(await shown((failOn) => decoded(failOn, frame, shrink)), orientation)
      const film = await playedFilm(apng)
      return await shrunk(film.at(frame), shrink)
    },
    async film() {
      if (!isFilm) return undefined
      try {
        if (apng !== undefined) return await playedFilm(apng)
        const { data, height, ...strip } = await shown((failOn) => decoded(failOn, 0, undefined, count))
        if (height !== h * count) return undefined
        const size = data.length / count
        const at = (frame: number) => data.subarray(frame * size, (frame + 1) * size)
        return { frames: count, at: (frame) => upright({ ...strip, height: h, data: at(frame) }, orientation) }
      } catch (error) {
        if (isTimeout(error)) throw error
        return undefined
      }
    },
    damaged: () => damaged,
    async missing() {
      // An end mark behind what is there: a decoder warns of that as of much that is harmless.
      if (!damaged && isCut) damaged = await isWarnedOf(loading('warning'))
      // With its end mark nothing more is missing.
      else if (damaged && format === 'jpeg' && !(await isWarnedOf(loading('warning')))) return 0
      if (!damaged || format === 'gif') return weight.missing
      return await missingOf(bytes, format, () => rowsOf(loading('none', { ignoreIcc: true })))
    },
  }
}

type FailOn = 'truncated' | 'none'
type Failing = FailOn | 'warning'

interface Opening {
  readonly meta: Metadata
  /** The picture that is shown: of several in an AVIF its primary one, the first of all others. */
  readonly page: number
  readonly file: Uint8Array
  readonly damaged: boolean
}

/** `truncated` refuses what lacks pixels and takes what merely has odd metadata; where it refuses, what browsers show is tried. */
async function headerOf(bytes: Uint8Array, format: Format, isBroken: boolean): Promise<Opening> {
  const read = (file: Uint8Array, failOn: FailOn, page: number) =>
    sharp(file, { failOn, limitInputPixels: false, page, pages: 1 }).metadata()
  try {
    if (isBroken) throw new Error('browsers show less of it')
    const meta = await read(bytes, 'truncated', 0)
    const page = meta.pagePrimary ?? 0
    return { meta: page === 0 ? meta : await read(bytes, 'truncated', page), page, file: bytes, damaged: false }
  } catch {
    const file = mended(bytes, format)
    const meta = await read(file, 'none', 0)
    const page = meta.pagePrimary ?? 0
    return { meta: page === 0 ? meta : await read(file, 'none', page), page, file, damaged: true }
  }
}

/** libvips stops by itself, in whole seconds, a little before the thread would be ended for it. */
const secondsOf = (timeMs: number): number => Math.max(1, Math.ceil(timeMs / 1_000) - 1)

function samplesOf({ space }: Metadata): Samples {
  if (space === 'cmyk') return 'CMYK'
  return space === 'b-w' || space === 'grey16' ? 'GRAY' : 'RGB '
}
