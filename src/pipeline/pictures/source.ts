// The images of a listing to pictures: got from where they are, read in threads, within bounds that one listing cannot stretch.
import { unseen, type Picture, type PictureFault, type SeenPicture } from '../../imaging/picture.ts'
import { createLatest } from '../latest.ts'
import { createAdmission } from './admission.ts'
import type { Going } from './going.ts'
import { createLane, isDear, PIXELS_PER_MS } from './lane.ts'
import type { How } from './places.ts'
import type { Got, ImageReference, PictureFetcher, PictureReader, PictureSource, Whose } from './ports.ts'
import { createReadingOnce } from './reading-once.ts'
import { createReadingTurns, type Foreseen } from './reading-turns.ts'

export interface PictureSourceOptions {
  readonly inline: PictureFetcher
  /** For tools, whose `urls` is undefined: a picture's URL may be a path. At hand as what is inline: got when there is a turn to read it. */
  readonly files?: PictureFetcher | undefined
  /** undefined: URLs are not followed. */
  readonly urls: PictureFetcher | undefined
  readonly reader: PictureReader
  /** Milliseconds that getting all pictures of one listing may take; waiting for a turn and reading are not counted. */
  readonly budgetMs: number
  /** Milliseconds that everything may take of one listing, waiting too; what was not seen by then is `busy`, or `timed-out` where its host let us wait. */
  readonly listingMs: number
  /** Pictures by URL that are asked for at once, of all hosts and of one. */
  readonly gettingAtOnce: number
  readonly gettingPerHost: number
  /** Of pictures by URL that have come and are not read yet; one must fit. Beyond, they are `busy`. */
  readonly bytesInHand: number
  /** Of pictures by URL that were seen lately: a batch, until it is known whose pictures are kept. */
  readonly bytesLately: number
  /** Pictures that are in a thread or next to it: as few as keep threads busy, because the others are served by whose they are. */
  readonly readingAtOnce: number
  /** Of them by those whose pictures are dear. */
  readonly dearAtOnce: number
  /** Of one listing. */
  readonly readingPerListing: number
  /** That all pictures of one listing may have, and how many one counts for. */
  readonly pixelsPerListing: number
  readonly pixelsOf: (picture: SeenPicture) => number
  /** From so many on one is dear. */
  readonly dearPixels: number
  /** Milliseconds that reading one may take with its wait for a thread; then it is busy, and what decides goes on. */
  readonly readingMs: number
  /** How each picture ended: `seen`, or its fault. */
  readonly onResult?: (result: 'seen' | PictureFault) => void
}

export function createPictureSource(options: PictureSourceOptions): PictureSource {
  const { reader, budgetMs, listingMs, readingMs, onResult } = options
  const admission = createAdmission({
    atOnce: options.gettingAtOnce,
    perHost: options.gettingPerHost,
    bytes: options.bytesInHand,
  })
  const reading = createReadingTurns(options.readingAtOnce, options.dearAtOnce)
  const once = createReadingOnce()
  const lately = createLatest<Uint8Array>(options.bytesLately, (bytes) => bytes.length)

  async function read(got: Got, until: AbortSignal, fetched: boolean): Promise<Picture> {
    if (got.state !== 'got') return got
    const { bytes, sha256 } = got
    const picture = await once(sha256, () => limited(readingMs, until, (limit) => reader.read(bytes, sha256, limit)))
    // A host may serve each address once, or something else the second time.
    if (fetched && picture.state === 'seen') lately.put(sha256, bytes)
    return picture
  }

  const isFetched = (image: ImageReference): boolean => image.data === undefined && options.urls !== undefined

  /** `work` gets the bytes while it has a turn with the reader; `going` is told when the host is done with. */
  async function withBytes<T>(
    image: ImageReference,
    until: AbortSignal,
    { going, rests, onHere }: Begun & { readonly onHere?: () => void },
    lane: (weigh: () => Foreseen, work: () => Promise<T>) => Promise<T>,
    work: (got: Got) => Promise<T>,
  ): Promise<T> {
    if (!isFetched(image)) {
      const atHand = image.data === undefined ? options.files : options.inline
      return await lane(
        () => foreseenOf(image.data),
        async () => work((await atHand?.get(image, until)) ?? NOT_FETCHED),
      )
    }
    const host = hostOf(image)
    const seconds = rests(image)
    if (seconds !== undefined) return await work(silentHere(host, seconds))
    if ((await going?.place(host, until)) === false) return await work(NOT_COME)
    const fetched = (await options.urls?.get(image, until)) ?? NOT_FETCHED
    const bytes = fetched.state === 'got' ? fetched.bytes.length : 0
    // Before the end is told: whoever begins with that must see what is held.
    const putDown = fetched.state === 'got' ? admission.hold(bytes) : undefined
    going?.ended(host, howOf(fetched), bytes)
    if (fetched.state !== 'got') return await work(fetched)
    onHere?.()
    if (putDown === undefined) return await work(TOO_MANY)
    try {
      return await lane(
        () => foreseen(fetched.bytes),
        () => work(fetched),
      )
    } finally {
      putDown()
    }
  }

  function foreseen(bytes: Uint8Array): Foreseen {
    const pixels = reader.foresee(bytes)
    return { ms: pixels / PIXELS_PER_MS, dear: pixels >= options.dearPixels }
  }
  /** Unpacked once more when it has its turn: thousands may wait. */
  const foreseenOf = (data = ''): Foreseen => foreseen(Buffer.from(data, 'base64'))

  async function inTurn<T>(
    whose: Whose,
    until: AbortSignal,
    expected: Foreseen,
    work: () => Promise<T>,
    isDear: (result: T) => boolean = () => false,
  ): Promise<T | undefined> {
    const release = await reading.take(whose, until, expected)
    if (release === undefined) return undefined
    let dear = false
    try {
      const result = await work()
      dear = isDear(result)
      return result
    } finally {
      release(dear)
    }
  }

  /** The way to ask the hosts that are not resting, whose clock starts behind it; undefined when the signal was given first. */
  async function begin(
    images: readonly ImageReference[],
    whose: Whose,
    until: AbortSignal,
  ): Promise<Begun | undefined> {
    const seller = nameOf(whose)
    for (;;) {
      const resting = new Map(
        images.filter(isFetched).map((image) => [hostOf(image), admission.resting(seller, hostOf(image))]),
      )
      const rests = (image: ImageReference) => (isFetched(image) ? resting.get(hostOf(image)) : undefined)
      const hosts = images.filter((image) => isFetched(image) && rests(image) === undefined).map(hostOf)
      if (hosts.length === 0) return { going: undefined, rests }
      const going = await admission.begin(hosts, seller, until)
      if (going !== 'rests') return going === undefined ? undefined : { going, rests }
    }
  }

  async function lookAll(images: readonly ImageReference[], until: AbortSignal, whose: Whose): Promise<Picture[]> {
    const going = await begin(images, whose, until)
    if (going === undefined) return images.map(() => NO_TURN)
    const inLane = createLane({
      width: options.readingPerListing,
      mostPixels: options.pixelsPerListing,
      pixelsOf: options.pixelsOf,
      dearPixels: options.dearPixels,
    })
    const lane = (weigh: () => Foreseen, work: () => Promise<Picture>) =>
      inLane(async () => (await inTurn(whose, until, weigh(), work, (picture) => isDear(picture, options))) ?? NO_TURN)
    return await limited(budgetMs, until, (limit) =>
      Promise.all(
        images.map((image) => {
          // Once its bytes are here no host lets us wait any more.
          let late = isFetched(image) ? NOT_COME : NO_TURN
          const onHere = () => (late = NO_TURN)
          // What others read at present is waited for with them, and no longer than one's own time.
          const over = new Promise<Picture>((resolve) => until.addEventListener('abort', () => resolve(late)))
          const seeing = withBytes(image, limit, { ...going, onHere }, lane, (got) =>
            read(got, until, isFetched(image)),
          )
          return Promise.race([seeing, over])
        }),
      ),
    )
  }

  return {
    async look(images, until, whose = nobody()) {
      const pictures = await limited(listingMs, until, (limit) => lookAll(images, limit, whose))
      for (const picture of pictures) onResult?.(picture.state === 'seen' ? 'seen' : picture.fault)
      return pictures
    },

    async keep(image, { sha256 }, { size, until: end } = {}) {
      const whose = nobody()
      return await limited(listingMs, end, async (until) => {
        const bytes = lately.get(sha256)
        if (bytes !== undefined)
          return await inTurn(whose, until, foreseen(bytes), () => reader.keep(bytes, sha256, size))
        const going = await begin([image], whose, until)
        if (going === undefined) return undefined
        // Asked for by the hash of what was judged: a picture that was swapped meanwhile is not kept in its place.
        return await limited(budgetMs, until, (limit) =>
          withBytes(
            { ...image, sha256 },
            limit,
            going,
            (weigh, work) => inTurn(whose, until, weigh(), work),
            async (got) => (got.state === 'got' ? await reader.keep(got.bytes, got.sha256, size) : undefined),
          ),
        )
      })
    },
  }
}

/** How the pictures of one listing may be asked for, and for how many seconds each is not. */
interface Begun {
  /** undefined where none is. */
  readonly going: Going | undefined
  readonly rests: (image: ImageReference) => number | undefined
}

let strangers = 0
/** Somebody of their own: who is not named has no turns with others who are not. */
const nobody = (): Whose => ({ marketplace: 'nobody', sellerId: String((strangers += 1)) })

const nameOf = ({ marketplace = '', sellerId }: Whose): string => JSON.stringify([marketplace, sellerId])

const NOT_FETCHED = unseen('not-fetched', 'URLs are not followed here')
const NOT_COME = unseen('timed-out', 'it did not come in the time of its listing')
/** Our own fault, whoever sends it. */
const NO_TURN = unseen('busy', 'it had no turn with us in the time of its listing')
const silentHere = (host: string, seconds: number): Got =>
  unseen(
    'unreachable',
    `pictures of this seller at ${host} did not come of late; asked for again in about ${seconds} s`,
  )
const TOO_MANY = unseen('busy', 'too many bytes of pictures wait to be read')

const howOf = (got: Got): How => (got.state === 'got' ? 'brought' : got.fault === 'timed-out' ? 'late' : 'otherwise')

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
