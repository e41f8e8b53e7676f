// What is kept is what was judged. Real: the source and what it holds; made up: a host that gives everything once.
import { expect, it } from 'vitest'
import { createPictureSource } from '../../../../src/pipeline/pictures/source.ts'
import { seenPicture } from '../../seen-picture.ts'

const SHA256 = 'a'.repeat(64)
const seen = seenPicture(SHA256)

it('a host that gives a picture once, and nothing or another one the second time, is not asked again', async () => {
  let asked = 0
  const kept: number[] = []
  const source = createPictureSource({
    inline: { get: () => Promise.reject(new Error('nothing is inline')) },
    urls: {
      get: () =>
        Promise.resolve(
          asked++ === 0
            ? { state: 'got', bytes: new Uint8Array([7]), sha256: SHA256 }
            : { state: 'unseen', fault: 'hash-differs', message: 'swapped' },
        ),
    },
    reader: {
      foresee: () => 0,
      read: () => Promise.resolve(seen),
      keep: (bytes) => {
        kept.push(...bytes)
        return Promise.resolve(undefined)
      },
    },
    budgetMs: 60,
    gettingAtOnce: 1,
    gettingPerHost: 1,
    bytesInHand: 1 << 20,
    bytesLately: 100,
    readingAtOnce: 1,
    readingPerListing: 1,
    pixelsPerListing: Infinity,
    pixelsOf: () => 1,
    listingMs: 60_000,
    dearAtOnce: 100,
    dearPixels: Infinity,
    readingMs: 1_000,
  })
  const image = { url: 'https://a.example/1.png' }
  expect(await source.look([image], new AbortController().signal)).toEqual([seen])
  await source.keep(image, seen)
  expect({ asked, kept }).toEqual({ asked: 1, kept: [7] })
})
