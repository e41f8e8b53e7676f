// The images of a listing to pictures: got from where they are, read in threads, within bounds that one listing cannot stretch.
import type { Picture, PictureFault, UnseenPicture } from '../../imaging/picture.ts'
import { createAdmission, type Ended } from './admission.ts'
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
  /** Pictures by URL that are asked for at once, of all hosts and of one. */
  readonly gettingAtOnce: number
  readonly gettingPerHost: number
  /** Of pictures by URL that have come and are not read yet; one must fit. Beyond, they are `busy`. */
  readonly bytesInHand: number
  /** Pictures that wait for a thread or are in one: the reader's own queue must never be full of them. */
  readonly readingAtOnce: number
  /** Milliseconds that reading one may take with its wait for a thread; then it is busy, and what decides goes on. */
  readonly readingMs: number
  /** How each picture ended: `seen`, or its fault. */
  readonly onResult?: (result: 'seen' | PictureFault) => void
}

export function createPictureSource(options: PictureSourceOptions): PictureSource {
  const { reader, budgetMs, readingAtOnce, readingMs, onResult } = options
  const admission = createAdmission({
    atOnce: options.gettingAtOnce,
    perHost: options.gettingPerHost,
    bytes: options.bytesInHand,
  })
  const reading = createSlots(readingAtOnce)
  const once = createReadingOnce()

  async function read(got: Got, until: AbortSignal | undefined): Promise<Picture> {
    if (got.state !== 'got') return got
    return await once(got.sha256, () => limited(readingMs, until, (limit) => reader.read(got.bytes, got.sha256, limit)))
  }

  const isFetched = (image: ImageReference): boolean => image.data === undefined && options.urls !== undefined

  /** `work` gets the bytes while it has a turn with the reader; `ended` is told when the host is done with. */
  async function withBytes<T>(
    image: ImageReference,
    until: AbortSignal,
    ended: Ended | undefined,
    work: (got: Got) => Promise<T>,
  ): Promise<T> {
    if (!isFetched(image))
      return await inTurn(async () =>
        work(image.data === undefined ? NOT_FETCHED : await options.inline.get(image, until)),
      )
    const fetched = (await options.urls?.get(image, until)) ?? NOT_FETCHED
    const bytes = fetched.state === 'got' ? fetched.bytes.length : 0
    // Before the end is told: whoever begins with that must see what is held.
    const putDown = fetched.state === 'got' ? admission.hold(bytes) : undefined
    ended?.(hostOf(image), howOf(fetched), bytes)
    if (fetched.state !== 'got') return await work(fetched)
    if (putDown === undefined) return await work(TOO_MANY)
    try {
      return await inTurn(() => work(fetched))
    } finally {
      putDown()
    }
  }

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    await reading.take()
    try {
      return await work()
    } finally {
      reading.release()
    }
  }

  return {
    async look(images, until) {
      const hosts = images.filter(isFetched).map(hostOf)
      // All at once: the time that waiting for a turn takes is nobody's fault, so the clock starts behind it.
      const ended = hosts.length === 0 ? undefined : await admission.begin(hosts)
      const pictures = await limited(budgetMs, until, (limit) =>
        Promise.all(images.map((image) => withBytes(image, limit, ended, (got) => read(got, until)))),
      )
      for (const picture of pictures) onResult?.(picture.state === 'seen' ? 'seen' : picture.fault)
      return pictures
    },

    async keep(image, { sha256 }) {
      const ended = isFetched(image) ? await admission.begin([hostOf(image)]) : undefined
      // Asked for by the hash of what was judged: a picture that was swapped meanwhile is not kept in its place.
      return await limited(budgetMs, undefined, (limit) =>
        withBytes({ ...image, sha256 }, limit, ended, async (got) =>
          got.state === 'got' ? await reader.keep(got.bytes, got.sha256) : undefined,
        ),
      )
    },
  }
}

const NOT_FETCHED: UnseenPicture = { state: 'unseen', fault: 'not-fetched', message: 'URLs are not followed here' }
const TOO_MANY: UnseenPicture = {
  state: 'unseen',
  fault: 'busy',
  message: 'too many bytes of pictures wait to be read',
}

const howOf = (got: Got): Parameters<Ended>[1] =>
  got.state === 'got' ? 'brought' : got.fault === 'timed-out' ? 'late' : 'otherwise'

/** What is no URL costs no host anything. */
const hostOf = ({ url = '' }: ImageReference): string => URL.parse(url)?.host ?? ''

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
