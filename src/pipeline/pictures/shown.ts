// What a listing shows, under a name that follows from it alone: written before anything is decided, it counts with the decision that names it.
import { createHash } from 'node:crypto'
import { hexOf, type Picture } from '../../imaging/picture.ts'
import type { ShownSet } from './ports.ts'

/** Of one listing: far more than are kept of it. */
const MOST_NOTED = 24

/**
 * undefined where nothing was seen but blank pictures. Tried again the same pictures have the same name, in whatever
 * worker; whoever sends another's listingId with other pictures only has a name that no decision on it will say.
 */
export function shownBy(listingId: string, pictures: readonly Picture[]): ShownSet | undefined {
  const seen = pictures.flatMap((picture) =>
    picture.state === 'seen' && !picture.blank ? [hexOf(picture.hash.bytes)] : [],
  )
  const hashes = [...new Set(seen)].slice(0, MOST_NOTED).toSorted()
  if (hashes.length === 0) return undefined
  return { listingId, hashes, digest: createHash('sha256').update(hashes.join('\n')).digest('hex') }
}
