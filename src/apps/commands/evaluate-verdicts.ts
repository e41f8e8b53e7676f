// `evaluate --model` without files: a version beside the one that decides, on the verdicts that it did not learn from.
import { TouchstoneError } from '../../errors.ts'
import type { TrainingRow } from '../../learning/training-set.ts'
import { expectedText, measuredRow, textFigures } from '../../pipeline/learning/card.ts'
import { compareModels, measure } from '../../pipeline/learning/measure.ts'
import { losses } from '../../pipeline/learning/objections.ts'
import { championOf, readLabels, type LearningStores, type Shipped } from '../../pipeline/learning/run-training.ts'
import { heardWith, textScores, type TextOf } from '../../pipeline/learning/text-scores.ts'
import { comparisonLines, figureLines, textLines } from '../model-text.ts'
import { fusionOf, unseenBy } from './evaluate-model.ts'
import type { VersionName } from './models.ts'

/** Fewer show nothing. */
const LEAST = 5

/** One JSON document, and what a person reads. */
export interface Compared {
  readonly document: Readonly<Record<string, unknown>>
  readonly said: string
}

/** @throws TouchstoneError `not-found`, `model-invalid`, and `labels-missing` saying how many of which are missing. */
export const onVerdicts = (
  stores: LearningStores,
  shipped: Shipped,
  textOf: TextOf,
  { name, version }: VersionName,
): Promise<Compared> =>
  name === 'fusion'
    ? fusionOnVerdicts(stores, shipped, textOf, version)
    : textOnVerdicts(stores, shipped, textOf, version)

/** Each fusion hears the text model that it was fitted to: what verdicts keep are the scores of the one that decided then. */
async function fusionOnVerdicts(
  stores: LearningStores,
  shipped: Shipped,
  textOf: TextOf,
  version: string,
): Promise<Compared> {
  const asked = await fusionOf(stores.models, shipped, version)
  const { fusion, expects, hears, thresholds } = await championOf(stores, shipped, textOf)
  const rows = enough(unseenBy(await readLabels(stores), asked.card), version)
  const mine = (await heardWith(textOf, asked.expects, rows)).map((row) => measuredRow(row, asked.scorecard))
  const theirs = (await hears(rows)).map((row) => measuredRow(row, fusion))
  const candidate = { version, text: textName(asked.expects), ...measure(mine, thresholds) }
  const champion = { version: fusion.version, text: textName(expects), ...measure(theirs, thresholds) }
  const comparison = compareModels(mine, theirs, thresholds)
  const document = { rows: rows.length, candidate, champion, comparison }
  const named = (one: typeof candidate) => `version ${one.version} with ${one.text}`
  const said = [
    `On ${rows.length} listings that the version did not learn from:`,
    ...figureLines(named(candidate), candidate),
    ...figureLines(`${named(champion)}, which decides`, champion),
    ...comparisonLines(comparison, losses({ measured: document })),
  ].join('\n')
  return { document, said }
}

/** A text model alone: how well it tells the rows apart beside the active one. */
async function textOnVerdicts(
  stores: LearningStores,
  shipped: Shipped,
  textOf: TextOf,
  version: string,
): Promise<Compared> {
  const model = await textOf(version)
  const deciding = await championOf(stores, shipped, textOf)
  const rows = enough(unseenBy(await readLabels(stores), model.card), version)
  const [mine, theirs] = [await textScores(model, rows), await deciding.scores(rows)]
  const { heldOut, champion, comparison } = textFigures(
    rows.map((row, i) => ({ ...row, candidate: mine[i], champion: theirs[i] })),
    { from: rows[0]?.at ?? '', champion: deciding.text },
  )
  const document = {
    rows: rows.length,
    candidate: { version, scored: heldOut.scored, auc: heldOut.auc },
    champion,
    comparison,
  }
  const fitted = (await stores.models.list('fusion')).find(({ card }) => expectedText(card) === version)
  const said = [
    `On ${rows.length} listings that the version did not learn from:`,
    ...textLines({ heldOut, champion, comparison }),
    ...(fitted === undefined
      ? []
      : [
          `What the gate would decide with it: touchstone evaluate --model fusion@${fitted.version}, which was fitted to it.`,
        ]),
  ].join('\n')
  return { document, said }
}

const textName = (version: string | null | undefined): string =>
  version === undefined ? 'the text scores recorded' : version === null ? 'no text model' : `text ${version}`

function enough(rows: TrainingRow[], version: string): TrainingRow[] {
  for (const label of ['confirmed', 'rejected'] as const) {
    const found = rows.filter((row) => row.label === label).length
    if (found < LEAST)
      throw new TouchstoneError(
        'labels-missing',
        `${LEAST - found} more ${label} listings (${found} of ${LEAST}) that ${version} did not learn from, of sellers that were held out then or came since`,
      )
  }
  return rows
}
