// The reader of pictures: each is decoded and hashed in a thread, so that neither a bomb nor a large one holds up the gate.
import type { Logger } from '../../telemetry.ts'
import type { PictureReader } from '../../pipeline/pictures/ports.ts'
import type { InHand } from './in-hand.ts'
import { foreseenPixels } from './foreseen.ts'
import { limitLibvips } from './libvips.ts'
import { unseen, type Answer, type Job, type Picture, type ThreadData, type UnseenPicture } from './messages.ts'
import { createSlowOnes } from './slow-ones.ts'
import { createThreads, type Lost } from './threads.ts'
import { releaseTurn } from './turn.ts'

export interface PictureReaderOptions {
  /** The file that each thread runs: it hands its hash to `servePictures`. */
  readonly thread: URL
  readonly threads: number
  readonly maxPixels: number
  readonly maxBytes: number
  /** That decoding and hashing of one picture may take. */
  readonly timeMs: number
  /** Of an animation only the first frame, which is what other tools hash; what else there is counts as unseen. */
  readonly firstFrame?: boolean
  readonly logger: Logger
  /** For a process that is started again and again over the same pictures; closed with the reader. */
  readonly inHand?: InHand | undefined
  /** Pictures that wait for a thread, whenever that changes. */
  readonly onQueue?: (pictures: number) => void
}

/** Waiting pictures hold their bytes: so many for each thread are some seconds of work, and twice what the flows send. */
const WAITING_PER_THREAD = 128

/** The threads are started at once; they keep no process alive while they are idle. */
export function createPictureReader(
  options: PictureReaderOptions,
): PictureReader & { close(): Promise<void>; queue(): number } {
  // Before the first thread. It loads sharp here too, for good: the shared libraries must stay when a thread ends (its notes).
  limitLibvips()
  const heavy = new Int32Array(new SharedArrayBuffer(4))
  const threads = createThreads<Job, Answer>({
    entry: options.thread,
    count: options.threads,
    dataOf: (thread): ThreadData => ({
      thread,
      heavy,
      maxPixels: options.maxPixels,
      timeMs: options.timeMs,
      firstFrame: options.firstFrame === true,
    }),
    packed,
    timeMs: options.timeMs,
    maxWaiting: options.threads * WAITING_PER_THREAD,
    logger: options.logger,
    witness: options.inHand,
    onGone: (thread) => releaseTurn(heavy, thread),
    onWaiting: options.onQueue ?? (() => undefined),
  })

  const slow = createSlowOnes()

  return {
    async read(bytes, sha256, until) {
      if (bytes.length > options.maxBytes)
        return unseen('too-large', `${bytes.length} bytes; at most ${options.maxBytes} are read`)
      const refused = options.inHand?.refused(sha256)
      if (refused !== undefined) return refused
      if (slow.has(sha256) && !threads.idle())
        return unseen('busy', 'it took all of its time before, and is read again when there is nothing else to do')
      const { answer, alone } = await threads.run({ kind: 'read', bytes, sha256 }, until)
      return slow.judged(sha256, alone, pictureOf(answer, options.timeMs))
    },
    async keep(bytes, sha256, size) {
      if (bytes.length > options.maxBytes || options.inHand?.refused(sha256) !== undefined) return undefined
      const { answer } = await threads.run({ kind: 'keep', bytes, sha256, size }, undefined)
      return typeof answer !== 'string' && answer.kind === 'keep' ? answer.kept : undefined
    },
    foresee: (bytes) => (bytes.length > options.maxBytes ? 0 : foreseenPixels(bytes, options.maxPixels)),
    queue: () => threads.waiting(),
    async close() {
      await threads.close()
      options.inHand?.close()
    },
  }
}

/** Copied, because the caller still needs it, and because a view would be sent with all of the buffer that it looks at. */
function packed(job: Job) {
  const bytes = new Uint8Array(job.bytes)
  return { message: { ...job, bytes }, moved: [bytes.buffer] }
}

function pictureOf(answer: Answer | Lost, timeMs: number): Picture {
  if (typeof answer === 'string') return lost(answer, timeMs)
  return answer.kind === 'read' ? answer.picture : unseen('busy', 'the answer to another question came')
}

function lost(what: Lost, timeMs: number): UnseenPicture {
  switch (what) {
    case 'busy':
      return unseen('busy', 'no thread was free in time')
    case 'closed':
      return unseen('busy', 'the reader is closing')
    case 'timed-out':
      // Whose bytes are here did not let us wait.
      return unseen('busy', `not decoded in the time that was left, at most ${timeMs} ms`)
    case 'too-slow':
      return unseen('too-slow', `not decoded within ${timeMs} ms`)
    case 'died':
      // One job at a time: it was this picture that did it, and would again.
      return unseen('not-a-picture', 'the thread that decoded it ended over it')
  }
}
