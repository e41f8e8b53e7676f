// A version of a model on its way to decide: it must exist, fit this gate, and not do worse, unless somebody insists.
import type { ModelName } from '../../domain/model.ts'
import { TouchstoneError } from '../../errors.ts'
import type { Activation, ModelStore } from '../../learning/ports.ts'
import type { Signal } from '../../signals/signal.ts'
import { readFusion, type TextModels } from '../models.ts'
import { objections } from './card.ts'

export interface PromotionParts {
  readonly store: ModelStore
  readonly signals: readonly Signal[]
  /** Tries a text model; without it only its bytes are checked. */
  readonly text?: TextModels | undefined
  /** The text model that decides where none is promoted. */
  readonly shippedText: string | null
}

export interface Promotion extends Activation {
  /** What spoke against it and was overruled. */
  readonly overruled: readonly string[]
}

/**
 * Makes a version decide in every running worker, within two seconds.
 * @throws TouchstoneError `not-found`, `model-invalid` where it does not fit, `model-loses` where its card speaks against it
 * and `force` is not given. Then nothing changes.
 */
export async function promoteModel(
  parts: PromotionParts,
  name: ModelName,
  version: string,
  options: { readonly by: string; readonly force: boolean },
): Promise<Promotion> {
  const { store, signals, text } = parts
  const body = await store.body(name, version)
  const record = await store.find(name, version)
  if (record === undefined)
    throw new TouchstoneError('not-found', `there is no version ${version} of the model ${name} in the registry`)
  if (name === 'fusion') readFusion(record.card, body, signals)
  else await text?.load({ card: record.card, body })
  const active = (await store.active()).find((model) => model.name === 'text')?.version ?? parts.shippedText
  const against = objections(record.card, { text: active ?? undefined })
  if (against.length > 0 && !options.force)
    throw new TouchstoneError('model-loses', `${name} ${version}: ${against.join('; ')}`)
  return { ...(await store.promote(name, version, options.by)), overruled: against }
}
