// `evaluate --model` without files: how a version does on verdicts beside the one that decides, as one JSON document and as a person reads it.
import { TouchstoneError } from '../../errors.ts'
import { fusionsFittedTo } from '../../pipeline/learning/against.ts'
import { fusionOnVerdicts, textOnVerdicts } from '../../pipeline/learning/compare.ts'
import { losses } from '../../pipeline/learning/objections.ts'
import type { LearningStores, Shipped } from '../../pipeline/learning/run-training.ts'
import { textPlaceLines } from '../../pipeline/learning/text-places.ts'
import type { TextOf } from '../../pipeline/learning/text-scores.ts'
import { comparedText, comparisonLines, figureLines, placeLines, textLines } from '../model-text.ts'
import type { VersionName } from './models.ts'

interface Compared {
  readonly document: Readonly<Record<string, unknown>>
  readonly said: string
}

/**
 * A figure that looks masked and is not would be believed.
 * @throws TouchstoneError `usage` for options that only files heed.
 */
export function checkVerdictOptions(options: {
  readonly model: VersionName
  readonly maxFpr?: number
  readonly policy?: string
  readonly brands?: string
  readonly mask: readonly unknown[]
}): void {
  const { policy, brands, mask } = options
  const unheeded = Object.entries({ '--policy': policy, '--brands': brands, '--mask': mask[0] })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name)
  if (unheeded.length > 0)
    throw new TouchstoneError(
      'usage',
      `${unheeded.join(', ')} needs --input: verdicts are tried on what was kept of their signals`,
    )
  if (options.model.name === 'text' && options.maxFpr !== undefined)
    throw new TouchstoneError(
      'usage',
      '--max-fpr without --input is for versions of the fusion: a text model stops nothing',
    )
}

/** @throws TouchstoneError `not-found`, `model-invalid`, and `labels-missing` saying how many of which are missing. */
export async function onVerdicts(
  stores: LearningStores,
  shipped: Shipped,
  textOf: TextOf,
  { name, version }: VersionName,
  maxFpr: number | undefined,
): Promise<Compared> {
  if (name === 'fusion') {
    const document = await fusionOnVerdicts(stores, shipped, textOf, { version, maxFpr })
    const { candidate, champion, comparison } = document
    const named = (one: typeof candidate) => `version ${one.version} with ${one.text}`
    return told(document, [
      ...figureLines(named(candidate), candidate),
      ...figureLines(`${named(champion)}, which decides`, champion),
      ...comparisonLines(comparison, losses({ measured: document })),
      ...placeLines(document),
    ])
  }
  const document = await textOnVerdicts(stores, shipped, textOf, version)
  const { rows, candidate, champion, comparison } = document
  const [fitted] = await fusionsFittedTo(stores.models, version)
  return told(document, [
    ...textLines({ heldOut: { rows, ...candidate }, champion, comparison }),
    ...textPlaceLines(document),
    ...(fitted === undefined
      ? []
      : [
          `What the gate would decide with it: touchstone evaluate --model fusion@${fitted.version}, which was fitted to it.`,
        ]),
  ])
}

const told = (
  document: Compared['document'] & Parameters<typeof comparedText>[0],
  lines: readonly string[],
): Compared => ({
  document,
  said: [comparedText(document), ...lines].join('\n'),
})
