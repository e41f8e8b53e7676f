// Labels -> new versions of the models, each with a card that says what it learnt from and how it does beside what decides.
//
//   1. set       labels -> rows: each listing once, sellers capped
//   2. split     what is learnt from, and later rows of other sellers, in other words, to be measured on
//   3. text      n-grams; its scores for the rows that it learnt from come from folds that did not see their seller
//   4. fusion    ratios of all signals, with those scores in the place of the text signal's; it decides where it learnt
//   5. card      both on the rows held out, beside the versions that decide
//
// 3 comes before 4, and its scores are out of fold, because a text model knows its own rows too well: a fusion that
// learnt from such scores would trust it more than it deserves. Pure: the same labels and seed give the same bytes.
import { createHash } from 'node:crypto'
import { MODEL_NAMES, type ModelCard, type ModelName } from '../../domain/model.ts'
import type { Policy } from '../../domain/policy.ts'
import type { Scorecard } from '../../domain/scorecard.ts'
import { TouchstoneError } from '../../errors.ts'
import { fitFusion } from '../../learning/fit-fusion.ts'
import type { LabelledListing, Unloadable } from '../../learning/ports.ts'
import { scoped } from '../../learning/scope.ts'
import { split, type Split } from '../../learning/split.ts'
import { trainText, type TrainedText } from '../../learning/text/train-text.ts'
import { trainingSet, type TrainingRow } from '../../learning/training-set.ts'
import { judge, textFigures, type Seen } from './card.ts'
import { saidBy } from './said-by.ts'
import { scopeSaid } from './scope-said.ts'
import { unmeasuredAt } from './text-places.ts'
import { withText } from './text-scores.ts'

/** What decides now: the versions that new ones are compared with. */
export interface Champion {
  readonly fusion: Scorecard
  /** Rows with the text signal as that fusion expects it: those were recorded while another model may have decided. */
  readonly hears: (rows: readonly TrainingRow[]) => Promise<readonly TrainingRow[]>
  readonly text: string | null
  /** What that text model says of rows; undefined where it abstains. */
  readonly scores: (rows: readonly TrainingRow[]) => Promise<readonly (number | undefined)[]>
  /** Rows held out here that it may know by heart: with another seed, or where older listings were judged since. */
  readonly mayHaveLearnt?: Readonly<Record<ModelName, (row: TrainingRow) => boolean>>
  /** Promoted versions in whose place it stands. */
  readonly unloadable?: readonly Unloadable[]
}

export interface TrainingOptions {
  readonly seed: number
  readonly models: readonly ModelName[]
  /** What is held to where labels are few. */
  readonly shipped: Scorecard
  readonly champion: Champion
  readonly thresholds: Policy['thresholds']
  /** The risks from which the policy holds, of all brands (`holdsOf`); default: that of `thresholds`. */
  readonly holds?: readonly number[]
}

export interface TrainedModel {
  readonly card: ModelCard
  readonly body: Uint8Array
}

/** What became of the labels; a type, as a card keeps it as JSON. */
export type Used = {
  /** Verdicts that count. */
  readonly labels: number
  readonly learntFrom: number
  readonly heldOut: number
  readonly leftOut: {
    /** Of a listing, or of a seller's words, of which another one stands for it. */
    readonly repeated: number
    /** Their seller came before and after the boundary, and was drawn for the other side. */
    readonly sellerOnBothSides: number
    /** Their words, but for numbers and signs, came before and after the boundary, and were drawn for the other side. */
    readonly wordsOnBothSides: number
  }
}

export interface Training {
  readonly used: Used
  readonly trained: readonly TrainedModel[]
  /** Models that were asked for and could not be made, with the reason. */
  readonly refused: readonly { readonly name: ModelName; readonly code: string; readonly message: string }[]
}

/** @throws TouchstoneError `labels-missing` where none of the models could be made, saying how many of which are missing. */
export async function train(labels: readonly LabelledListing[], options: TrainingOptions): Promise<Training> {
  const rows = trainingSet(labels)
  const parts = { ...split(rows, options.seed), seen: lastRecorded(labels) }
  const used: Used = {
    labels: labels.length,
    learntFrom: parts.learn.length,
    heldOut: parts.heldOut.length,
    leftOut: {
      repeated: labels.length - rows.length,
      sellerOnBothSides: parts.leftOut.sellers,
      wordsOnBothSides: parts.leftOut.words,
    },
  }
  const { unloadable = [] } = options.champion
  const instead = unloadable.length === 0 ? {} : { unloadable: [...unloadable] }
  const told = (card: ModelCard): ModelCard => ({ ...card, measured: { ...card.measured, used, ...instead } })
  const trained: TrainedModel[] = []
  const refused: { name: ModelName; code: string; message: string }[] = []
  let text: TrainedText | undefined
  if (options.models.includes('text')) {
    try {
      text = trainText(parts.learn.map(asTextRow), { seed: options.seed })
      trained.push({
        body: text.onnx,
        card: told({ ...text.card, measured: await textMeasured(text, parts, options) }),
      })
    } catch (error) {
      if (!(error instanceof TouchstoneError)) throw error
      if (!options.models.includes('fusion')) throw error
      refused.push({ name: 'text', code: error.code, message: error.message })
    }
  }
  if (options.models.includes('fusion')) {
    const fusion = await trainFusion(parts, text, options)
    trained.push({ ...fusion, card: told(fusion.card) })
  }
  return {
    used,
    trained: trained.toSorted((a, b) => MODEL_NAMES.indexOf(a.card.name) - MODEL_NAMES.indexOf(b.card.name)),
    refused,
  }
}

type Parts = Split & Seen

/** How loud a seller is counts for words as it does for ratios. */
const asTextRow = (row: TrainingRow): TrainingRow => ({ ...row, weight: row.fitWeight })

/** The latest of them; everything that a version may have learnt from was recorded by then. */
const lastRecorded = (labels: readonly LabelledListing[]): string =>
  labels.reduce((last, { recordedAt }) => (recordedAt > last ? recordedAt : last), '')

async function trainFusion(
  parts: Parts,
  text: TrainedText | undefined,
  options: TrainingOptions,
): Promise<TrainedModel> {
  const { learn, heldOut } = parts
  const fitted = fitFusion(
    options.shipped,
    learn.map((row, i) => ({
      ...row,
      positive: row.label === 'confirmed',
      signals: text === undefined ? row.signals : withText(row, text.outOfFold[i]),
    })),
    options.holds ?? [options.thresholds.hold],
  )
  const scorecard = scoped(fitted, learn, options.champion.fusion)
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
      prior: scorecard.prior,
      ...(scorecard.scope === undefined ? {} : { scope: scopeSaid(scorecard.scope) }),
      trained: { seed: options.seed, ...learntFrom(learn), invented: false },
      measured: withLearnt(
        options.champion.mayHaveLearnt?.fusion,
        heldOut,
        judge(parts, {
          candidate: { scorecard, rows: asked },
          champion: { scorecard: options.champion.fusion, rows: await options.champion.hears(heldOut) },
          thresholds: options.thresholds,
        }),
      ),
    },
  }
}

/** What the new text model says of a row; undefined where it abstains, as it does outside of its marketplaces. */
const scoreOf = (text: TrainedText, { listing, marketplace }: TrainingRow): number | undefined =>
  text.card.trained.marketplaces.includes(marketplace ?? '') ? text.score(listing) : undefined

function learntFrom(learn: readonly TrainingRow[]) {
  return {
    marketplaces: [...new Set(learn.flatMap((row) => row.marketplace ?? []))].toSorted(),
    rows: learn.length,
    confirmed: learn.filter((row) => row.label === 'confirmed').length,
    // In order of time.
    until: learn.at(-1)?.at ?? null,
  }
}

async function textMeasured(
  text: TrainedText,
  { learn, heldOut, boundary, seen }: Parts,
  { champion }: TrainingOptions,
): Promise<ModelCard['measured']> {
  const own = text.card.measured
  const now = await champion.scores(heldOut)
  const rows = heldOut.map((row, i) => ({ ...row, candidate: scoreOf(text, row), champion: now[i] }))
  const learntFrom = { rows: learn.length, saidBy: saidBy(learn) }
  const figures = textFigures(rows, { boundary, seen, champion: champion.text })
  // It speaks there all the same: whoever promotes it should know.
  const unmeasured = unmeasuredAt(text.card.trained.marketplaces, figures.places)
  return { ...own, learntFrom, unmeasured, ...withLearnt(champion.mayHaveLearnt?.text, heldOut, figures) }
}

/** How many of the rows flatter the version that decides: it may have learnt from them, and the new one did not. */
function withLearnt<M extends { readonly champion: object }>(
  mayHaveLearnt: ((row: TrainingRow) => boolean) | undefined,
  heldOut: readonly TrainingRow[],
  measured: M,
): M {
  const learnt = mayHaveLearnt === undefined ? 0 : heldOut.filter(mayHaveLearnt).length
  return { ...measured, champion: { ...measured.champion, mayHaveLearnt: learnt } }
}
