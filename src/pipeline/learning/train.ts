// Labels -> new versions of the models, each with a card that says what it learnt from and how it does beside what decides.
//
//   1. set       labels -> rows: each listing once, sellers capped
//   2. split     what is learnt from, and later rows of other sellers to be measured on
//   3. text      n-grams; its scores for the rows that it learnt from come from folds that did not see their seller
//   4. fusion    ratios of all signals, with those scores in the place of the text signal's
//   5. card      both on the rows held out, beside the versions that decide
//
// 3 comes before 4, and its scores are out of fold, because a text model knows its own rows too well: a fusion that
// learnt from such scores would trust it more than it deserves. Pure: the same labels and seed give the same bytes.
import { createHash } from 'node:crypto'
import { MODEL_NAMES, type ModelCard, type ModelName } from '../../domain/model.ts'
import type { Policy } from '../../domain/policy.ts'
import type { Scorecard } from '../../domain/scorecard.ts'
import type { SignalResult } from '../../domain/signal-result.ts'
import { TouchstoneError } from '../../errors.ts'
import { fitFusion } from '../../learning/fit-fusion.ts'
import type { LabelledListing } from '../../learning/ports.ts'
import { split, type Split } from '../../learning/split.ts'
import { trainText, type TrainedText } from '../../learning/text/train-text.ts'
import { trainingSet, type TrainingRow } from '../../learning/training-set.ts'
import { judge, textFigures } from './card.ts'

export interface TrainingOptions {
  readonly seed: number
  readonly models: readonly ModelName[]
  /** What is held to where labels are few. */
  readonly shipped: Scorecard
  /** What decides now: the version that a new one is compared with. */
  readonly champion: { readonly fusion: Scorecard; readonly text: string | null }
  readonly thresholds: Policy['thresholds']
}

export interface TrainedModel {
  readonly card: ModelCard
  readonly body: Uint8Array
}

export interface Training {
  readonly trained: readonly TrainedModel[]
  /** Models that were asked for and could not be made, with the reason. */
  readonly refused: readonly { readonly name: ModelName; readonly code: string; readonly message: string }[]
}

/** @throws TouchstoneError `labels-missing` where none of the models could be made, saying how many of which are missing. */
export function train(labels: readonly LabelledListing[], options: TrainingOptions): Training {
  const parts = split(trainingSet(labels), options.seed)
  const trained: TrainedModel[] = []
  const refused: { name: ModelName; code: string; message: string }[] = []
  let text: TrainedText | undefined
  if (options.models.includes('text')) {
    try {
      text = trainText(parts.learn.map(asTextRow), { seed: options.seed })
      trained.push({ body: text.onnx, card: { ...text.card, measured: textMeasured(text, parts, options) } })
    } catch (error) {
      if (!(error instanceof TouchstoneError)) throw error
      if (!options.models.includes('fusion')) throw error
      refused.push({ name: 'text', code: error.code, message: error.message })
    }
  }
  if (options.models.includes('fusion')) trained.push(trainFusion(parts, text, options))
  return {
    trained: trained.toSorted((a, b) => MODEL_NAMES.indexOf(a.card.name) - MODEL_NAMES.indexOf(b.card.name)),
    refused,
  }
}

/** How loud a seller is counts for words as it does for ratios. */
const asTextRow = (row: TrainingRow): TrainingRow => ({ ...row, weight: row.fitWeight })

function trainFusion(parts: Split, text: TrainedText | undefined, options: TrainingOptions): TrainedModel {
  const { learn, heldOut } = parts
  const scorecard = fitFusion(
    options.shipped,
    learn.map((row, i) => ({
      ...row,
      positive: row.label === 'confirmed',
      signals: text === undefined ? row.signals : withText(row, text.outOfFold[i]),
    })),
  )
  const asked = heldOut.map((row) =>
    text === undefined ? row : { ...row, signals: withText(row, scoreOf(text, row)) },
  )
  const body = Buffer.from(`${JSON.stringify(scorecard, null, 2)}\n`)
  return {
    body,
    card: {
      name: 'fusion',
      version: scorecard.version,
      description: scorecard.description,
      sha256: createHash('sha256').update(body).digest('hex'),
      ...(text === undefined ? {} : { expects: { text: text.card.version } }),
      trained: { seed: options.seed, ...learntFrom(learn), invented: false },
      measured: judge(parts, {
        candidate: { scorecard, rows: asked },
        champion: { scorecard: options.champion.fusion, rows: heldOut },
        thresholds: options.thresholds,
      }),
    },
  }
}

/** What the new text model says of a row; undefined where it abstains, as it does outside of its marketplaces. */
const scoreOf = (text: TrainedText, { listing, marketplace }: TrainingRow): number | undefined =>
  text.card.trained.marketplaces.includes(marketplace ?? '') ? text.score(listing) : undefined

/** The row's signals with the text signal as a new model gives it; what was decided before there was one gets it too. */
function withText(row: TrainingRow, score: number | undefined): TrainingRow['signals'] {
  const before = row.signals.find((signal) => signal.name === TEXT_SIGNAL) ?? NO_TEXT
  const { score: _, ...rest } = before
  const now: SignalResult = score === undefined ? { ...rest, state: 'abstained' } : { ...rest, state: 'scored', score }
  return [...row.signals.filter((signal) => signal.name !== TEXT_SIGNAL), now]
}

/** The detector that asks the text model. */
const TEXT_SIGNAL = 'text-model'
const NO_TEXT: SignalResult = {
  name: TEXT_SIGNAL,
  version: '0',
  state: 'abstained',
  contribution: 0,
  evidence: {},
  durationMs: 0,
}

function learntFrom(learn: readonly TrainingRow[]) {
  return {
    marketplaces: [...new Set(learn.flatMap((row) => row.marketplace ?? []))].toSorted(),
    rows: learn.length,
    confirmed: learn.filter((row) => row.label === 'confirmed').length,
    until: learn.at(-1)?.at ?? null,
  }
}

function textMeasured(
  text: TrainedText,
  { heldOut, from }: Split,
  { champion }: TrainingOptions,
): ModelCard['measured'] {
  const own = text.card.measured
  const rows = heldOut.map((row) => {
    const now = row.signals.find((signal) => signal.name === TEXT_SIGNAL && signal.state === 'scored')
    return { ...row, candidate: scoreOf(text, row), champion: now?.score }
  })
  return { ...own, ...textFigures(rows, { from, champion: champion.text }) }
}
