// What the text detector makes of a model beyond its own examples. Real: the detector and the reading; the models are made here.
import { describe, expect, it } from 'vitest'
import type { Listing } from '../../../../src/domain/listing.ts'
import { textModel } from '../../../../src/signals/text-model/signal.ts'
import type { TextModel } from '../../../../src/signals/text-model/ports.ts'
import { compileBrandDictionary } from '../../../../src/text/brand-dictionary.ts'
import { readListing } from '../../../../src/text/reading.ts'

function modelOf(score: TextModel['score'], marketplaces = ['m']): TextModel {
  const trained = { seed: 1, marketplaces, rows: 10, confirmed: 5, until: null, invented: false }
  return {
    version: '7',
    card: { name: 'text', version: '7', description: '', sha256: '0'.repeat(64), trained, measured: {} },
    score,
  }
}

function look(model: TextModel | undefined, fields: Partial<Listing> = {}) {
  const listing: Listing = {
    listingId: 'L',
    revision: 1,
    sellerId: 'S',
    marketplace: 'm',
    title: 'Rolex replica 💎',
    ...fields,
  }
  return textModel.evaluate(listing, {
    reading: readListing(listing, compileBrandDictionary([])),
    brand: () => undefined,
    kind: undefined,
    usdPer: () => undefined,
    pictures: [],
    banks: undefined,
    textModel: model,
  })
}

const sure = modelOf(({ ids }) =>
  Promise.resolve({ score: 0.9, shares: Float32Array.from(ids, (_, i) => 2 / (1 + i)) }),
)

describe('the text detector', () => {
  it('has failed where the model cannot be asked: it neither throws nor abstains', async () => {
    const broken = modelOf(() => Promise.reject(new Error('its thread is gone')))
    expect(await look(broken)).toMatchObject({
      state: 'failed',
      passing: true,
      evidence: { model: '7', message: 'its thread is gone' },
    })
  })

  it('never asks a model about a marketplace that it has not learnt from', async () => {
    const never = modelOf(() => Promise.reject(new Error('asked')))
    for (const marketplace of ['elsewhere', 'M', ''])
      expect(await look(never, { marketplace })).toMatchObject({
        state: 'abstained',
        evidence: { why: 'not-trained-here' },
      })
    expect(await look(undefined)).toMatchObject({ state: 'abstained', evidence: { why: 'no-model' } })
  })

  it('speaks where verdicts without a marketplace have trained it, for listings without one', async () => {
    const { marketplace: _, ...rest } = { marketplace: 'm', title: 'Rolex' }
    const listing: Listing = { listingId: 'L', revision: 1, sellerId: 'S', ...rest }
    const model = modelOf((f) => sure.score(f), [''])
    const reading = readListing(listing, compileBrandDictionary([]))
    const none = { brand: () => undefined, kind: undefined, usdPer: () => undefined, pictures: [], banks: undefined }
    expect(await textModel.evaluate(listing, { reading, ...none, textModel: model })).toMatchObject({ state: 'scored' })
  })

  it('shows analysts what weighs most, bounded and as JSON; a seller learns no word of it', async () => {
    const finding = await look(sure, {
      title: `Rolex replica ${'💎'.repeat(150)}\ud800`,
      description: 'word '.repeat(5_000),
    })
    expect(finding).toMatchObject({ state: 'scored', score: 0.9, evidence: { model: '7', invented: false } })
    const grams = finding.evidence['grams'] as { logOdds: number; text: string }[]
    expect(grams).toHaveLength(8)
    expect(grams.map((g) => g.logOdds)).toEqual(grams.map((g) => g.logOdds).toSorted((a, b) => b - a))
    for (const { text } of grams) expect(text.isWellFormed()).toBe(true)
    if (finding.state === 'scored')
      for (const { text } of finding.reasons) expect(text).not.toMatch(/rolex|replica|\d/i)
  })

  it('gives no reason where it is not sure', async () => {
    const unsure = modelOf(({ ids }) => Promise.resolve({ score: 0.7, shares: new Float32Array(ids.length) }))
    expect(await look(unsure)).toMatchObject({ state: 'scored', reasons: [], evidence: { grams: [] } })
  })
})
