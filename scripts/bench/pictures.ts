// The pictures that the measurements read, drawn here: the same ones in every run, in the formats and sizes that shops show.
import { createHash } from 'node:crypto'
import sharp, { type Sharp } from 'sharp'
import type { Pixels } from '../../src/imaging/pdq.ts'

type Encode = (picture: Sharp) => Sharp
export const ENCODE = {
  jpeg: (picture) => picture.jpeg({ quality: 82 }),
  webp: (picture) => picture.webp({ quality: 80 }),
  png: (picture) => picture.png(),
  avif: (picture) => picture.avif({ quality: 55, effort: 1 }),
} as const satisfies Record<string, Encode>

/** A coarse pattern enlarged to `side` by three quarters of it: edges and washes, as a photograph has; the same for the same `n`. */
export async function drawnPicture(n: number, side: number, encode: Encode): Promise<Buffer> {
  const coarse = Buffer.from(
    Array.from({ length: 24 * 24 * 3 }, (_, i) => createHash('md5').update(`${n}/${i}`).digest()[0] ?? 0),
  )
  const enlarged = await sharp(coarse, { raw: { width: 24, height: 24, channels: 3 } })
    .resize(side, Math.round(side * 0.75), { fit: 'fill' })
    .png()
    .toBuffer()
  return await encode(sharp(enlarged)).toBuffer()
}

/** What no reader of pictures could do without: all pixels of a file that is trusted. */
export async function barePixels(bytes: Uint8Array): Promise<Pixels> {
  const decoding = sharp(bytes, { failOn: 'truncated' }).flatten({ background: '#ffffff' }).toColourspace('srgb').raw()
  const { data, info } = await decoding.toBuffer({ resolveWithObject: true })
  if (info.channels !== 3) throw new Error(`${info.channels} channels`)
  return { data, width: info.width, height: info.height, channels: 3 }
}
