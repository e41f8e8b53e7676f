// The images of a listing to pictures: got from where they are, read in threads, within bounds that one listing cannot stretch.
import type { Picture, PictureFault, UnseenPicture } from '../../imaging/picture.ts'
import { createAdmission, type Ended } from './admission.ts'
import type { Got, ImageReference, PictureFetcher, PictureReader, PictureSource } from './ports.ts'
import { createLately } from './lately.ts'
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
  /** Of pictures by URL that were seen lately: a batch, until it is known whose pictures are kept. */
  readonly bytesLately: number
  /** Pictures that wait for a thread or are in one: the reader's own queue must never be full of them. */
  readonly readingAtOnce: number
  /** Of one listing: the next one queues behind what others asked for meanwhile. */
  readonly readingPerListing: number
  /** Milliseconds that reading one may take with its wait for a thread; then it is busy, and what decides goes on. */
  readonly readingMs: number
  /** How each picture ended: `seen`, or its fault. */
  readonly onResult?: (result: 'seen' | PictureFault) => void
}

export function createPictureSource(options: PictureSourceOptions): PictureSource {
  const { reader, budgetMs, readingAtOnce, readingPerListing, readingMs, onResult } = options
  const admission = createAdmission({
    atOnce: options.gettingAtOnce,
    perHost: options.gettingPerHost,
    bytes: options.bytesInHand,
  })
  const reading = createSlots(readingAtOnce)
  const once = createReadingOnce()
  const lately = createLately(options.bytesLately)

  async function read(got: Got, until: AbortSignal | undefined, fetched: boolean): Promise<Picture> {
    if (got.state !== 'got') return got
    const { bytes, sha256 } = got
    const picture = await once(sha256, () => limited(readingMs, until, (limit) => reader.read(bytes, sha256, limit)))
    // A host may serve each address once, or something else the second time.
    if (fetched && picture.state === 'seen') lately.put(sha256, bytes)
    return picture
  }

  const isFetched = (image: ImageReference): boolean => image.data === undefined && options.urls !== undefined

  /** `work` gets the bytes while it has a turn with the reader; `ended` is told when the host is done with. */
  async function withBytes<T>(
    image: ImageReference,
    until: AbortSignal,
    ended: Ended | undefined,
    lane: (work: () => Promise<T>) => Promise<T>,
    work: (got: Got) => Promise<T>,
  ): Promise<T> {
    if (!isFetched(image))
      return await lane(async () =>
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
      return await lane(() => work(fetched))
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

  /**
   * Of one listing. A hundred pictures of a kilobyte can be a minute of decoding: they take turns with those of others, and
   * where one took all of its time, the rest goes one by one.
   */
  function listingLane(): (work: () => Promise<Picture>) => Promise<Picture> {
    const own = createSlots(readingPerListing)
    let width = readingPerListing
    return async (work) => {
      await own.take()
      let narrower = false
      try {
        const picture = await inTurn(work)
        narrower = width > 1 && picture.state === 'unseen' && SLOW.has(picture.fault)
        return picture
      } finally {
        if (narrower) width -= 1
        else own.release()
      }
    }
  }

  return {
    async look(images, until) {
      const hosts = images.filter(isFetched).map(hostOf)
      // All at once: the time that waiting for a turn takes is nobody's fault, so the clock starts behind it.
      const ended = hosts.length === 0 ? undefined : await admission.begin(hosts)
      const lane = listingLane()
      const pictures = await limited(budgetMs, until, (limit) =>
        Promise.all(
          images.map((image) => withBytes(image, limit, ended, lane, (got) => read(got, until, isFetched(image)))),
        ),
      )
      for (const picture of pictures) onResult?.(picture.state === 'seen' ? 'seen' : picture.fault)
      return pictures
    },

    async keep(image, { sha256 }) {
      const bytes = lately.get(sha256)
      if (bytes !== undefined) return await inTurn(() => reader.keep(bytes, sha256))
      const ended = isFetched(image) ? await admission.begin([hostOf(image)]) : undefined
      // Asked for by the hash of what was judged: a picture that was swapped meanwhile is not kept in its place.
      return await limited(budgetMs, undefined, (limit) =>
        withBytes({ ...image, sha256 }, limit, ended, inTurn, async (got) =>
          got.state === 'got' ? await reader.keep(got.bytes, got.sha256) : undefined,
        ),
      )
    },
  }
}

/** What took all of its time is `busy` at first, because others may have been to blame. */
const SLOW: ReadonlySet<PictureFault> = new Set(['too-slow', 'busy', 'timed-out'])

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
