// `evaluate --model`: a registered version beside the one that decides, on a file or on the verdicts that it did not learn from.
import { z } from 'zod'
import type { ModelCard } from '../../domain/model.ts'
import { TouchstoneError } from '../../errors.ts'
import type { LabelledListing } from '../../learning/ports.ts'
import { unlearnt } from '../../learning/split.ts'
import { trainingSet, type TrainingRow } from '../../learning/training-set.ts'
import { measuredRow } from '../../pipeline/learning/card.ts'
import { compareModels, measure } from '../../pipeline/learning/measure.ts'
import {
  championOf,
  readLabels,
  versionsOf,
  type LearningStores,
  type Shipped,
} from '../../pipeline/learning/run-training.ts'
import { readFusion, type LoadedModels, type TextModels } from '../../pipeline/models.ts'
import { comparisonLine, figureLines } from '../model-text.ts'
import type { VersionName } from './models.ts'

/** Fewer show nothing. */
const LEAST = 5

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

/** What decides with the version in its place; the other model is the active one, or the one that ships. */
export async function modelsWith(
  { models }: Pick<LearningStores, 'models'>,
  shipped: Shipped & LoadedModels,
  text: TextModels,
  asked: VersionName | undefined,
): Promise<LoadedModels> {
  let loaded: LoadedModels = { scorecard: shipped.scorecard, textModel: shipped.textModel }
  const active = await models.active()
  for (const { name, version } of [
    ...active.filter((m) => m.name !== asked?.name),
    ...(asked === undefined ? [] : [asked]),
  ]) {
    const record = await models.find(name, version)
    if (record === undefined && version === versionsOf(shipped)[name]) continue
    if (record === undefined)
      throw new TouchstoneError('not-found', `there is no version ${version} of the model ${name} in the registry`)
    const body = await models.body(name, version)
    loaded =
      name === 'fusion'
        ? { ...loaded, scorecard: readFusion(record.card, body, shipped.signals) }
        : { ...loaded, textModel: await text.load({ card: record.card, body }) }
  }
  return loaded
}

/**
 * A fusion beside the one that decides, on the verdicts since. A text model is tried on files: what verdicts keep of it are
 * the scores of the version that decided.
 */
export async function onVerdicts(stores: LearningStores, shipped: Shipped, { name, version }: VersionName) {
  if (name !== 'fusion')
    throw new TouchstoneError('usage', 'a text model is compared on files: give --input; `models show` has its figures')
  const record = await stores.models.find(name, version)
  if (record === undefined && version !== shipped.scorecard.version)
    throw new TouchstoneError('not-found', `there is no version ${version} of the model ${name} in the registry`)
  const scorecard =
    record === undefined
      ? shipped.scorecard
      : readFusion(record.card, await stores.models.body(name, version), shipped.signals)
  const champion = await championOf(stores, shipped)
  const rows = unseenBy(await readLabels(stores), record?.card)
  for (const label of ['confirmed', 'rejected'] as const) {
    const found = rows.filter((row) => row.label === label).length
    if (found < LEAST)
      throw new TouchstoneError(
        'labels-missing',
        `${LEAST - found} more ${label} listings (${found} of ${LEAST}) that ${version} did not learn from, of sellers that were held out then or came since`,
      )
  }
  const [candidate, deciding] = [scorecard, champion.fusion].map((card) => rows.map((row) => measuredRow(row, card)))
  return {
    rows: rows.length,
    candidate: { version, ...measure(candidate ?? [], champion.thresholds) },
    champion: { version: champion.fusion.version, ...measure(deciding ?? [], champion.thresholds) },
    comparison: compareModels(candidate ?? [], deciding ?? []),
  }
}

export function renderCompared({
  rows,
  candidate,
  champion,
  comparison,
}: Awaited<ReturnType<typeof onVerdicts>>): string {
  return [
    `On ${rows} listings that the version did not learn from:`,
    ...figureLines(`version ${candidate.version}`, candidate),
    ...figureLines(`version ${champion.version}, which decides`, champion),
    comparisonLine(comparison),
  ].join('\n')
}
