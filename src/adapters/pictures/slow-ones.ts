// Pictures that took all the time of a thread: asked again, because others may have had a part in it, and judged when alone.
import { unseen, type Picture } from './messages.ts'

/** What is forgotten gets its first chance again. */
const REMEMBERED = 1_000

export interface SlowOnes {
  /** It is to be read again only when there is nothing else to do: it must not take a thread from others twice. */
  has(sha256: string): boolean
  /** What is said of it: `too-slow`, which is for good, only where it was so twice, and the second time nobody else worked. */
  judged(sha256: string, alone: boolean, picture: Picture): Picture
}

export function createSlowOnes(): SlowOnes {
  const slow = new Set<string>()
  return {
    has: (sha256) => slow.has(sha256),
    judged(sha256, alone, picture) {
      const wasSlow = slow.delete(sha256)
      const isPassing = picture.state === 'unseen' && (picture.fault === 'busy' || picture.fault === 'timed-out')
      if (isPassing && wasSlow) slow.add(sha256)
      if (picture.state === 'seen' || picture.fault !== 'too-slow') return picture
      if (wasSlow && alone) return picture
      const [oldest] = slow.size >= REMEMBERED ? slow : []
      if (oldest !== undefined) slow.delete(oldest)
      slow.add(sha256)
      return unseen('busy', `${picture.message}, perhaps because of others; it is read again when there are none`)
    },
  }
}
