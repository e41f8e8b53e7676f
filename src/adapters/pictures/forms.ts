// Forms derived from a picture that is kept, hashed like itself: what a copy of it may look like that its own hash is far from.
import sharp from 'sharp'
import type { KeptFrame } from '../../domain/kept-picture.ts'
import type { HashedPicture, HashPixels, Pixels } from './messages.ts'

/**
 * Of 114 photos of 240 pixels, brightened (times 1.08, 1.15 and 1.25), halved and encoded again, 2 of 342 escape with forms,
 * as JPEG 70, JPEG 80 and WebP 80 alike; without them 61, 63 and 58.
 */
const BRIGHTENED = 1.2
/** By level: a table takes a twentieth of the time that a function for each level does. */
const BRIGHTER = Uint8Array.from({ length: 256 }, (_, level) => Math.min(255, level * BRIGHTENED))

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What is kept of a picture that is not blank, and of half its size, and that brightened, in the order of `DERIVED_FORMS`. */
export async function keptHashes(whole: HashedPicture, pixels: Pixels, hashPixels: HashPixels): Promise<KeptFrame> {
  const half = await halved(pixels)
  const data = new Uint8Array(half.data.length)
  for (let at = 0; at < data.length; at++) data[at] = BRIGHTER[half.data[at] ?? 0] ?? 0
  const forms = [half, { ...half, data }].map((form) => hashPixels(form))
  return {
    hash: hexOf(whole.hash.bytes),
    quality: whole.hash.quality,
    forms: forms.map(({ hash, blank }) => (blank ? '0'.repeat(2 * hash.bytes.length) : hexOf(hash.bytes))),
    variants: [whole, ...forms.filter(({ blank }) => !blank)].flatMap(({ variants }) => variants.map(hexOf)),
  }
}

async function halved({ data, width, height, channels }: Pixels): Promise<Pixels> {
  const { data: half, info } = await sharp(data, { raw: { width, height, channels } })
    .resize(Math.max(1, Math.round(width / 2)), Math.max(1, Math.round(height / 2)), { fit: 'fill' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data: half, width: info.width, height: info.height, channels }
}
