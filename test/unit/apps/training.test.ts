// Trainings that HTTP asks for, when the process stops. Real: the thread; nothing answers at its database.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { shippedModels } from '../../../src/apps/learning.ts'
import { createLearning, type LearningOptions } from '../../../src/apps/training.ts'

test('a request that was under way starts no training when all is closed: nobody would end it', async () => {
  const nobody = {} as LearningOptions['store'] & LearningOptions['text'] & LearningOptions['reference']
  const learning = createLearning({
    url: 'postgres://127.0.0.1:1/nothing',
    store: nobody,
    reference: nobody,
    shipped: await shippedModels(),
    text: nobody,
    logger: pino({ level: 'silent' }),
  })
  await learning.close()
  const threads = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
  const before = threads()
  expect(() => learning.train('all', 1, 'somebody')).toThrow('the gate is stopping')
  expect(threads()).toBe(before)
})
