// Promoted versions that cannot be loaded. Real: what is tried of them, reading labels, training; made up: the stores.
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { gateParts } from '../../../src/apps/gate-parts.ts'
import { cardText } from '../../../src/apps/model-text.ts'
import type { ActiveModel, ModelCard, ModelName } from '../../../src/domain/model.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import type { NewModel, TrainingState } from '../../../src/learning/ports.ts'
import { createDraw } from '../../../src/pipeline/audit.ts'
import { runTraining, type LearningStores } from '../../../src/pipeline/learning/run-training.ts'
import { inTurn } from '../../../src/pipeline/learning/turn.ts'
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

/** One kept after the other; none of them comes back whole unless `whole` gives it. */
function registry(whole: (version: string) => Uint8Array | undefined = () => undefined) {
  const policy = { ...defaultPolicy(), version: 7 }
  const kept: NewModel[] = []
  let [promoted, marketplace]: [ActiveModel[], string] = [[], 'demo']
  const stores = {
    reference: { policies: async () => [{ policy }], load: async () => ({ policy, models: promoted }) },
    labels: { judged: () => ReadableStream.from(story(120).map((one) => ({ ...judged(one), marketplace }))) },
    draw: async () => createDraw(''),
    models: {
      body: async (_: ModelName, version: string) => whole(version) ?? damaged(),
      async put(model: NewModel) {
        kept.push(model)
        return { record: { name: model.card.name, version: model.card.version }, present: false, mended: false }
      },
    },
  } as unknown as LearningStores
  return {
    kept,
    promote: (...cards: (ModelCard | undefined)[]) =>
      (promoted = cards.flatMap((card) => (card === undefined ? [] : [{ ...card, card }]))),
    judgeOn: (where: string) => (marketplace = where),
    run: (...models: ModelName[]) =>
      runTraining(stores, { ...parts, text: null }, damaged, { seed: 7, models, by: 'ann' }),
  }
}

it('are no champion of a training, which makes the same bytes again: it compares with what ships, and says so', async () => {
  const { kept, promote, ...training } = registry()
  const run = () => training.run('fusion', 'text')
  expect((await run()).unloadable).toEqual([])
  const [text, fusion] = kept.map(({ card }) => card)
  expect(promote(text, fusion)).toHaveLength(2)
  const { unloadable, made } = await run()
  const why = 'its bytes are damaged'
  expect(unloadable).toEqual([text, fusion].map((card) => ({ name: card?.name, version: card?.version, why })))
  const hashes = kept.map((model) => createHash('sha256').update(model.body).digest('hex'))
  expect(hashes.slice(2)).toEqual(hashes.slice(0, 2))
  expect(kept[3]?.card.measured).toMatchObject({ champion: { version: parts.scorecard.version }, unloadable })
  expect(made.map(({ model }) => cardText(model.card)).join()).not.toContain(
    `in place of fusion@${fusion?.version}, which`,
  )
})

it('leave a training with other bytes than beside the whole one, and report and card say why', async () => {
  let whole: NewModel | undefined
  const { kept, promote, judgeOn, run } = registry(() => whole?.body)
  judgeOn('bazaar')
  await run('fusion')
  const [first] = kept
  promote(first?.card)
  judgeOn('demo')
  whole = first
  const ended: TrainingState[] = []
  const end = async (state: TrainingState) => void ended.push(state)
  const trainings = { begin: async () => ({ end }), last: async () => null }
  const inItsTurn = () => inTurn(trainings, { models: ['fusion'], seed: 7, by: 'ann' }, () => run('fusion'))
  expect((await inItsTurn()).unloadable).toEqual([])
  whole = undefined
  const { unloadable } = await inItsTurn()
  expect(ended.map((state) => state.unloadable)).toEqual([undefined, unloadable])
  const [beside, instead] = kept.slice(1)
  expect(instead?.card.version).not.toBe(beside?.card.version)
  expect(unloadable).toEqual([{ name: 'fusion', version: first?.card.version, why: 'its bytes are damaged' }])
  const said = `in place of fusion@${first?.card.version}, which was promoted and could not be read (its bytes are damaged): beside that one whole the same verdicts and seed may give other bytes.`
  const [told, toldInstead] = [beside, instead].map((model) => model && cardText(model.card))
  expect(toldInstead).toContain(said)
  expect(told).not.toContain('in place of')
})
