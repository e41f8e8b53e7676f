// What learning needs of a process: the stores on its database, and the models that ship.
import { join } from 'node:path'
import { readAuditSecret } from '../adapters/postgres/audit-secret.ts'
import { createLabelStore } from '../adapters/postgres/label-store.ts'
import type { Database } from '../adapters/postgres/connect.ts'
import { createModelStore } from '../adapters/postgres/model-store.ts'
import { createReferenceStore } from '../adapters/postgres/reference-store.ts'
import { createDraw } from '../pipeline/audit.ts'
import type { LearningStores, Shipped } from '../pipeline/learning/run-training.ts'
import type { ModelCard, ModelName } from '../domain/model.ts'
import type { Scorecard } from '../domain/scorecard.ts'
import { SIGNALS } from '../signals/index.ts'
import { cardText } from './model-text.ts'
import { PACKAGE_ROOT } from './package-root.ts'
import { loadScorecard } from './scorecard-file.ts'
import { shippedTextCard } from './text-models.ts'

export const learningStores = ({ reading, listener }: Database): LearningStores => ({
  reference: createReferenceStore({ pool: reading, listener }),
  labels: createLabelStore(reading),
  draw: async () => createDraw(await readAuditSecret(reading)),
  models: createModelStore(reading),
})

export async function shippedModels(): Promise<Shipped> {
  const [scorecard, text] = await Promise.all([loadScorecard(join(PACKAGE_ROOT, 'models')), shippedTextCard()])
  return { signals: SIGNALS, scorecard, text: text.version }
}

/** What a version that ships says of itself, as a person reads it and as it is written; undefined: it does not ship. */
export async function shippedCard(
  name: ModelName,
  version: string,
): Promise<{ readonly card: ModelCard | Scorecard; readonly text: string } | undefined> {
  const { scorecard } = await shippedModels()
  const card = await shippedTextCard()
  if (name === 'text') return version === card.version ? { card, text: cardText(card) } : undefined
  if (version !== scorecard.version) return undefined
  const { description, signals } = scorecard
  return { card: scorecard, text: `  ${description}\n  Signals that weigh: ${Object.keys(signals).join(', ')}.` }
}
