// Promoted versions that cannot be loaded. Real: what is tried of them, reading labels, training; made up: the stores.
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import type { ActiveModel, ModelName } from '../../../src/domain/model.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import type { NewModel } from '../../../src/learning/ports.ts'
import { createDraw } from '../../../src/pipeline/audit.ts'
import { runTraining, type LearningStores } from '../../../src/pipeline/learning/run-training.ts'
import { unusable } from '../../../src/pipeline/learning/unusable.ts'
import { defaultPolicy } from '../../../src/policy/default.ts'
import { story } from '../learning/labelled.ts'
import { judged } from './judged.ts'

const parts = await gateParts({ currencies: undefined, budgetMs: 250 })
const active = (name: ModelName, version: string, expects?: string) =>
  ({
    name,
    version,
    sha256: '',
    card: { name, version, ...(expects === undefined ? {} : { expects: { text: expects } }) },
  }) as unknown as ActiveModel
const damaged = () => Promise.reject(new TouchstoneError('model-invalid', 'its bytes are damaged'))
const body = (version: string) => Buffer.from(JSON.stringify({ ...parts.scorecard, version }))

it('are named with why, and with them the one that was fitted to them; a store that is away says nothing of them', async () => {
  const sound = { models: { body: async () => body('f') }, signals: parts.signals, loadText: async () => undefined }
  const pair = [active('fusion', 'f', 't'), active('text', 't')]
  expect([...(await unusable(pair, sound))]).toEqual([])
  const waits = 'it waits for the other model, which it was fitted to'
  expect([...(await unusable(pair, { ...sound, loadText: damaged }))]).toEqual([
    ['text', 'its bytes are damaged'],
    ['fusion', waits],
  ])
  const apart = [active('fusion', 'f', 'other'), active('text', 't')]
  expect([...(await unusable(apart, { ...sound, loadText: damaged })).keys()]).toEqual(['text'])
  const other = { ...sound, models: { body: async () => body('g') } }
  expect([...(await unusable(pair, other))]).toEqual([
    ['fusion', expect.stringContaining('it calls itself version g')],
    ['text', waits],
  ])
  const away = { ...sound, models: { body: () => Promise.reject(new Error('no answer')) } }
  await expect(unusable(pair, away)).rejects.toThrow('no answer')
})

it('are no champion of a training, which makes the same bytes again: it compares with what ships', async () => {
  const policy = { ...defaultPolicy(), version: 7 }
  const kept: NewModel[] = []
  let promoted: ActiveModel[] = []
  const stores = {
    reference: { policies: async () => [{ policy }], load: async () => ({ policy, models: promoted }) },
    labels: { judged: () => ReadableStream.from(story(120).map(judged)) },
    draw: async () => createDraw(''),
    models: {
      body: damaged,
      async put(model: NewModel) {
        kept.push(model)
        return { record: { name: model.card.name, version: model.card.version }, present: false, mended: false }
      },
    },
  } as unknown as LearningStores
  const run = () =>
    runTraining(stores, { ...parts, text: null }, damaged, { seed: 7, models: ['fusion', 'text'], by: 'ann' })
  await run()
  const [text, fusion] = kept.map(({ card }) => card)
  promoted = [text, fusion].flatMap((card) => (card === undefined ? [] : [{ ...card, card }]))
  expect(promoted).toHaveLength(2)
  await run()
  const hashes = kept.map((model) => createHash('sha256').update(model.body).digest('hex'))
  expect(hashes.slice(2)).toEqual(hashes.slice(0, 2))
  expect(kept[3]?.card.measured).toMatchObject({ champion: { version: parts.scorecard.version } })
})
