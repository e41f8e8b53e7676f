// What an official photo spares of what verdicts confirmed. Real: the rule; made up: matches of one picture.
import { expect, it } from 'vitest'
import type { BankMatch } from '../../../../src/signals/image-hash/ports.ts'
import { speaking } from '../../../../src/signals/image-hash/spared.ts'
import { matchOf } from './looking.ts'

const match = (brandId: string | null, kind: BankMatch['kind'], source: BankMatch['source']) =>
  matchOf(brandId, kind, { source })
/** Of a case about these brands; without any, as before they were kept. */
const confirmed = (brandId: string | null, ...brandIds: string[]) =>
  match(brandId, 'counterfeit', {
    kind: 'verdict',
    verdictId: 'V',
    ...(brandIds.length === 0 ? {} : { brandIds }),
  })
const upload = (brandId: string) => match(brandId, 'genuine', { kind: 'api', by: 'brand' })
const vouched = (brandId: string | null) => match(brandId, 'genuine', { kind: 'api' })

const ofNike = confirmed('nike', 'nike', 'gucci')
const ofBoth = confirmed(null, 'nike', 'gucci')
const ofGucci = confirmed(null, 'gucci')

it.each([
  ['another brand’s, of a case about both', ofNike, 'gucci'],
  ['an analyst’s, of a case about both', ofBoth, 'gucci'],
  ['an analyst’s, of a case about another brand', ofGucci, 'nike'],
  ['an analyst’s, of a case about no brand', { ...ofBoth, source: { ...ofBoth.source, brandIds: [] } }, 'gucci'],
  ['an analyst’s, of which the brands are not known', confirmed(null), 'gucci'],
  ['another brand’s, of which the brands are not known', confirmed('nike'), 'gucci'],
])('a rights holder’s word alone frees nothing of others, and both are told: %s', (_, fake, brandId) => {
  expect(speaking([upload(brandId), fake])).toEqual([upload(brandId), fake])
})

it.each([
  ['in its own bank', confirmed('gucci', 'nike', 'gucci'), 'gucci'],
  ['in its own bank, of which the brands are not known', confirmed('gucci'), 'gucci'],
  ['an analyst’s, of a case about its brand alone', ofGucci, 'gucci'],
])('spares what concerns its brand alone: %s', (_, fake, brandId) => {
  expect(speaking([upload(brandId), fake])).toEqual([upload(brandId)])
})

it('for which an analyst vouches spares what lies in cases about its brand; the deployment’s own all', () => {
  for (const fake of [ofNike, ofBoth, ofGucci]) {
    expect(speaking([fake, vouched('gucci')])).toEqual([vouched('gucci')])
    expect(speaking([fake, vouched(null)])).toEqual([vouched(null)])
    expect(speaking([fake, vouched('gap')])).toEqual([fake, vouched('gap')])
  }
  // Beside an upload that lies nearer in the same bank.
  expect(speaking([upload('gucci'), ofNike, vouched('gucci')])).toEqual([upload('gucci'), vouched('gucci')])
})
