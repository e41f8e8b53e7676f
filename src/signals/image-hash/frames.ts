// Many pictures, and animations beside them: how many frames of one listing are compared, and how their look-ups let others have the event loop.
import { inTurns } from '../../imaging/in-turns.ts'
import type { Picture } from '../../imaging/picture.ts'

/**
 * Of one listing, besides the first of each picture: two full turns of a product. With a hundred thousand pictures in the
 * banks a frame takes 1 to 2 ms, with a million 5 to 10: that is what a listing's budget holds, or nearly.
 */
const MOST_FRAMES = 128

/** What is beyond counts as not looked at, from the last picture backwards. */
export function affordable(pictures: readonly Picture[]): readonly Picture[] {
  let left = MOST_FRAMES
  return pictures.map((picture) => {
    if (picture.state !== 'seen' || picture.frames === undefined) return picture
    const { length } = picture.frames
    const had = Math.min(left, length)
    left -= had
    return had === length ? picture : { ...picture, frames: picture.frames.slice(0, had), unseenFrames: true as const }
  })
}

/** Pictures and frames that are compared without a break: some 3 ms with a hundred thousand pictures in the banks, 20 with a million. */
const AT_ONCE = 4

/** Begun at once and, where there are many, done in turns with whatever else waits. */
export function searched<T, R>(steps: Generator<void, T>, many: boolean, then: (found: T) => R): R | Promise<R> {
  if (many) return inTurns(steps).then(then)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return then(value)
  }
}

export const isMany = (pictures: readonly Picture[]): boolean =>
  pictures.reduce((sum, one) => sum + (one.state === 'seen' ? 1 + (one.frames?.length ?? 0) : 0), 0) > AT_ONCE
