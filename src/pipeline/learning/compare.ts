// A version beside the one that decides, on the verdicts that it did not learn from; nothing is recorded.
import { expectedText, type ModelCard, type ModelName } from '../../domain/model.ts'
import type { Scorecard } from '../../domain/scorecard.ts'
import { TouchstoneError } from '../../errors.ts'
import type { TrainingRow } from '../../learning/training-set.ts'
import { readFusion, type LoadedModels } from '../models.ts'
import { sideBySide, textFigures } from './card.ts'
import { championOf, readLabels, versionsOf, type LearningStores, type Shipped } from './run-training.ts'
import { heardWith, textScores, type TextOf } from './text-scores.ts'
import { mayHaveLearnt, unseenBy, type Labels } from './unseen.ts'

/** Of a kind: fewer show nothing. */
const LEAST = 5

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
  const { fusion, expects, hears, thresholds, cards } = await championOf(stores, shipped, textOf)
  const { rows, ...used } = enough(await readLabels(stores), { version, card: asked.card, deciding: cards.fusion })
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
  const { rows, ...used } = enough(await readLabels(stores), {
    version,
    card: cardOf(model),
    deciding: deciding.cards.text,
  })
  const [mine, theirs] = [await textScores(model, rows), await deciding.scores(rows)]
  const { heldOut, champion, comparison, places } = textFigures(
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
    places,
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

/** On how many of the verdicts that count a comparison was made, and why not on the others. */
export interface Counted {
  readonly labels: number
  /** Of the rows compared on: drawn from what went on sale unseen. */
  readonly drawn: number
  readonly leftOut: {
    readonly repeated: number
    readonly decidedEarlier: number
    readonly sellerLearntFrom: number
    readonly wordsLearntFrom: number
    /** The version that decides may have learnt from them. */
    readonly learntByTheOther: number
  }
}

interface Sides {
  readonly version: string
  readonly card: ModelCard | undefined
  readonly deciding: ModelCard | undefined
}

function enough(read: Labels, { version, card, deciding }: Sides): Counted & { readonly rows: readonly TrainingRow[] } {
  const {
    labels,
    rows: unseen,
    leftOut: { earlier, sellers, words },
  } = unseenBy(read, card)
  // Whoever knows the rows by heart wins: an older version would lose to the one that learnt from what came since.
  const isLearnt = mayHaveLearnt(read, deciding)
  const rows = unseen.filter((row) => !isLearnt(row))
  const leftOut = {
    repeated: labels - unseen.length - earlier - sellers - words,
    decidedEarlier: earlier,
    sellerLearntFrom: sellers,
    wordsLearntFrom: words,
    learntByTheOther: unseen.length - rows.length,
  }
  for (const label of ['confirmed', 'rejected'] as const) {
    const found = rows.filter((row) => row.label === label).length
    if (found < LEAST)
      throw new TouchstoneError(
        'labels-missing',
        `${LEAST - found} more ${label} listings (${found} of ${LEAST}) that neither ${version} nor the version that decides learnt from, of sellers and in words that were held out then or came since (${earlier} were decided before, ${sellers} left out for their seller, ${words} for their words, ${leftOut.learntByTheOther} because the version that decides may have learnt from them)`,
      )
  }
  return { labels, rows, drawn: rows.filter((row) => row.drawn).length, leftOut }
}

/** Invented listings are no verdicts: what ships has learnt from none. */
const cardOf = ({ card }: { readonly card: ModelCard }): ModelCard | undefined =>
  card.trained.invented ? undefined : card
