// Trainings that HTTP asks for, when the process stops. Real: the thread; nothing answers at its database; made up: whose turn it is.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { shippedModels } from '../../../src/apps/learning.ts'
import type { TrainingState } from '../../../src/learning/ports.ts'
import { createLearning, type LearningOptions } from '../../../src/apps/training.ts'

const nobody = {} as LearningOptions['store'] & LearningOptions['text'] & LearningOptions['reference']
const openLearning = async (trainings: LearningOptions['trainings']) =>
  createLearning({
    url: 'postgres://127.0.0.1:1/nothing',
    store: nobody,
    trainings,
    reference: nobody,
    shipped: await shippedModels(),
    text: nobody,
    logger: pino({ level: 'silent' }),
  })
const threads = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length

test('a request that was under way starts no training when all is closed: nobody would end it', async () => {
  const begun = Promise.withResolvers<void>()
  const ended: TrainingState[] = []
  const end = async (state: TrainingState) => void ended.push(state)
  const learning = await openLearning({ begin: () => begun.promise.then(() => ({ end })), last: async () => null })
  const asked = learning.train('all', 1, 'somebody')
  await learning.close()
  const before = threads()
  await expect(learning.train('all', 1, 'somebody else')).rejects.toThrow('the gate is stopping')
  begun.resolve()
  await expect(asked).rejects.toThrow('the gate is stopping')
  expect(threads()).toBe(before)
  // Its turn is given on.
  expect(ended).toMatchObject([{ by: 'somebody', state: 'failed', problem: { code: 'not-ready' } }])
})

test('closing ends a training that runs and says so', async () => {
  const ended: TrainingState[] = []
  const end = async (state: TrainingState) => void ended.push(state)
  const learning = await openLearning({ begin: async () => ({ end }), last: async () => null })
  expect(await learning.train('text', 1, 'ann')).toMatchObject({ state: 'running', models: ['text'] })
  await learning.close()
  expect(ended).toMatchObject([{ by: 'ann', state: 'failed', problem: { message: 'the training was ended' } }])
})
