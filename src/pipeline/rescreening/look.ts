// The pictures of a stored listing, looked at once more: by their URLs, where the bytes came inline by these, or by what was kept of them.
import type { Listing } from '../../domain/listing.ts'
import type { Picture } from '../../imaging/picture.ts'
import { lookAt, type Gate } from '../assess.ts'
import { isAtHand } from '../pictures/at-hand.ts'
import type { PictureStore, StandIn } from '../pictures/ports.ts'
import type { DueRescreen } from './ports.ts'

/** With the bytes that came inline, where they lie beside it. A revision is stored without them. */
export function withInline({ listing, inline = [] }: Pick<DueRescreen, 'listing' | 'inline'>): Listing {
  const { images } = listing
  if (images === undefined || inline.length === 0) return listing
  return { ...listing, images: images.map((image, place) => ({ ...image, data: inline[place] ?? image.data })) }
}

/**
 * Bytes that came inline and could be looked at are not stored, but those of a listing that was stopped were kept, re-encoded: they show what was
 * judged, and go by the hash of what it was. Where one was not kept, or was an animation, its place cannot be seen.
 */
export async function lookAgain(
  gate: Gate,
  listing: Listing,
  store: PictureStore | undefined,
): Promise<readonly Picture[]> {
  const { images = [], listingId, revision } = listing
  if (store === undefined || images.every(isAtHand)) return await lookAt(gate, listing)
  const kept = await store.standIns(listingId, revision)
  const of = (place: number): StandIn | undefined => (isAtHand(images[place] ?? {}) ? undefined : kept.get(place))
  const shown = images.map((image, place) => {
    const standIn = of(place)
    return standIn === undefined ? image : { data: Buffer.from(standIn.body).toString('base64') }
  })
  const pictures = await lookAt(gate, { ...listing, images: shown })
  return pictures.map((picture, place) => {
    const sha256 = of(place)?.sha256
    return picture.state === 'seen' && sha256 !== undefined ? { ...picture, sha256 } : picture
  })
}
