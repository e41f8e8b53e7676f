// What headers foresee decides whose picture is read first. Real: the source and its turns; made up: pictures, their headers and the reader.
import { expect, it } from 'vitest'
import type { Got, ImageReference, PictureFetcher } from '../../../../src/pipeline/pictures/ports.ts'
import { createPictureSource } from '../../../../src/pipeline/pictures/source.ts'
import { seenPicture } from '../../seen-picture.ts'

const bytesOf = ({ url, data }: ImageReference) =>
  data === undefined ? Buffer.from(new URL(url ?? '').pathname.slice(1)) : Buffer.from(data, 'base64')
const fetcher: PictureFetcher = {
  get: (image): Promise<Got> =>
    Promise.resolve({ state: 'got', bytes: bytesOf(image), sha256: bytesOf(image).toString() }),
}

it.each(['inline', 'fetched'])('of %s pictures a cheap one goes before dear ones of many sellers', async (how) => {
  const order: string[] = []
  const open: (() => void)[] = []
  const source = createPictureSource({
    inline: fetcher,
    urls: fetcher,
    reader: {
      foresee: (bytes) => (Buffer.from(bytes).toString().startsWith('dear') ? 10_000_000 : 100_000),
      read: (_bytes, sha256) => {
        order.push(sha256)
        return new Promise((resolve) => open.push(() => resolve(seenPicture(sha256))))
      },
      keep: () => Promise.resolve(undefined),
    },
    budgetMs: 60_000,
    listingMs: 60_000,
    gettingAtOnce: 100,
    gettingPerHost: 100,
    bytesInHand: 1 << 20,
    bytesLately: 1 << 20,
    readingAtOnce: 1,
    dearAtOnce: 1,
    readingPerListing: 1,
    pixelsPerListing: Infinity,
    pixelsOf: () => 1,
    dearPixels: Infinity,
    readingMs: 60_000,
  })
  const look = (name: string) =>
    source.look(
      [how === 'inline' ? { data: Buffer.from(name).toString('base64') } : { url: `https://${name}.example/${name}` }],
      undefined,
      { sellerId: name },
    )
  const all = Array.from({ length: 20 }, (_, i) => look(`dear${i}`))
  while (order.length < 1) await new Promise((resolve) => setImmediate(resolve))
  all.push(look('cheap'))
  for (let read = 0; read < 21; read += 1) {
    for (let turns = 0; turns < 20 || open.length === 0; turns += 1)
      await new Promise((resolve) => setImmediate(resolve))
    open.shift()?.()
  }
  expect((await Promise.all(all)).flat().map(({ state }) => state)).toEqual(all.map(() => 'seen'))
  expect(order[1]).toBe('cheap')
})
