// The images of a listing to pictures: got from where they are, read in threads, within bounds that one listing cannot stretch.
import type { Picture, PictureFault, SeenPicture, UnseenPicture } from '../../imaging/picture.ts'
import type { Got, ImageReference, PictureFetcher, PictureReader, PictureSource } from './ports.ts'
import { createSlots } from './slots.ts'

export interface PictureSourceOptions {
  readonly inline: PictureFetcher
  /** undefined: URLs are not followed. */
  readonly urls: PictureFetcher | undefined
  readonly reader: PictureReader
  /** Milliseconds that getting all pictures of one listing may take; waiting for a turn and reading are not counted. */
  readonly budgetMs: number
  /** How each picture ended: `seen`, or its fault. */
  readonly onResult?: (result: 'seen' | PictureFault) => void
}

/**
 * Pictures under way at once, from the first byte asked for until they are read: so much waits for hosts, and so much
 * lies in memory. At 100 pictures a second it is read in 3 s, and 500 listings with one picture each on a host that does
 * not answer take two time limits together. More than one listing may have.
 */
const UNDER_WAY = 256
/** A picture that no thread takes for so long is busy: what decides must go on. */
const READING_MS = 10_000
/** Sellers show the same picture again and again; with its eight hashes one takes about a kilobyte. */
const REMEMBERED = 10_000

export function createPictureSource(options: PictureSourceOptions): PictureSource {
  const { reader, budgetMs, onResult } = options
  const slots = createSlots(UNDER_WAY)
  const remembered = new Map<string, SeenPicture>()

  const get = async (image: ImageReference, until: AbortSignal): Promise<Got> => {
    const fetcher = image.data === undefined ? options.urls : options.inline
    return fetcher === undefined ? NOT_FETCHED : await fetcher.get(image, until)
  }

  const read = async (bytes: Uint8Array, sha256: string, until: AbortSignal | undefined): Promise<Picture> => {
    const before = remembered.get(sha256)
    if (before !== undefined) return before
    const picture = await limited(READING_MS, until, (limit) => reader.read(bytes, sha256, limit))
    if (picture.state === 'seen') {
      const [oldest] = remembered.size >= REMEMBERED ? remembered.keys() : []
      if (oldest !== undefined) remembered.delete(oldest)
      remembered.set(sha256, picture)
    }
    return picture
  }

  return {
    async look(images, until) {
      if (images.length === 0) return []
      // All at once: the time that waiting for a turn takes is nobody's fault, so the clock starts behind it.
      await slots.take(images.length)
      const clock = createClock(budgetMs, until)
      const pictures = await Promise.all(
        images.map(async (image): Promise<Picture> => {
          try {
            const got = await get(image, clock.signal)
            return got.state === 'got' ? await read(got.bytes, got.sha256, until) : got
          } finally {
            slots.release()
          }
        }),
      )
      clock.stop()
      for (const picture of pictures) onResult?.(picture.state === 'seen' ? 'seen' : picture.fault)
      return pictures
    },

    async keep(image, { sha256 }) {
      await slots.take()
      const clock = createClock(budgetMs, undefined)
      try {
        // Asked for by the hash of what was judged: a picture that was swapped meanwhile is not kept in its place.
        const got = await get({ ...image, sha256 }, clock.signal)
        return got.state === 'got' ? await reader.keep(got.bytes, got.sha256) : undefined
      } finally {
        clock.stop()
        slots.release()
      }
    },
  }
}

const NOT_FETCHED: UnseenPicture = { state: 'unseen', fault: 'not-fetched', message: 'URLs are not followed here' }

interface Clock {
  readonly signal: AbortSignal
  stop(): void
}

/** By hand: signals that are joined stay with the long-lived one for as long as that lives. */
function createClock(milliseconds: number, until: AbortSignal | undefined): Clock {
  const ended = new AbortController()
  const end = () => ended.abort()
  const timer = setTimeout(end, milliseconds)
  until?.addEventListener('abort', end)
  return {
    signal: ended.signal,
    stop() {
      clearTimeout(timer)
      until?.removeEventListener('abort', end)
    },
  }
}

async function limited<T>(
  milliseconds: number,
  until: AbortSignal | undefined,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const clock = createClock(milliseconds, until)
  try {
    return await work(clock.signal)
  } finally {
    clock.stop()
  }
}
