// The program of a thread that trains once: on a connection of its own, so that nobody who is answered or decided waits for it.
import { parentPort, workerData } from 'node:worker_threads'
import { connect } from '../adapters/postgres/connect.ts'
import type { ModelName } from '../domain/model.ts'
import { runTraining } from '../pipeline/learning/run-training.ts'
import { problemOf, type TrainingEnd } from '../pipeline/learning/turn.ts'
import { learningStores, openTexts, shippedModels } from './learning.ts'

export interface TrainingTask {
  readonly url: string
  readonly seed: number
  readonly models: readonly ModelName[]
  readonly by: string
}

async function work({ url, ...options }: TrainingTask): Promise<TrainingEnd> {
  const database = await connect(url, { applicationName: 'touchstone training', deciding: 1, reading: 2 })
  const stores = learningStores(database)
  const texts = openTexts(stores.models)
  try {
    return { report: await runTraining(stores, await shippedModels(), texts.of, options) }
  } finally {
    await texts.close()
    await database.close()
  }
}

const end = await work(workerData as TrainingTask).catch((error: unknown) => ({ problem: problemOf(error) }))
parentPort?.postMessage(end, [])
