// The pictures of one listing on their way to the threads: a few at once, and no more of them in all than one listing may cost.
import {
  isPassing,
  type Picture,
  type PictureFault,
  type SeenPicture,
  type UnseenPicture,
  unseen,
} from '../../imaging/picture.ts'
import { createSlots } from './slots.ts'

export interface LaneOptions {
  /** At once: the next one queues behind what others asked for meanwhile. */
  readonly width: number
  /** That all of them may cost, weighed as the reader weighs what one may have. */
  readonly mostPixels: number
  readonly pixelsOf: (picture: SeenPicture) => number
  /** From so many on one is dear. */
  readonly dearPixels: number
}

/** The dearest that are decoded take a millisecond for so many: what was broken costs its time. */
export const PIXELS_PER_MS = 50_000

/** What took all of its time is `busy` at first, because others may have been to blame. */
const SLOW: ReadonlySet<PictureFault> = new Set(['too-slow', 'busy', 'timed-out'])

/**
 * A hundred pictures of a kilobyte can be two minutes of decoding. Beyond what one listing may cost they are not read, which
 * no waiting mends. The first goes alone, because it shows what the others may be like, and each dear one leaves
 * fewer of them at once.
 */
export function createLane(options: LaneOptions): (work: () => Promise<Picture>) => Promise<Picture> {
  const { width, mostPixels, pixelsOf } = options
  const slots = createSlots(1)
  let wide = 1
  let widest = width
  let spent = 0
  return async (work) => {
    await slots.take()
    let dear = true
    try {
      if (spent >= mostPixels) return beyond(mostPixels)
      const began = performance.now()
      const picture = await work()
      if (picture.state === 'seen') spent += pixelsOf(picture)
      else if (!isPassing(picture)) spent += (performance.now() - began) * PIXELS_PER_MS
      dear = isDear(picture, options)
      return picture
    } finally {
      if (dear) widest = Math.max(1, widest - 1)
      if (wide > widest) wide -= 1
      else slots.release()
      if (!dear && wide < widest) {
        wide += 1
        slots.release()
      }
    }
  }
}

/** It holds a thread for long, or had all the time there is. */
export function isDear(
  picture: Picture,
  { pixelsOf, dearPixels }: Pick<LaneOptions, 'pixelsOf' | 'dearPixels'>,
): boolean {
  return picture.state === 'seen' ? pixelsOf(picture) >= dearPixels : SLOW.has(picture.fault)
}

const beyond = (mostPixels: number): UnseenPicture =>
  unseen(
    'too-many-pixels',
    `the pictures of this listing that were read before have ${mostPixels} pixels, as many as are read of one`,
  )
