// `evaluate --model` without files: how a version does on verdicts beside the one that decides, as one JSON document and as a person reads it.
import { fusionOnVerdicts, textOnVerdicts } from '../../pipeline/learning/compare.ts'
import { losses } from '../../pipeline/learning/objections.ts'
import { fusionFittedTo } from '../../pipeline/learning/promote.ts'
import type { LearningStores, Shipped } from '../../pipeline/learning/run-training.ts'
import type { TextOf } from '../../pipeline/learning/text-scores.ts'
import { comparisonLines, figureLines, textLines } from '../model-text.ts'
import type { VersionName } from './models.ts'

interface Compared {
  readonly document: Readonly<Record<string, unknown>>
  readonly said: string
}

/** @throws TouchstoneError `not-found`, `model-invalid`, and `labels-missing` saying how many of which are missing. */
export async function onVerdicts(
  stores: LearningStores,
  shipped: Shipped,
  textOf: TextOf,
  { name, version }: VersionName,
): Promise<Compared> {
  if (name === 'fusion') {
    const document = await fusionOnVerdicts(stores, shipped, textOf, version)
    const { rows, candidate, champion, comparison } = document
    const named = (one: typeof candidate) => `version ${one.version} with ${one.text}`
    return told(rows, document, [
      ...figureLines(named(candidate), candidate),
      ...figureLines(`${named(champion)}, which decides`, champion),
      ...comparisonLines(comparison, losses({ measured: document })),
    ])
  }
  const document = await textOnVerdicts(stores, shipped, textOf, version)
  const { rows, candidate, champion, comparison } = document
  const fitted = await fusionFittedTo(stores.models, version)
  return told(rows, document, [
    ...textLines({ heldOut: { rows, ...candidate }, champion, comparison }),
    ...(fitted === undefined
      ? []
      : [
          `What the gate would decide with it: touchstone evaluate --model fusion@${fitted.version}, which was fitted to it.`,
        ]),
  ])
}

const told = (rows: number, document: Compared['document'], lines: readonly string[]): Compared => ({
  document,
  said: [`On ${rows} listings that the version did not learn from:`, ...lines].join('\n'),
})
