// A training that ends half-way. Real: reading labels, training, the order in which versions are kept; made up: the stores.
import { expect, it } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import { expectedText } from '../../../src/domain/model.ts'
import type { NewModel } from '../../../src/learning/ports.ts'
import { createDraw } from '../../../src/pipeline/audit.ts'
import { runTraining, type LearningStores } from '../../../src/pipeline/learning/run-training.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import { story } from '../learning/labelled.ts'
import { judged } from './judged.ts'

it('leaves no fusion whose text model is nowhere, and is done by the next one', async () => {
  const { signals, scorecard } = await gateParts({ currencies: undefined, budgetMs: 250 })
  const kept: NewModel[] = []
  let left = 1
  const policy = { ...defaultPolicy(), version: 7 }
  const stores = {
    reference: { policies: async () => [{ policy }], load: async () => ({ policy, models: [] }) },
    labels: { judged: () => ReadableStream.from(story(120).map(judged)) },
    draw: async () => createDraw(''),
    models: {
      async put(model: NewModel) {
        if (left-- === 0) throw new Error('the process was killed')
        kept.push(model)
        return { record: { name: model.card.name, version: model.card.version }, present: false, mended: false }
      },
    },
  } as unknown as LearningStores
  const run = () =>
    runTraining(stores, { signals, scorecard, text: null }, () => Promise.reject(new Error('none is asked')), {
      seed: 7,
      models: ['fusion', 'text'],
      by: 'ann',
    })
  await expect(run()).rejects.toThrow('killed')
  expect(kept.map(({ card }) => card.name)).toEqual(['text'])
  left = 2
  const { made } = await run()
  expect(made.map(({ model }) => model.name)).toEqual(['fusion', 'text'])
  const [first, text, fusion] = kept.map(({ card }) => card)
  expect(text?.version).toBe(first?.version)
  expect(fusion === undefined ? undefined : expectedText(fusion)).toBe(text?.version)
})
