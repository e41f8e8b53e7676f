// What a decision's evidence names of the banks. Real: the reading; made up: the evidence, which is free JSON.
import { expect, it } from 'vitest'
import { bankImagesNamed, picturesNamed } from '../../../src/domain/bank-evidence.ts'
import type { Decision } from '../../../src/domain/decision.ts'

const ID = '6d7e4bce-ad2b-5c38-9af1-f764ecc399e'
const of = (evidence: unknown): Pick<Decision, 'signals'> => ({
  signals: [
    { name: 's', version: '1', state: 'scored', contribution: 0, durationMs: 0, evidence: { found: [{ evidence }] } },
  ] as Decision['signals'],
})

it('names each picture that speaks against a listing once, wherever it stands', () => {
  const match = (imageId: unknown, kind = 'counterfeit') => ({ bankId: 'b', imageId, kind, image: 2, sha256: 'x' })
  const all = [match(`${ID}1`), match(`${ID}2`, 'allowed'), { deep: [match(`${ID}3`, 'logo'), match(`${ID}1`)] }]
  expect(bankImagesNamed(of(all))).toEqual([`${ID}1`, `${ID}3`])
  expect(picturesNamed(of(all))).toEqual(new Map([[2, 'x']]))
})

it('takes nothing that is no id of a picture, and nothing outside of a match', () => {
  const odd = ['', 'x', 7, null, `${ID}1'`, [`${ID}1`]].map((imageId) => ({ bankId: 'b', imageId, image: 'x' }))
  expect(bankImagesNamed(of([...odd, { imageId: `${ID}1` }, `"imageId":"${ID}1"`, null]))).toEqual([])
  expect(picturesNamed(of(odd))).toEqual(new Map())
})
