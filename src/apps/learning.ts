// What learning needs of a process: the stores on its database, and the models that ship.
import { join } from 'node:path'
import { readAuditSecret } from '../adapters/postgres/audit-secret.ts'
import { createLabelStore } from '../adapters/postgres/label-store.ts'
import type { Database } from '../adapters/postgres/connect.ts'
import { createModelStore } from '../adapters/postgres/model-store.ts'
import { createReferenceStore } from '../adapters/postgres/reference-store.ts'
import { createDraw } from '../pipeline/audit.ts'
import type { LearningStores, Shipped } from '../pipeline/learning/run-training.ts'
import type { ActiveModel, ModelCard, ModelName } from '../domain/model.ts'
import type { Scorecard } from '../domain/scorecard.ts'
import { TouchstoneError } from '../errors.ts'
import type { ModelRecord, ModelStore } from '../learning/ports.ts'
import type { TextOf } from '../pipeline/learning/text-scores.ts'
import { unusable } from '../pipeline/learning/unusable.ts'
import { SIGNALS } from '../signals/index.ts'
import type { TextModel } from '../signals/text-model/ports.ts'
import { createTelemetry } from '../telemetry.ts'
import { cardText } from './model-text.ts'
import { PACKAGE_ROOT } from './package-root.ts'
import { loadScorecard } from './scorecard-file.ts'
import { openTextModels, shippedTextCard, type TextModels } from './text-models.ts'

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

/** Text models by their version, to be asked about what was judged. Threads start when the first one is asked for. */
export function openTexts(models: Pick<ModelStore, 'find' | 'body'>): {
  readonly of: TextOf
  readonly close: () => Promise<void>
} {
  let opened: Promise<TextModels> | undefined
  const known = new Map<string, Promise<TextModel>>()
  const load = async (version: string): Promise<TextModel> => {
    opened ??= openTextModels({ threads: 1, logger: createTelemetry({ level: 'error' }).log })
    const { shipped, load: take } = await opened
    const record = await models.find('text', version)
    if (record === undefined && version === shipped.version) return shipped
    if (record === undefined)
      throw new TouchstoneError('not-found', `there is no version ${version} of the model text in the registry`)
    return take({ card: record.card, body: await models.body('text', version) })
  }
  return {
    of: (version) => {
      const found = known.get(version) ?? load(version)
      known.set(version, found)
      return found
    },
    close: async () => {
      await (await opened?.catch(() => undefined))?.close()
    },
  }
}

/** Why promoted versions cannot be loaded, by name: they are tried as a worker that starts now would. */
export async function promotedProblems(
  models: Pick<ModelStore, 'active' | 'find' | 'body'>,
): Promise<ReadonlyMap<ModelName, string>> {
  const texts = openTexts(models)
  try {
    const loadText = ({ version }: ActiveModel) => texts.of(version)
    return await unusable(await models.active(), { models, signals: SIGNALS, loadText })
  } finally {
    await texts.close()
  }
}

export interface Listed extends ModelRecord {
  /** Why it cannot be loaded although it is promoted. */
  readonly problem?: string
}

/** `problems`: of what is promoted, by name. */
export function withProblem(model: ModelRecord, problems: ReadonlyMap<ModelName, string>): Listed {
  const problem = model.active ? problems.get(model.name) : undefined
  return problem === undefined ? model : { ...model, problem }
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
