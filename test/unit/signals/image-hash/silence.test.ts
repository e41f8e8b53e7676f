// Why the detector of known pictures has nothing to say. Real: the detector; made up: banks and pictures.
import { expect, it } from 'vitest'
import type { Picture } from '../../../../src/imaging/picture.ts'
import { imageHash } from '../../../../src/signals/image-hash/signal.ts'
import { normalise } from '../../../../src/text/normalise.ts'
import { seenPicture as seen } from '../../seen-picture.ts'

const empty = normalise('')
const look = (pictures: readonly Picture[], images: { data: string }[] = []) =>
  imageHash.evaluate(
    { listingId: 'L', revision: 1, sellerId: 'S', title: 'T', images },
    {
      reading: { title: empty, description: empty, brand: empty, mentions: [], brandIds: [] },
      brand: () => undefined,
      kind: undefined,
      usdPer: () => undefined,
      pictures,
      banks: { size: 5, change: 1n, match: () => [] },
      textModel: undefined,
    },
  )
const unasked: Picture = { state: 'unseen', fault: 'not-fetched', message: 'why' }

it.each([
  ['one that is too plain', [seen('a', true)], { why: 'too-plain', images: 1, seen: 1, tooPlain: [0] }],
  [
    'a plain one beside another',
    [seen('a'), seen('b', true)],
    { why: 'nothing-matched', images: 2, seen: 2, tooPlain: [1] },
  ],
  ['one like none', [seen('a')], { why: 'nothing-matched', images: 1, seen: 1 }],
  ['one that nobody asked for', [unasked], { why: 'not-looked-at', images: 1, seen: 0 }],
  [
    'a plain one beside one that nobody asked for',
    [seen('a', true), unasked],
    { why: 'too-plain', images: 2, seen: 1, tooPlain: [0] },
  ],
])('abstains and says why: %s', (_, pictures, evidence) => {
  expect(look(pictures)).toEqual({ state: 'abstained', evidence })
})

it('tells a listing without pictures from one whose pictures nobody looked at', () => {
  expect(look([])).toEqual({ state: 'abstained', evidence: { why: 'no-pictures' } })
  const evidence = { why: 'not-looked-at', images: 1, seen: 0 }
  expect(look([], [{ data: 'QUJD' }])).toEqual({ state: 'abstained', evidence })
})
