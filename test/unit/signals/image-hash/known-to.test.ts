// Whom the detector of known pictures says to ask: brands in whose banks lies what speaks against a listing. Real: the detector; made up: banks and pictures.
import { expect, it } from 'vitest'
import { brandSchema } from '../../../../src/domain/brand.ts'
import type { BankMatch } from '../../../../src/signals/image-hash/ports.ts'
import { imageHash } from '../../../../src/signals/image-hash/signal.ts'
import { normalise } from '../../../../src/text/normalise.ts'
import { seenPicture } from '../../seen-picture.ts'
import { matchOf as match } from './looking.ts'

const NORD = brandSchema.parse({ brandId: 'nord', name: 'Nord', authorisedSellers: ['friend'] })

const verdict = { source: { kind: 'verdict', verdictId: 'V' } } as const
const upload = { source: { kind: 'api', by: 'brand' } } as const
const alongside: Partial<BankMatch> = { source: { kind: 'verdict', by: 'nobody', verdictId: 'V', brandIds: ['nord'] } }

/** Of a listing that names no brand unless it is said. */
function askedAbout(matches: readonly BankMatch[], sellerId = 'stranger', brandIds: string[] = []): unknown {
  const empty = normalise('')
  const finding = imageHash.evaluate(
    { listingId: 'L', revision: 1, sellerId, title: 'T' },
    {
      reading: { title: empty, description: empty, brand: empty, mentions: [], brandIds },
      brand: (id) => (id === 'nord' ? NORD : undefined),
      kind: undefined,
      usdPer: () => undefined,
      pictures: [seenPicture('a')],
      banks: { size: 9, against: 9, change: 1n, match: () => matches },
      textModel: undefined,
    },
  )
  return 'knownTo' in finding ? finding.knownTo : finding
}

it('asks those whose banks hold it: what was confirmed, what the deployment put there, the brand’s own photo', () => {
  expect(askedAbout([match('nord', 'counterfeit', verdict)])).toEqual(['nord'])
  expect(askedAbout([match('nord', 'genuine')])).toEqual(['nord'])
  const both = [match('nord', 'counterfeit', verdict), match('gap', 'counterfeit'), match('nord', 'genuine')]
  // What was confirmed is an official photo now, so it says least.
  expect(askedAbout(both)).toEqual(['gap', 'nord'])
  expect(askedAbout([match(null, 'counterfeit', verdict)])).toEqual([])
})

it('asks all brands of the case in which the deployment confirmed it for all, and only those', () => {
  const ofBoth: BankMatch['source'] = { kind: 'verdict', verdictId: 'V', brandIds: ['nord', 'gap'] }
  const fake = match(null, 'counterfeit', { source: ofBoth })
  expect(askedAbout([fake])).toEqual(['nord', 'gap'])
  expect(askedAbout([fake], 'stranger', ['other'])).toEqual(['nord', 'gap'])
  // In a brand's bank it is that brand's.
  expect(askedAbout([match('gap', 'counterfeit', { source: ofBoth })])).toEqual(['gap'])
  for (const by of ['brand', 'nobody'] as const) {
    const limited = match(null, 'counterfeit', { source: { ...ofBoth, by } })
    expect([askedAbout([limited]), askedAbout([limited], 'stranger', ['nord'])]).toEqual([[], []])
  }
  expect(askedAbout([fake, match(null, 'genuine')])).toEqual([])
})

it('asks nobody for a logo, for what an authorised seller shows, or for what is spared or allowed', () => {
  expect(askedAbout([match('nord', 'logo')])).toEqual([])
  expect(askedAbout([match('nord', 'genuine')], 'friend')).toEqual([])
  expect(askedAbout([match('nord', 'counterfeit')], 'friend')).toEqual(['nord'])
  const spared = match('gap', 'counterfeit', { source: { kind: 'verdict', verdictId: 'V', brandIds: ['nord'] } })
  expect(askedAbout([spared, match('nord', 'genuine')])).toEqual(['nord'])
  expect(askedAbout([match('nord', 'counterfeit'), match(null, 'allowed')])).toMatchObject({ state: 'abstained' })
})

it('asks nobody for its own word alone: by uploading what is everywhere a brand would be shown the cases of strangers', () => {
  for (const kind of ['counterfeit', 'genuine', 'logo'] as const)
    expect(askedAbout([match('nord', kind, upload)])).toEqual([])
  // Where its brand is named it is asked for that.
  expect(askedAbout([match('nord', 'counterfeit', upload)], 'stranger', ['nord'])).toEqual([])
  expect(askedAbout([match('nord', 'counterfeit', upload), match('gap', 'counterfeit')])).toEqual(['gap'])
})

it('asks nobody for what came along with a word on another revision: whose it is nobody has said', () => {
  expect(askedAbout([match('nord', 'counterfeit', alongside)])).toEqual([])
  expect(askedAbout([match('nord', 'counterfeit', alongside)], 'stranger', ['nord'])).toEqual([])
  expect(askedAbout([match('nord', 'counterfeit', verdict)])).toEqual(['nord'])
})
