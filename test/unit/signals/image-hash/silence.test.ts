// Why the detector of known pictures has nothing to say. Real: the detector; made up: banks and pictures.
import { expect, it } from 'vitest'
import type { BankKind } from '../../../../src/domain/bank.ts'
import type { Picture } from '../../../../src/imaging/picture.ts'
import type { BankIndex } from '../../../../src/signals/image-hash/ports.ts'
import { imageHash } from '../../../../src/signals/image-hash/signal.ts'
import { normalise } from '../../../../src/text/normalise.ts'
import { seenPicture as seen } from '../../seen-picture.ts'
import { match } from './looking.ts'

const empty = normalise('')
const look = (
  pictures: readonly Picture[],
  images: { data: string }[] = [],
  size = 5,
  banks: Partial<BankIndex> = {},
) =>
  imageHash.evaluate(
    { listingId: 'L', revision: 1, sellerId: 'S', title: 'T', images },
    {
      reading: { title: empty, description: empty, brand: empty, mentions: [], brandIds: [] },
      brand: () => undefined,
      kind: undefined,
      usdPer: () => undefined,
      pictures,
      banks: { size, against: size, change: 1n, match: () => [], ...banks },
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

it('tells also where there is nothing to compare with which picture could not be opened, and why: people look at the rest', () => {
  const broken: Picture = { state: 'unseen', fault: 'not-a-picture', message: 'it is SVG' }
  expect(look([seen('a'), broken, unasked], [], 0)).toEqual({
    state: 'abstained',
    evidence: {
      why: 'no-banks',
      images: 3,
      seen: 1,
      unseen: [{ image: 1, fault: 'not-a-picture', message: 'it is SVG' }],
    },
  })
  expect(look([seen('a')], [], 0)).toEqual({ state: 'abstained', evidence: { why: 'no-banks', images: 1, seen: 1 } })
})

it('fails for what was not seen only where some bank could have spoken against it', () => {
  const broken: Picture = { state: 'unseen', fault: 'not-a-picture', message: 'it is SVG' }
  const pictures = [seen('a'), broken]
  const unseen = [{ image: 1, fault: 'not-a-picture', message: 'it is SVG' }]
  expect(look(pictures, [], 5, { against: 1 })).toMatchObject({ state: 'failed', evidence: { unseen } })
  // Only pictures that are allowed, and logos.
  expect(look(pictures, [], 5, { against: 0 })).toEqual({
    state: 'abstained',
    evidence: { why: 'no-banks', images: 2, seen: 1, unseen },
  })
  const near = (kind: BankKind) => ({ against: 0, match: () => [match(kind)] })
  expect(look(pictures, [], 5, near('allowed'))).toMatchObject({
    state: 'abstained',
    evidence: { why: 'allowed', matches: [{ kind: 'allowed' }], unseen },
  })
  const logo = look(pictures, [], 5, near('logo'))
  expect(logo).toMatchObject({ state: 'scored', reasons: [], evidence: { matches: [{ kind: 'logo' }], unseen } })
  expect(logo).not.toHaveProperty('incomplete')
})
