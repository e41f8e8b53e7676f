// Real pictures for tests of reading, drawn and encoded on the spot, and a reader with real threads.
import { createHash } from 'node:crypto'
import sharp, { type Sharp } from 'sharp'
import { createPictureReader, type PictureReaderOptions } from '../../src/adapters/pictures/reader.ts'
import { createTelemetry } from '../../src/telemetry.ts'

/** Boxes on a wash, from 4 to 40 hundredths of a side: edges of every size, and unlike in each corner, so that every turn is another picture. */
export function drawing(width = 320, height = 240, channels: 1 | 3 | 4 = 3): Sharp {
  const data = Buffer.alloc(width * height * channels)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [x / width, y / height]
      let colour = [200 - 90 * v, 160 + 60 * u * v, 120 + 80 * u]
      for (const box of BOXES)
        if (u >= box.u && u < box.u + box.w && v >= box.v && v < box.v + box.h) colour = box.colour
      const [r = 0, g = 0, b = 0] = colour
      if (channels === 1) data[at++] = Math.round(0.299 * r + 0.587 * g + 0.114 * b)
      else for (const value of [r, g, b]) data[at++] = value
      if (channels === 4) data[at++] = u > 0.6 && v > 0.5 ? 0 : 255
    }
  }
  return sharp(data, { raw: { width, height, channels } })
}

const BOXES = Array.from({ length: 30 }, (_, i) => {
  // A number between 0 and 1 for each use, the same on every machine.
  const some = (n: number) => ((i * 7_919 + n * 104_729 + i * i * 613) % 1_009) / 1_009
  return {
    u: some(1) * 0.9,
    v: some(2) * 0.9,
    w: 0.04 + some(3) * 0.36 * (1 - i / 40),
    h: 0.04 + some(4) * 0.36 * (1 - i / 40),
    colour: [some(5) * 255, some(6) * 255, some(7) * 255],
  }
})

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const REAL_THREAD = new URL('../../src/apps/picture-thread.ts', import.meta.url)
export const WILD_THREAD = new URL('wild-picture-thread.ts', import.meta.url)

/** With the defaults of the settings, one thread, and what it says in no log. */
export function reading(options: Partial<PictureReaderOptions> = {}) {
  const reader = createPictureReader({
    thread: REAL_THREAD,
    threads: 1,
    maxPixels: 50_000_000,
    maxBytes: 16 << 20,
    timeMs: 5_000,
    logger: createTelemetry({ level: 'silent' }).log,
    ...options,
  })
  const never = new AbortController().signal
  return {
    reader,
    read: (bytes: Uint8Array, until = never) => reader.read(bytes, sha256Of(bytes), until),
    keep: (bytes: Uint8Array) => reader.keep(bytes, sha256Of(bytes)),
  }
}
