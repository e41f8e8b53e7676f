// The models that decide, kept in memory: what the registry names, else what ships; one that cannot be loaded changes nothing.
import { expectedText, MODEL_NAMES, type ActiveModel, type ModelCard, type ModelName } from '../domain/model.ts'
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
  const { scope } = scorecard
  for (const part of [scorecard, ...(scope === undefined ? [] : [...scope.earlier, scope.elsewhere])]) {
    for (const { name, mode } of signals) {
      if (mode !== 'enforce' || Object.hasOwn(part.signals, name)) continue
      const within = part === scorecard ? '' : ` that the scorecard ${scorecard.version} carries`
      throw new Error(`the signal ${name} is enforced and has no knots in the scorecard ${part.version}${within}`)
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
   * where none did; it is told by metric and log. So does the other model of a fusion and the text model that it was fitted
   * to: one without the other would stop too much or too little. Rejects only when the store does not answer.
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
  const isPair = (active: readonly ActiveModel[]): boolean => {
    const card = active.find(({ name }) => name === 'fusion')?.card
    const expects = card === undefined ? shipped.textModel?.version : expectedText(card)
    return expects === (active.find(({ name }) => name === 'text')?.version ?? shipped.textModel?.version)
  }
  const keys = new Map<ModelName, string>(MODEL_NAMES.map((name) => [name, SHIPPED]))
  let retryAt = Infinity

  async function load(inUse: LoadedModels, { name, active }: Wanted, from: ModelSource): Promise<LoadedModels> {
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
      let next = inUse
      const loaded = new Map<ModelName, string>()
      const stuck = new Set<ModelName>()
      for (const wanted of MODEL_NAMES.map((name) => ({ name, active: active.find((model) => model.name === name) }))) {
        const { name } = wanted
        const key = keyOf(wanted)
        if (source === undefined || keys.get(name) === key) continue
        try {
          next = await load(next, wanted, source)
          loaded.set(name, key)
        } catch (error) {
          // A store that does not answer says nothing about the model; what it refuses by a code does.
          if (!(error instanceof TouchstoneError)) {
            retryAt = performance.now()
            throw error
          }
          stuck.add(name)
          retryAt = performance.now() + RETRY_MS
          log.error(
            { model: name, version: wanted.active?.version, err: messageOf(error) },
            'a promoted model cannot be loaded: what decided before still decides',
          )
        }
      }
      if (stuck.size > 0 && loaded.size > 0 && isPair(active)) {
        for (const [name] of loaded) {
          stuck.add(name)
          log.error({ model: name }, 'a promoted model waits for the other one, which it was fitted to')
        }
      } else {
        inUse = next
        for (const [name, key] of loaded) keys.set(name, key)
      }
      for (const name of MODEL_NAMES) metrics.touchstone_model_stuck.set({ model: name }, stuck.has(name) ? 1 : 0)
      metrics.touchstone_model_info.reset()
      metrics.touchstone_model_info.set({ model: 'fusion', version: inUse.scorecard.version }, 1)
      if (inUse.textModel !== undefined)
        metrics.touchstone_model_info.set({ model: 'text', version: inUse.textModel.version }, 1)
      return inUse
    },
    due: () => performance.now() >= retryAt,
  }
}

interface Wanted {
  readonly name: ModelName
  readonly active: ActiveModel | undefined
}

const keyOf = ({ active }: Wanted): string => (active === undefined ? SHIPPED : `${active.version} ${active.sha256}`)

/** No version is called so: they are without spaces. */
const SHIPPED = 'what ships'
