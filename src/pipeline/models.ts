// The models that decide, kept in memory: what the registry names, else what ships; one that cannot be loaded changes nothing.
import { MODEL_NAMES, type ActiveModel, type ModelCard, type ModelName } from '../domain/model.ts'
import type { Scorecard } from '../domain/scorecard.ts'
import { messageOf, TouchstoneError } from '../errors.ts'
import type { ModelStore } from '../learning/ports.ts'
import { parseScorecard } from '../risk/parse-scorecard.ts'
import type { Signal } from '../signals/signal.ts'
import type { TextModel } from '../signals/text-model/ports.ts'
import type { Telemetry } from '../telemetry.ts'

/** Turns bytes into a text model that can be asked, in threads of its own. Rejects when they are none. */
export interface TextModels {
  load(model: { readonly card: ModelCard; readonly body: Uint8Array }): Promise<TextModel>
}

/** Where promoted versions come from; without `text` those of the text model are left alone. */
export interface ModelSource {
  readonly store: Pick<ModelStore, 'body'>
  readonly text?: TextModels | undefined
}

export interface LoadedModels {
  readonly scorecard: Scorecard
  readonly textModel?: TextModel | undefined
}

/** A detector that is enforced and weighs nothing would only look as if it acted. */
export function assertComplete(signals: readonly Signal[], scorecard: Scorecard): void {
  for (const { name, mode } of signals) {
    if (mode === 'enforce' && !Object.hasOwn(scorecard.signals, name)) {
      throw new Error(`the signal ${name} is enforced and has no knots in the scorecard ${scorecard.version}`)
    }
  }
}

/**
 * A fusion model from its bytes, ready to decide beside these signals.
 * @throws TouchstoneError `model-invalid` saying what does not fit.
 */
export function readFusion(card: ModelCard, body: Uint8Array, signals: readonly Signal[]): Scorecard {
  try {
    const scorecard = parseScorecard(Buffer.from(body).toString('utf8'))
    if (scorecard.version !== card.version) throw new Error(`it calls itself version ${scorecard.version}`)
    assertComplete(signals, scorecard)
    return scorecard
  } catch (error) {
    throw new TouchstoneError('model-invalid', `version ${card.version} of the model fusion: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** A version that could not be loaded is tried again after this long: what failed may have been the machine. */
const RETRY_MS = 10_000

export interface ModelLoading {
  /**
   * What decides when these are active. A version that cannot be loaded leaves the one that decided before, and what ships
   * where none did; it is told by metric and log. Rejects only when the store does not answer.
   */
  load(active: readonly ActiveModel[]): Promise<LoadedModels>
  /** A version waits to be tried again. */
  due(): boolean
}

export function createModelLoading(
  shipped: LoadedModels & { readonly signals: readonly Signal[] },
  source: ModelSource | undefined,
  { metrics, log }: Telemetry,
): ModelLoading {
  let inUse: LoadedModels = shipped
  const keys = new Map<ModelName, string>(MODEL_NAMES.map((name) => [name, SHIPPED]))
  let retryAt = Infinity

  async function load(active: ActiveModel | undefined, name: ModelName, from: ModelSource): Promise<LoadedModels> {
    if (active === undefined)
      return name === 'fusion' ? { ...inUse, scorecard: shipped.scorecard } : { ...inUse, textModel: shipped.textModel }
    const body = await from.store.body(name, active.version)
    if (name === 'fusion') return { ...inUse, scorecard: readFusion(active.card, body, shipped.signals) }
    if (from.text === undefined) throw new TouchstoneError('model-invalid', 'nothing here can ask a text model')
    try {
      return { ...inUse, textModel: await from.text.load({ card: active.card, body }) }
    } catch (error) {
      throw new TouchstoneError('model-invalid', messageOf(error), { cause: error })
    }
  }

  return {
    async load(active) {
      retryAt = Infinity
      for (const name of MODEL_NAMES) {
        const wanted = active.find((model) => model.name === name)
        const key = wanted === undefined ? SHIPPED : `${wanted.version} ${wanted.sha256}`
        let stuck = 0
        if (source !== undefined && keys.get(name) !== key) {
          try {
            inUse = await load(wanted, name, source)
            keys.set(name, key)
          } catch (error) {
            // A store that does not answer says nothing about the model; what it refuses by a code does.
            if (!(error instanceof TouchstoneError)) {
              retryAt = performance.now()
              throw error
            }
            stuck = 1
            retryAt = performance.now() + RETRY_MS
            log.error(
              { model: name, version: wanted?.version, err: messageOf(error) },
              'a promoted model cannot be loaded: what decided before still decides',
            )
          }
        }
        metrics.touchstone_model_stuck.set({ model: name }, stuck)
      }
      metrics.touchstone_model_info.reset()
      metrics.touchstone_model_info.set({ model: 'fusion', version: inUse.scorecard.version }, 1)
      if (inUse.textModel !== undefined)
        metrics.touchstone_model_info.set({ model: 'text', version: inUse.textModel.version }, 1)
      return inUse
    },
    due: () => performance.now() >= retryAt,
  }
}

/** No version is called so: they are without spaces. */
const SHIPPED = 'what ships'
