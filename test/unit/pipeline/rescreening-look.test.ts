// The pictures of a stored listing looked at again. Real: what is looked at in whose place; made up: pictures, store and source.
import { expect, it } from 'vitest'
import type { Listing } from '../../../src/domain/listing.ts'
import type { Gate } from '../../../src/pipeline/assess.ts'
import type { ImageReference, PictureSource, PictureStore, StandIn } from '../../../src/pipeline/pictures/ports.ts'
import { lookAgain, withInline } from '../../../src/pipeline/rescreening/look.ts'
import { seenPicture } from '../seen-picture.ts'
import { listingOf } from './assessments.ts'

const URL = 'https://shop.example/1.jpg'
/** As the store gives back what came inline. */
const INLINE: ImageReference & { dataLength: number } = { dataLength: 9 }
const stored = (...images: ImageReference[]): Listing => ({ ...listingOf('L', 2), images })
const keptAs = (sha256: string): StandIn => ({ sha256, body: Buffer.from(`kept of ${sha256}`) })

function world(kept: Record<number, StandIn>) {
  const looked: (readonly ImageReference[])[] = []
  const asked: unknown[] = []
  const pictures: Pick<PictureSource, 'look'> = {
    look(images) {
      looked.push(images)
      return Promise.resolve(
        images.map((image, i) =>
          image.url === undefined && image.data === undefined
            ? { state: 'unseen', fault: 'gone', message: '' }
            : seenPicture(`of place ${i}`),
        ),
      )
    },
  }
  const store: Pick<PictureStore, 'standIns'> = {
    standIns(listingId, revision) {
      asked.push([listingId, revision])
      return Promise.resolve(new Map(Object.entries(kept).map(([place, one]) => [Number(place), one])))
    },
  }
  return { gate: { pictures } as unknown as Gate, store: store as PictureStore, looked, asked }
}
const told = (pictures: Awaited<ReturnType<typeof lookAgain>>) =>
  pictures.map((picture) => (picture.state === 'seen' ? picture.sha256 : picture.fault))

it('sees what came inline as it was kept, under the hash of what was judged, and asks for the rest where it is', async () => {
  const { gate, store, looked, asked } = world({ 0: keptAs('a'), 1: keptAs('of the URL') })
  const pictures = await lookAgain(gate, stored(INLINE, { url: URL }, INLINE), store)
  expect(told(pictures)).toEqual(['a', 'of place 1', 'gone'])
  expect(looked).toEqual([[{ data: Buffer.from('kept of a').toString('base64') }, { url: URL }, INLINE]])
  expect(asked).toEqual([['L', 2]])
})

it('sees what came inline in the very bytes that came, where they still lie beside the listing', async () => {
  const { gate, store, looked, asked } = world({ 0: keptAs('a') })
  const listing = withInline({ listing: stored(INLINE, { url: URL }, INLINE), inline: ['QUJD', null, 'REVG'] })
  expect(told(await lookAgain(gate, listing, store))).toEqual(['of place 0', 'of place 1', 'of place 2'])
  expect(looked).toMatchObject([[{ data: 'QUJD' }, { url: URL }, { data: 'REVG' }]])
  expect(asked).toEqual([])
})

it('asks the store for nothing where all has a URL, or there is none', async () => {
  const { gate, store, asked } = world({})
  expect(told(await lookAgain(gate, stored({ url: URL }), store))).toEqual(['of place 0'])
  expect(told(await lookAgain(gate, stored(INLINE), undefined))).toEqual(['gone'])
  expect(asked).toEqual([])
})
