// What a listing shows, under a name that follows from it alone: written before anything is decided, it counts with the decision that names it.
import { createHash } from 'node:crypto'
import { LISTING_LIMITS } from '../../domain/listing.ts'
import { hexOf, type Picture } from '../../imaging/picture.ts'
import type { ShownSet } from './ports.ts'

/** Of one listing: as many as it may list, and other frames of animations as far as there is room, which are compared too. */
const MOST_NOTED = LISTING_LIMITS.images

/**
 * undefined where nothing was seen but blank pictures. Tried again the same pictures have the same name, in whatever
 * worker; whoever sends another's listingId with other pictures only has a name that no decision on it will say.
 */
export function shownBy(listingId: string, pictures: readonly Picture[]): ShownSet | undefined {
  const seen = pictures.flatMap((picture) => (picture.state === 'seen' && !picture.blank ? [picture] : []))
  const compared = [...seen, ...seen.flatMap(({ frames = [] }) => frames)].map(({ hash }) => hexOf(hash.bytes))
  const hashes = [...new Set(compared)].slice(0, MOST_NOTED).toSorted()
  if (hashes.length === 0) return undefined
  return { listingId, hashes, digest: createHash('sha256').update(hashes.join('\n')).digest('hex') }
}
