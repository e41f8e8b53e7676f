// What learning needs of a process: the stores on its database, and the models that ship.
import { join } from 'node:path'
import { createLabelStore } from '../adapters/postgres/label-store.ts'
import type { Database } from '../adapters/postgres/connect.ts'
import { createModelStore } from '../adapters/postgres/model-store.ts'
import { createReferenceStore } from '../adapters/postgres/reference-store.ts'
import type { LearningStores, Shipped } from '../pipeline/learning/run-training.ts'
import { SIGNALS } from '../signals/index.ts'
import { PACKAGE_ROOT } from './package-root.ts'
import { loadScorecard } from './scorecard-file.ts'
import { shippedTextCard } from './text-models.ts'

export const learningStores = ({ reading, listener }: Database): LearningStores => ({
  reference: createReferenceStore({ pool: reading, listener }),
  labels: createLabelStore(reading),
  models: createModelStore(reading),
})

export async function shippedModels(): Promise<Shipped> {
  const [scorecard, text] = await Promise.all([loadScorecard(join(PACKAGE_ROOT, 'models')), shippedTextCard()])
  return { signals: SIGNALS, scorecard, text: text.version }
}
