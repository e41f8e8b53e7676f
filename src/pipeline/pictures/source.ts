// The images of a listing to pictures: got from where they are, read in threads, within bounds that one listing cannot stretch.
import type { Picture, PictureFault, UnseenPicture } from '../../imaging/picture.ts'
import type { Got, ImageReference, PictureFetcher, PictureReader, PictureSource } from './ports.ts'
import { createReadingOnce } from './reading-once.ts'
import { createSlots } from './slots.ts'

export interface PictureSourceOptions {
  readonly inline: PictureFetcher
  /** undefined: URLs are not followed. */
  readonly urls: PictureFetcher | undefined
  readonly reader: PictureReader
  /** Milliseconds that getting all pictures of one listing may take; waiting for a turn and reading are not counted. */
  readonly budgetMs: number
  /** Pictures by URL under way at once, from the first byte asked for until they are read: so much lies in memory. */
  readonly gettingAtOnce: number
  /** Pictures that wait for a thread or are in one: the reader's own queue must never be full of them. */
  readonly readingAtOnce: number
  /** How each picture ended: `seen`, or its fault. */
  readonly onResult?: (result: 'seen' | PictureFault) => void
}

/** A picture that no thread takes for so long is busy: what decides must go on. */
const READING_MS = 10_000

export function createPictureSource(options: PictureSourceOptions): PictureSource {
  const { reader, budgetMs, gettingAtOnce, readingAtOnce, onResult } = options
  const getting = createSlots(gettingAtOnce)
  const reading = createSlots(readingAtOnce)
  const once = createReadingOnce()

  async function read(got: Got, until: AbortSignal | undefined): Promise<Picture> {
    if (got.state !== 'got') return got
    return await once(got.sha256, () =>
      limited(READING_MS, until, (limit) => reader.read(got.bytes, got.sha256, limit)),
    )
  }

  const isFetched = (image: ImageReference): boolean => image.data === undefined && options.urls !== undefined

  /** `work` gets the bytes while it has a turn with the reader. */
  async function withBytes<T>(image: ImageReference, until: AbortSignal, work: (got: Got) => Promise<T>): Promise<T> {
    const fetched = isFetched(image) ? await options.urls?.get(image, until) : undefined
    if (fetched?.state === 'unseen') return await work(fetched)
    await reading.take()
    try {
      return await work(fetched ?? (image.data === undefined ? NOT_FETCHED : await options.inline.get(image, until)))
    } finally {
      reading.release()
    }
  }

  return {
    async look(images, until) {
      let left = images.filter(isFetched).length
      const turns = Math.min(left, gettingAtOnce)
      // All at once: the time that waiting for a turn takes is nobody's fault, so the clock starts behind it.
      if (turns > 0) await getting.take(turns)
      const pictures = await limited(budgetMs, until, (limit) =>
        Promise.all(
          images.map(async (image) => {
            try {
              return await withBytes(image, limit, (got) => read(got, until))
            } finally {
              if (isFetched(image) && left-- <= turns) getting.release()
            }
          }),
        ),
      )
      for (const picture of pictures) onResult?.(picture.state === 'seen' ? 'seen' : picture.fault)
      return pictures
    },

    async keep(image, { sha256 }) {
      const turn = isFetched(image)
      if (turn) await getting.take()
      try {
        // Asked for by the hash of what was judged: a picture that was swapped meanwhile is not kept in its place.
        return await limited(budgetMs, undefined, (limit) =>
          withBytes({ ...image, sha256 }, limit, async (got) =>
            got.state === 'got' ? await reader.keep(got.bytes, got.sha256) : undefined,
          ),
        )
      } finally {
        if (turn) getting.release()
      }
    },
  }
}

const NOT_FETCHED: UnseenPicture = { state: 'unseen', fault: 'not-fetched', message: 'URLs are not followed here' }

/** The clock by hand: signals that are joined stay with the long-lived one for as long as that lives. */
async function limited<T>(
  milliseconds: number,
  until: AbortSignal | undefined,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController()
  const end = () => ended.abort()
  if (until?.aborted === true) end()
  const timer = setTimeout(end, milliseconds)
  until?.addEventListener('abort', end)
  try {
    return await work(ended.signal)
  } finally {
    clearTimeout(timer)
    until?.removeEventListener('abort', end)
  }
}
