// `evaluate --model`: the version that is asked for with the model that belongs beside it, and the labels that it did not learn from.
import { z } from 'zod'
import type { ModelCard, ModelName } from '../../domain/model.ts'
import type { Scorecard } from '../../domain/scorecard.ts'
import { TouchstoneError } from '../../errors.ts'
import type { LabelledListing } from '../../learning/ports.ts'
import { unlearnt } from '../../learning/split.ts'
import { trainingSet, type TrainingRow } from '../../learning/training-set.ts'
import { expectedText } from '../../pipeline/learning/card.ts'
import { versionsOf, type LearningStores, type Shipped } from '../../pipeline/learning/run-training.ts'
import type { TextOf } from '../../pipeline/learning/text-scores.ts'
import { readFusion, type LoadedModels } from '../../pipeline/models.ts'
import type { VersionName } from './models.ts'

const heldOutSchema = z.object({ heldOut: z.object({ from: z.string(), last: z.string() }) })

/** Labels that the version of this card did not learn from, by the same draw as in its training. Without a card: all. */
export function unseenBy(labels: readonly LabelledListing[], card: ModelCard | undefined): TrainingRow[] {
  const rows = trainingSet(labels)
  if (card === undefined || card.trained.until === null) return rows
  const { until, seed } = card.trained
  const measured = heldOutSchema.safeParse(card.measured)
  if (measured.success) return unlearnt(rows, { seed, ...measured.data.heldOut })
  // Made elsewhere: whoever was known by then may have been learnt from.
  const known = new Set(rows.filter((row) => row.at <= until).map((row) => row.sellerId))
  return rows.filter((row) => row.at > until && !known.has(row.sellerId))
}

/**
 * What decides with the version in its place. A fusion comes with the text model that it was fitted to; else the other model
 * is the active one, or the one that ships. `apart` says so where the two were not fitted to each other.
 */
export async function modelsWith(
  { models }: Pick<LearningStores, 'models'>,
  shipped: Shipped,
  textOf: TextOf,
  asked: VersionName | undefined,
): Promise<LoadedModels & { apart: string | undefined }> {
  const active = await models.active()
  const versionOf = (name: ModelName): string | null =>
    asked?.name === name
      ? asked.version
      : (active.find((model) => model.name === name)?.version ?? versionsOf(shipped)[name])
  const { scorecard, expects } = await fusionOf(models, shipped, versionOf('fusion') ?? '')
  const text = asked?.name === 'fusion' && expects !== undefined ? expects : versionOf('text')
  const apart =
    expects === undefined || expects === text
      ? undefined
      : `the fusion ${scorecard.version} was fitted to the text model ${expects ?? 'none'}, not to ${text ?? 'none'}: together they may stop too much or too little`
  return { scorecard, textModel: text === null ? undefined : await textOf(text), apart }
}

/** A fusion by its version, and the text model that it was fitted to. Throws `not-found` and `model-invalid`. */
export async function fusionOf(
  models: Pick<LearningStores['models'], 'find' | 'body'>,
  shipped: Shipped,
  version: string,
): Promise<{ scorecard: Scorecard; expects: string | null | undefined; card: ModelCard | undefined }> {
  const record = await models.find('fusion', version)
  if (record === undefined && version === shipped.scorecard.version)
    return { scorecard: shipped.scorecard, expects: shipped.text, card: undefined }
  if (record === undefined)
    throw new TouchstoneError('not-found', `there is no version ${version} of the model fusion in the registry`)
  const scorecard = readFusion(record.card, await models.body('fusion', version), shipped.signals)
  return { scorecard, expects: expectedText(record.card), card: record.card }
}
