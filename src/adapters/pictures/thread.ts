// What runs in each thread: one job after the other, bytes in, a picture or its re-encoded form out.
import { parentPort, workerData } from 'node:worker_threads'
import type { KeptFrame, KeptPicture } from '../../domain/kept-picture.ts'
import { open, type Film, type Opened } from './decode.ts'
import { faultOf, isTimeout } from './faults.ts'
import { hexOf, keptHashes } from './forms.ts'
import { keptAnimation, keptStill } from './kept.ts'
import { quietLibvips } from './libvips.ts'
import { MOST_MISSING } from './missing.ts'
import { createTellingApart, MOST_DIFFERENT } from './frames.ts'
import {
  unseen,
  type Answer,
  type HashedPicture,
  type HashPixels,
  type Job,
  type Picture,
  type Pixels,
  type ThreadData,
} from './messages.ts'
import { takeTurn } from './turn.ts'

/**
 * Up to here a picture is hashed from all of its pixels: 0 to 2 bits from Meta's published hashes, where a shrink before it
 * costs up to 8, and no slower (8 against 13 to 20 ms at 1024 pixels). Beyond, the 12 MB of pixels begin to weigh.
 */
const WHOLE_PIXELS = 1 << 22
/** The side to which Meta's implementation reduces a picture as well; `linear` was the nearest to the full path. */
const HASHED = { side: 512, fit: 'fill', kernel: 'linear' } as const

interface Shown extends HashedPicture {
  readonly frame: number
  readonly pixels: Pixels
}

interface Looked {
  /** The frame that people look at longest, among those that are not blank. */
  readonly best: Shown
  readonly others: readonly Shown[]
  /** Nothing that people see was left out. */
  readonly all: boolean
}

/** Answers every job of the main thread; to be called once, by the file that the threads are started with. */
export function servePictures(hashPixels: HashPixels): void {
  const data = workerData as ThreadData
  quietLibvips()
  const answer = createAnswering(hashPixels, data)
  parentPort?.on('message', (job: Job) => {
    void answer(job).then((said) => {
      const body = said.kind === 'keep' ? said.kept?.body.buffer : undefined
      parentPort?.postMessage(said, body instanceof ArrayBuffer ? [body] : [])
    })
  })
  // From here on its time counts: before, Node was loading.
  parentPort?.postMessage('ready', [])
}

/** Never rejects: what is wrong with a picture is its answer. */
export function createAnswering(hashPixels: HashPixels, data: ThreadData): (job: Job) => Promise<Answer> {
  async function within<T>(
    job: Job,
    work: (opened: Opened) => Promise<T>,
  ): Promise<T | Extract<Picture, { state: 'unseen' }>> {
    const opened = await open(job.bytes, data)
    if (opened.state === 'unseen') return opened
    // Half of its time is for waiting: the other half must be left for decoding.
    const turn = takeTurn(data.heavy, data.thread, opened.memory, data.timeMs / 2)
    if (turn === undefined)
      return unseen('busy', `${opened.width} × ${opened.height} pixels had to wait for others as large`)
    try {
      return await work(opened)
    } catch (error) {
      return faultOf(error, opened.format)
    } finally {
      turn.release()
    }
  }

  const hashed = (opened: Opened, frame: number) =>
    opened.pixels(opened.width * opened.height > WHOLE_PIXELS ? HASHED : undefined, frame)

  async function looked(opened: Opened): Promise<Looked> {
    if (data.firstFrame) return await lookedAtFirst(opened)
    const film = await opened.film()
    return film === undefined ? await lookedAtSome(opened) : lookedAtAll(opened, film)
  }

  async function lookedAtFirst(opened: Opened): Promise<Looked> {
    const frame = opened.first
    const pixels = await hashed(opened, frame)
    const all = opened.allFrames && opened.frames.length === 1
    return { best: { ...hashPixels(pixels), frame, pixels }, others: [], all }
  }

  /** Every frame that is unlike those before it; what counts most comes first, where there are too many. */
  function lookedAtAll(opened: Opened, film: Film): Looked {
    const isNew = createTellingApart()
    const hashed: Shown[] = []
    let all = true
    for (const frame of new Set([...opened.frames, ...Array.from({ length: film.frames }, (_, at) => at)])) {
      const pixels = film.at(frame)
      if (!isNew(pixels)) continue
      if (hashed.length === MOST_DIFFERENT) {
        all = false
        break
      }
      hashed.push({ ...hashPixels(pixels), frame, pixels })
    }
    const [best, ...others] = hashed.filter(({ blank }) => !blank)
    const shown = best ?? hashed[0]
    if (shown === undefined) throw new Error('an animation without frames')
    return { best: shown, others, all }
  }

  /** Frame by frame; later ones that do not come are left out. */
  async function lookedAtSome(opened: Opened): Promise<Looked> {
    const blanks: Shown[] = []
    const others: Shown[] = []
    let best: Shown | undefined
    let failed: unknown
    for (const frame of opened.frames) {
      try {
        const pixels = await hashed(opened, frame)
        const found = { ...hashPixels(pixels), frame, pixels }
        if (found.blank) blanks.push(found)
        else if (best === undefined) best = found
        else others.push(found)
      } catch (error) {
        if (isTimeout(error)) throw error
        failed = error
      }
    }
    best ??= blanks[0]
    if (best === undefined) throw failed
    return { best, others, all: opened.allFrames && failed === undefined }
  }

  async function see(job: Job, opened: Opened): Promise<Picture> {
    const { best, others, all } = await looked(opened)
    const missing = await opened.missing()
    if (opened.damaged() && best.blank)
      return unseen('not-a-picture', `a damaged ${opened.format}, of which nothing can be seen that could be compared`)
    const { hash, variants, blank } = best
    return {
      state: 'seen',
      sha256: job.sha256,
      format: opened.format,
      width: opened.width,
      height: opened.height,
      hash,
      variants,
      blank,
      ...(others.length === 0
        ? {}
        : { frames: others.map(({ hash, variants, blank }) => ({ hash, variants, blank })) }),
      ...(all ? {} : { unseenFrames: true as const }),
      ...(opened.shownOtherwise ? { shownOtherwise: true as const } : {}),
      ...(opened.damaged() ? { damaged: true as const } : {}),
      ...(missing > MOST_MISSING ? { unseenPart: true as const } : {}),
    }
  }

  async function keep(job: Job, opened: Opened): Promise<KeptPicture | undefined> {
    const { best, others } = await looked(opened)
    const { frame, pixels: whole, hash, blank } = best
    if (opened.damaged() && blank) return undefined
    const plain = { hash: hexOf(hash.bytes), quality: hash.quality, forms: [], variants: [] }
    const hashes = blank ? plain : await keptHashes(best, whole, hashPixels)
    const frames: KeptFrame[] = []
    for (const other of others) frames.push(await keptHashes(other, other.pixels, hashPixels))
    const body =
      others.length === 0
        ? await keptStill(opened, frame, job.size)
        : await keptAnimation(opened, [whole, ...others.map(({ pixels }) => pixels)], job.size)
    return {
      sha256: job.sha256,
      ...hashes,
      blank,
      ...(frames.length === 0 ? {} : { frames }),
      width: opened.width,
      height: opened.height,
      body,
    }
  }

  return async (job) => {
    if (job.kind === 'read') return { kind: 'read', picture: await within(job, (opened) => see(job, opened)) }
    const kept = await within(job, (opened) => keep(job, opened))
    return { kind: 'keep', kept: kept === undefined || 'state' in kept ? undefined : kept }
  }
}
