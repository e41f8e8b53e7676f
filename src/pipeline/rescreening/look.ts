// The pictures of a stored listing, looked at once more: by their URLs, or by what was kept where the bytes came inline.
import type { Listing } from '../../domain/listing.ts'
import type { Picture } from '../../imaging/picture.ts'
import { lookAt, type Gate } from '../assess.ts'
import type { PictureStore, StandIn } from '../pictures/ports.ts'

/**
 * Bytes that came inline are not stored, but those of a listing that was stopped were kept, re-encoded: they show what was
 * judged, and go by the hash of what it was. Where one was not kept, or was an animation, its place cannot be seen.
 */
export async function lookAgain(
  gate: Gate,
  listing: Listing,
  store: PictureStore | undefined,
): Promise<readonly Picture[]> {
  const { images = [], listingId, revision } = listing
  if (store === undefined || images.every((image) => image.url !== undefined)) return await lookAt(gate, listing)
  const kept = await store.standIns(listingId, revision)
  const of = (place: number): StandIn | undefined => (images[place]?.url === undefined ? kept.get(place) : undefined)
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
