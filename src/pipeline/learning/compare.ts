// A version beside the one that decides, on the verdicts that it did not learn from; nothing is recorded.
import { z } from 'zod'
import { expectedText, type ModelCard, type ModelName } from '../../domain/model.ts'
import type { Scorecard } from '../../domain/scorecard.ts'
import { TouchstoneError } from '../../errors.ts'
import { unlearnt, type Unlearnt } from '../../learning/split.ts'
import { trainingSet, type TrainingRow } from '../../learning/training-set.ts'
import { readFusion, type LoadedModels } from '../models.ts'
import { sideBySide, textFigures, WORDS_DRAWN } from './card.ts'
import { championOf, readLabels, versionsOf, type Labels, type LearningStores, type Shipped } from './run-training.ts'
import { heardWith, textScores, type TextOf } from './text-scores.ts'

/** Of a kind: fewer show nothing. */
const LEAST = 5

const heldOutSchema = z.object({
  heldOut: z.object({ from: z.string(), draw: z.string(), seen: z.string(), words: z.string().optional() }),
})

export interface Unseen extends Unlearnt {
  /** Verdicts that count; those neither among the rows nor left out repeat another one. */
  readonly labels: number
}

/** Labels that the version of this card did not learn from, by the same draws as in its training. Without a card: all. */
export function unseenBy(read: Labels, card: ModelCard | undefined): Unseen {
  const labels = read.labels.length
  if (card === undefined || card.trained.until === null)
    return { labels, rows: trainingSet(read.labels), leftOut: { earlier: 0, sellers: 0, words: 0 } }
  const { until, seed } = card.trained
  const measured = heldOutSchema.safeParse(card.measured)
  if (measured.success) {
    const { seen, words, from, draw } = measured.data.heldOut
    const wordsDrawn = words === WORDS_DRAWN
    return { labels, ...unlearnt(read, { seed, boundary: { from, draw }, seen, wordsDrawn }) }
  }
  // Made elsewhere, or before listings were split by their decision: `until` may be the time of a verdict. No listing is
  // judged before it is decided, so what was decided later was not learnt from; whoever was known by then may have been.
  return {
    labels,
    ...unlearnt(read, { seed, boundary: { from: until, draw: BEHIND_ALL }, seen: '', wordsDrawn: false }),
  }
}

/** Above every draw: nothing that was decided at the very time of a boundary lies behind it. */
const BEHIND_ALL = 'g'

/**
 * A fusion, each hearing the text model that it was fitted to: what verdicts keep are the scores of the one that decided then.
 * @throws TouchstoneError `not-found`, `model-invalid`, and `labels-missing` saying how many of which are missing.
 */
export async function fusionOnVerdicts(
  stores: LearningStores,
  shipped: Shipped,
  textOf: TextOf,
  { version, maxFpr }: { readonly version: string; readonly maxFpr?: number | undefined },
) {
  const asked = await fusionOf(stores.models, shipped, version)
  const { fusion, expects, hears, thresholds } = await championOf(stores, shipped, textOf)
  const { rows, ...used } = enough(unseenBy(await readLabels(stores), asked.card), version)
  const { candidate, champion, comparison } = sideBySide({
    candidate: { scorecard: asked.scorecard, rows: await heardWith(textOf, asked.expects, rows) },
    champion: { scorecard: fusion, rows: await hears(rows) },
    thresholds,
    maxFpr,
  })
  return {
    ...used,
    rows: rows.length,
    candidate: { version, text: textName(asked.expects), ...candidate },
    champion: { version: fusion.version, text: textName(expects), ...champion },
    comparison,
  }
}

/**
 * A text model alone: how well it tells the rows apart beside the active one.
 * @throws TouchstoneError `not-found`, `model-invalid`, and `labels-missing` saying how many of which are missing.
 */
export async function textOnVerdicts(stores: LearningStores, shipped: Shipped, textOf: TextOf, version: string) {
  const model = await textOf(version)
  const deciding = await championOf(stores, shipped, textOf)
  const { rows, ...used } = enough(unseenBy(await readLabels(stores), model.card), version)
  const [mine, theirs] = [await textScores(model, rows), await deciding.scores(rows)]
  const { heldOut, champion, comparison } = textFigures(
    rows.map((row, i) => ({ ...row, candidate: mine[i], champion: theirs[i] })),
    { champion: deciding.text },
  )
  return {
    ...used,
    rows: rows.length,
    candidate: {
      version,
      scored: heldOut.scored,
      auc: heldOut.auc,
      within: heldOut.within,
      overt: heldOut.overt,
      silent: heldOut.silent,
    },
    champion,
    comparison,
  }
}

/**
 * What decides with the version in its place. A fusion comes with the text model that it was fitted to; else the other model
 * is the active one, or the one that ships. `apart` says so where the two were not fitted to each other.
 */
export async function modelsWith(
  { models }: Pick<LearningStores, 'models'>,
  shipped: Shipped,
  textOf: TextOf,
  asked: Pick<ModelCard, 'name' | 'version'> | undefined,
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
async function fusionOf(
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

const textName = (version: string | null | undefined): string =>
  version === undefined ? 'the text scores recorded' : version === null ? 'no text model' : `text ${version}`

/** Verdicts that count, and those that are measured on neither, by why. */
interface Compared {
  readonly labels: number
  readonly rows: readonly TrainingRow[]
  /** Of the rows: drawn from what went on sale unseen. */
  readonly drawn: number
  readonly leftOut: {
    readonly repeated: number
    readonly decidedEarlier: number
    readonly sellerLearntFrom: number
    readonly wordsLearntFrom: number
  }
}

function enough({ labels, rows, leftOut: { earlier, sellers, words } }: Unseen, version: string): Compared {
  const leftOut = {
    repeated: labels - rows.length - earlier - sellers - words,
    decidedEarlier: earlier,
    sellerLearntFrom: sellers,
    wordsLearntFrom: words,
  }
  for (const label of ['confirmed', 'rejected'] as const) {
    const found = rows.filter((row) => row.label === label).length
    if (found < LEAST)
      throw new TouchstoneError(
        'labels-missing',
        `${LEAST - found} more ${label} listings (${found} of ${LEAST}) that ${version} did not learn from, of sellers and in words that were held out then or came since (${earlier} were decided before, ${sellers} left out for their seller, ${words} for their words)`,
      )
  }
  return { labels, rows, drawn: rows.filter((row) => row.drawn).length, leftOut }
}
