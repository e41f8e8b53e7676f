// What runs in each thread: one job after the other, bytes in, a picture or its re-encoded form out.
import { parentPort, workerData } from 'node:worker_threads'
import sharp from 'sharp'
import type { KeptPicture } from '../../pipeline/pictures/ports.ts'
import { faultOf, limitLibvips, open, type Opened } from './decode.ts'
import { formsOf } from './forms.ts'
import { unseen, type Answer, type HashPixels, type Job, type Picture, type ThreadData } from './messages.ts'
import { takeTurn } from './turn.ts'

/**
 * Up to here a picture is hashed from all of its pixels: 0 to 2 bits from Meta's published hashes, where a shrink before it
 * costs up to 8, and no slower (8 against 13 to 20 ms at 1024 pixels). Beyond, the 12 MB of pixels begin to weigh.
 */
const WHOLE_PIXELS = 1 << 22
/** The side to which Meta's implementation reduces a picture as well; `linear` was the nearest to the full path. */
const HASHED = { side: 512, fit: 'fill', kernel: 'linear' } as const
/** Large enough to see a seam or a logo, small enough to keep a million. */
const KEPT = { side: 768, fit: 'inside', kernel: 'lanczos3' } as const

/** Answers every job of the main thread; to be called once, by the file that the threads are started with. */
export function servePictures(hashPixels: HashPixels): void {
  const data = workerData as ThreadData
  limitLibvips()
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

  const hashed = (opened: Opened) => opened.pixels(opened.width * opened.height > WHOLE_PIXELS ? HASHED : undefined)

  const see = async (job: Job, opened: Opened) => ({
    state: 'seen' as const,
    sha256: job.sha256,
    format: opened.format,
    width: opened.width,
    height: opened.height,
    ...hashPixels(await hashed(opened)),
  })

  async function keep(job: Job, opened: Opened): Promise<KeptPicture> {
    const whole = await hashed(opened)
    const { hash, blank } = hashPixels(whole)
    const forms = blank ? [] : await formsOf(whole, hashPixels)
    const { data: pixels, ...raw } = await opened.pixels(KEPT)
    const encoded = await sharp(pixels, { raw }).webp({ quality: 80, effort: 2 }).toBuffer()
    return {
      sha256: job.sha256,
      hash: Buffer.from(hash.bytes).toString('hex'),
      quality: hash.quality,
      blank,
      forms,
      width: opened.width,
      height: opened.height,
      body: new Uint8Array(encoded),
    }
  }

  return async (job) => {
    if (job.kind === 'read') return { kind: 'read', picture: await within(job, (opened) => see(job, opened)) }
    const kept = await within(job, (opened) => keep(job, opened))
    return { kind: 'keep', kept: 'state' in kept ? undefined : kept }
  }
}
