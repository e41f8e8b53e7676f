// The pictures of one listing on their way to the threads: a few at once, and no more of them in all than one listing may cost.
import {
  isPassing,
  type Picture,
  type PictureFault,
  type SeenPicture,
  type UnseenPicture,
} from '../../imaging/picture.ts'
import { createSlots } from './slots.ts'

export interface LaneOptions {
  /** At once: the next one queues behind what others asked for meanwhile. */
  readonly width: number
  /** That all of them may cost, weighed as the reader weighs what one may have. */
  readonly mostPixels: number
  readonly pixelsOf: (picture: SeenPicture) => number
}

/** The dearest that are decoded take a millisecond for so many: what was broken costs its time. */
const PIXELS_PER_MS = 50_000

/** What took all of its time is `busy` at first, because others may have been to blame. */
const SLOW: ReadonlySet<PictureFault> = new Set(['too-slow', 'busy', 'timed-out'])

/**
 * A hundred pictures of a kilobyte can be two minutes of decoding. Beyond what one listing may cost they are not read, which
 * no waiting mends; where one took all of its time, the rest goes one by one.
 */
export function createLane({
  width,
  mostPixels,
  pixelsOf,
}: LaneOptions): (work: () => Promise<Picture>) => Promise<Picture> {
  const slots = createSlots(width)
  let left = width
  let spent = 0
  return async (work) => {
    await slots.take()
    let narrower = false
    try {
      if (spent >= mostPixels) return beyond(mostPixels)
      const began = performance.now()
      const picture = await work()
      if (picture.state === 'seen') spent += pixelsOf(picture)
      else if (!isPassing(picture)) spent += (performance.now() - began) * PIXELS_PER_MS
      narrower = left > 1 && picture.state === 'unseen' && SLOW.has(picture.fault)
      return picture
    } finally {
      if (narrower) left -= 1
      else slots.release()
    }
  }
}

const beyond = (mostPixels: number): UnseenPicture => ({
  state: 'unseen',
  fault: 'too-many-pixels',
  message: `the pictures of this listing that were read before have ${mostPixels} pixels, as many as are read of one`,
})
