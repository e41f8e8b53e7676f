// Pictures as the settings say: threads that read them, and where listings' pictures are got from.
import { availableParallelism } from 'node:os'
import { folderFetcher, inlineFetcher } from '../adapters/pictures/fetchers.ts'
import { createPictureReader } from '../adapters/pictures/reader.ts'
import { COUNTS } from '../adapters/pictures/foreseen.ts'
import type { Config } from '../config.ts'
import type { SeenPicture } from '../imaging/picture.ts'
import type { PictureFetcher, PictureReader, PictureSource } from '../pipeline/pictures/ports.ts'
import { createPictureSource } from '../pipeline/pictures/source.ts'
import type { Telemetry } from '../telemetry.ts'
import { createClosing } from './closing.ts'
import { imageFetcher } from './image-fetcher.ts'
import { noteInHand } from './in-hand.ts'

/** What is next to a busy thread waits behind it whoever sent it: one for all of them is enough to keep them busy. */
const NEXT_TO_THREADS = 1
/**
 * Of one listing, in pictures of the most pixels: 24 photographs as large as phones take them (24 megapixels) still fit, and
 * the dearest take some ten seconds of a core.
 */
const LARGEST_PER_LISTING = 12
/** Of the most pixels so large a part is dear: photographs of phones are not, and what is decoded one at a time is. */
const DEAR = 2

/** Of pictures that wait for a thread: as many as may be on their way, and more than any burst that threads keep up with. */
const IN_HAND_BYTES = 128 << 20
const IN_HAND_PICTURES = 8
/** Of a batch of 500 listings with a picture of 200 kB each, and more. */
const LATELY_BYTES = 128 << 20

const THREAD = new URL(import.meta.url.endsWith('.ts') ? './picture-thread.ts' : './picture-thread.js', import.meta.url)

/** Threads start at once; they must be closed. */
export function openReader(
  config: Config,
  { log, metrics }: Telemetry,
  look: { readonly firstFrame?: boolean; readonly inHand?: 'noted' | undefined } = {},
): PictureReader & { readonly threads: number; close(): Promise<void> } {
  const threads = config.TOUCHSTONE_IMAGE_THREADS ?? availableParallelism()
  const reader = createPictureReader({
    thread: THREAD,
    threads,
    maxPixels: config.TOUCHSTONE_IMAGE_MAX_PIXELS,
    maxBytes: config.TOUCHSTONE_IMAGE_MAX_BYTES,
    timeMs: config.TOUCHSTONE_IMAGE_READ_MS,
    firstFrame: look.firstFrame === true,
    logger: log,
    inHand: look.inHand === 'noted' ? noteInHand(config, threads, log) : undefined,
    onQueue: (pictures) => metrics.touchstone_picture_queue.set(pictures),
  })
  return {
    ...reader,
    threads,
    async read(...picture) {
      const began = performance.now()
      const read = await reader.read(...picture)
      metrics.touchstone_picture_seconds.observe((performance.now() - began) / 1000)
      return read
    },
  }
}

/** `inline`: only what listings carry; `fetch`: URLs are followed too; a folder: what lies below it too, and no URL is followed. */
export type PictureUse = 'inline' | 'fetch' | { readonly folder: string }

export interface OpenPictures {
  readonly source: PictureSource
  readonly reader: PictureReader
  close(): Promise<void>
}

/** `inHand`: noted by what is started again over the same listings, and so would meet a picture that ends it for ever. */
export function openPictures(config: Config, telemetry: Telemetry, use: PictureUse, inHand?: 'noted'): OpenPictures {
  const closing = createClosing(telemetry.log)
  const reader = openReader(config, telemetry, { inHand })
  closing.add(() => reader.close())
  const maxBytes = config.TOUCHSTONE_IMAGE_MAX_BYTES
  let urls: PictureFetcher | undefined
  if (use === 'fetch') {
    const http = imageFetcher(config, telemetry)
    closing.add(() => http.close())
    urls = http
  }
  const source = createPictureSource({
    inline: inlineFetcher(maxBytes),
    files: typeof use === 'string' ? undefined : folderFetcher(use.folder, maxBytes),
    urls,
    reader,
    budgetMs: config.TOUCHSTONE_IMAGE_BUDGET_MS,
    listingMs: config.TOUCHSTONE_IMAGE_LISTING_MS,
    // What waits for a connection is on the clock of its listing.
    gettingAtOnce: config.TOUCHSTONE_IMAGE_CONNECTIONS,
    gettingPerHost: config.TOUCHSTONE_IMAGE_HOST_CONNECTIONS,
    bytesInHand: Math.max(IN_HAND_BYTES, IN_HAND_PICTURES * maxBytes),
    bytesLately: LATELY_BYTES,
    readingAtOnce: reader.threads + NEXT_TO_THREADS,
    dearAtOnce: Math.max(1, reader.threads - 1),
    // One alone keeps every thread busy.
    readingPerListing: reader.threads,
    dearPixels: config.TOUCHSTONE_IMAGE_MAX_PIXELS / DEAR,
    pixelsPerListing: LARGEST_PER_LISTING * config.TOUCHSTONE_IMAGE_MAX_PIXELS,
    pixelsOf: (picture) => pixelsOf(picture, config.TOUCHSTONE_IMAGE_MAX_PIXELS),
    // As long again as a thread may take with it: others may be before it.
    readingMs: 2 * config.TOUCHSTONE_IMAGE_READ_MS,
    onResult: (result) => telemetry.metrics.touchstone_pictures_total.inc({ result }),
  })
  return { source, reader, close: () => closing.close() }
}

/** As the reader counts them; of an animation at most what one picture may have, which is where it stops looking at frames. */
function pixelsOf({ format, width, height, frames = [], unseenFrames }: SeenPicture, most: number): number {
  if (unseenFrames === true) return most
  return Math.min(most, width * height * COUNTS[format] * (1 + frames.length))
}
