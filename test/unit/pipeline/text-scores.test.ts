// Rows heard with another text model. Real: the features, the rows' signals; made up: the models, each with one score.
import { expect, test } from 'vitest'
import type { ModelCard } from '../../../src/domain/model.ts'
import { heardWith, textScores } from '../../../src/pipeline/learning/text-scores.ts'
import type { TextModel } from '../../../src/signals/text-model/ports.ts'
import { labelled, scored } from '../learning/labelled.ts'

const model = (version: string, marketplaces: string[], score = 0.123456789): TextModel => ({
  version,
  card: { version, trained: { marketplaces } } as unknown as ModelCard,
  score: async () => ({ score, shares: new Float32Array() }),
})
const textOf = async (version: string): Promise<TextModel> => model(version, ['demo'], version === 't1' ? 0.9 : 0.1)
const rows = [
  labelled('a', 'confirmed', { signals: [scored('price', 0.5), scored('text-model', 0.4)] }),
  labelled('b', 'rejected', { marketplace: 'elsewhere', signals: [scored('text-model', 0.4)] }),
  labelled('c', 'rejected'),
]
const textIn = (heard: typeof rows) =>
  heard.map(({ signals }) => {
    const found = signals.find((signal) => signal.name === 'text-model')
    return found?.state === 'scored' ? found.score : found?.state
  })

test('a text model is silent outside of its marketplaces, as its detector is', async () => {
  expect(await textScores(model('1', ['demo']), rows)).toEqual([0.123457, undefined, 0.123457])
})

test('more rows than may wait for the threads are asked one block after the other', async () => {
  let [waiting, most] = [0, 0]
  const slow: TextModel = {
    ...model('1', ['demo']),
    score: async () => {
      most = Math.max(most, ++waiting)
      await new Promise((resolve) => setImmediate(resolve))
      waiting -= 1
      return { score: 0.5, shares: new Float32Array() }
    },
  }
  const many = Array.from({ length: 2_500 }, () => labelled('a', 'confirmed'))
  expect((await textScores(slow, many)).filter((score) => score === 0.5)).toHaveLength(2_500)
  expect(most).toBeLessThanOrEqual(1_000)
})

test('a fusion hears the text model that it was fitted to, and never what another one had said', async () => {
  expect(textIn(await heardWith(textOf, 't1', rows))).toEqual([0.9, 'abstained', 0.9])
  expect(textIn(await heardWith(textOf, 't2', rows))).toEqual([0.1, 'abstained', 0.1])
  expect(textIn(await heardWith(textOf, null, rows))).toEqual(['abstained', 'abstained', 'abstained'])
  // One that was fitted to none was fitted to what was recorded.
  expect(textIn(await heardWith(textOf, undefined, rows))).toEqual([0.4, 0.4, undefined])
  expect((await heardWith(textOf, 't1', rows))[0]?.signals).toContainEqual(scored('price', 0.5))
})
