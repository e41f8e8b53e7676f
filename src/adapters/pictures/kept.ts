// The form in which a picture is kept for who reviews: WebP of our own making; of an animation all frames that were judged, in turns.
import sharp from 'sharp'
import type { Opened } from './decode.ts'
import type { Job, Pixels } from './messages.ts'

/** Large enough to see a seam or a logo, small enough to keep a million. */
const SIDE = 768
/** Of one among many: half the bytes (33 kB of a photograph instead of 62) and half the time to encode (12 ms instead of 22). */
const SMALL_SIDE = 512
const SHRUNK = { fit: 'inside', kernel: 'lanczos3' } as const
const sideOf = (size: Job['size']): number => (size === 'small' ? SMALL_SIDE : SIDE)
const WEBP = { quality: 80, effort: 2 } as const

/** All frames together have the pixels of so many pictures: up to eight at full size, 64 of 271 pixels a side. */
const MOST_PICTURES = 8
/** What people see longest stands longest here too, so that it is the picture of what is kept as well. */
const FIRST_MS = 2_000
const NEXT_MS = 500

export async function keptStill(opened: Opened, frame: number, size?: Job['size']): Promise<Uint8Array> {
  const { data, ...raw } = await opened.pixels({ ...SHRUNK, side: sideOf(size) }, frame)
  return new Uint8Array(await sharp(data, { raw }).webp(WEBP).toBuffer())
}

/** At least two frames, the one that counts most first; in whatever shape they were hashed. */
export async function keptAnimation(
  opened: Opened,
  frames: readonly Pixels[],
  size?: Job['size'],
): Promise<Uint8Array> {
  const side = Math.floor(sideOf(size) * Math.min(1, Math.sqrt(MOST_PICTURES / frames.length)))
  const shrink = Math.min(1, side / Math.max(opened.width, opened.height))
  const [width, height] = [opened.width, opened.height].map((one) => Math.max(1, Math.round(one * shrink)))
  const strip: Buffer[] = []
  for (const { data, ...raw } of frames)
    strip.push(
      await sharp(data, { raw })
        .resize(width, height, { fit: 'fill', kernel: SHRUNK.kernel })
        .toColourspace('srgb')
        .raw()
        .toBuffer(),
    )
  const raw = {
    width: width ?? 1,
    height: (height ?? 1) * frames.length,
    channels: 3,
    pageHeight: height ?? 1,
  } as const
  const delay = frames.map((_, at) => (at === 0 ? FIRST_MS : NEXT_MS))
  return new Uint8Array(
    await sharp(Buffer.concat(strip), { raw })
      .webp({ ...WEBP, delay, loop: 0 })
      .toBuffer(),
  )
}
