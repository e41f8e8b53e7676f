// The program of a thread that trains once: on a connection of its own, so that nobody who is answered or decided waits for it.
import { parentPort, workerData } from 'node:worker_threads'
import { connect } from '../adapters/postgres/connect.ts'
import type { ModelName } from '../domain/model.ts'
import { messageOf, TouchstoneError } from '../errors.ts'
import { runTraining, type TrainingReport } from '../pipeline/learning/run-training.ts'
import { learningStores, openTexts, shippedModels } from './learning.ts'

export interface TrainingTask {
  readonly url: string
  readonly seed: number
  readonly models: readonly ModelName[]
  readonly by: string
}

export type TrainingEnd =
  { readonly report: TrainingReport } | { readonly problem: { readonly code: string; readonly message: string } }

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

const end = await work(workerData as TrainingTask).catch((error: unknown): TrainingEnd => ({
  problem: { code: error instanceof TouchstoneError ? error.code : 'internal', message: messageOf(error) },
}))
parentPort?.postMessage(end, [])
