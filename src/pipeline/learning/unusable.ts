// Promoted versions that a process which starts now could not load: they are active and do not decide.
import { expectedText, type ActiveModel, type ModelName } from '../../domain/model.ts'
import { messageOf, TouchstoneError } from '../../errors.ts'
import type { ModelStore } from '../../learning/ports.ts'
import type { Signal } from '../../signals/signal.ts'
import { readFusion } from '../models.ts'

export interface Trying {
  readonly models: Pick<ModelStore, 'body'>
  readonly signals: readonly Signal[]
  /** Loads a version of the text model as a worker would. */
  readonly loadText: (model: ActiveModel) => Promise<unknown>
}

/** Why, by name; empty where all of them can decide. A fusion and the text model that it was fitted to wait for each other. */
export async function unusable(
  active: readonly ActiveModel[],
  { models, signals, loadText }: Trying,
): Promise<ReadonlyMap<ModelName, string>> {
  const found = new Map<ModelName, string>()
  for (const model of active) {
    try {
      if (model.name === 'text') await loadText(model)
      else readFusion(model.card, await models.body(model.name, model.version), signals)
    } catch (error) {
      // A store that does not answer says nothing about the model.
      if (!(error instanceof TouchstoneError)) throw error
      found.set(model.name, messageOf(error))
    }
  }
  const fusion = active.find(({ name }) => name === 'fusion')
  const text = active.find(({ name }) => name === 'text')
  const fitted = fusion !== undefined && text !== undefined && expectedText(fusion.card) === text.version
  if (fitted && found.size === 1)
    for (const { name } of [fusion, text])
      if (!found.has(name)) found.set(name, 'it waits for the other model, which it was fitted to')
  return found
}
