// `train`: verdicts become new versions of the models, each with a card, kept in the store; nothing is promoted.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { createTrainings } from '../../adapters/postgres/trainings.ts'
import { expectedText, MODEL_NAMES, type ModelName } from '../../domain/model.ts'
import type { AskedVersions } from '../../learning/ports.ts'
import type { PromotionParts } from '../../pipeline/learning/against.ts'
import { cardObjections } from '../../pipeline/learning/objections.ts'
import { wouldRefuse } from '../../pipeline/learning/promote.ts'
import { runTraining, versionsOf, type TrainingReport } from '../../pipeline/learning/run-training.ts'
import { inTurn } from '../../pipeline/learning/turn.ts'
import { learningStores, openTexts, shippedModels } from '../learning.ts'
import { cardText, usedText } from '../model-text.ts'
import { COMMAND_LINE, print, withStore } from './with-store.ts'

interface Options {
  seed: number
  model: ModelName | 'all'
  json?: boolean
}

/** What fits into 32 bits is told apart by every part that draws. */
export const seedOf = (text: string): number => {
  const seed = Number(text)
  if (text.trim() === '' || !Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff)
    throw new InvalidArgumentError('It is a whole number from 0 to 4294967295.')
  return seed
}

export function registerTrain(program: Command): void {
  program
    .command('train')
    .description(
      'Learn from the verdicts: fit the fusion and the text model anew, keep each as a version with a card, and say how it compares with what decides. Nothing is promoted.',
    )
    .option(
      '--seed <n>',
      'draws sellers and folds; the same seed, verdicts and deciding version give the same bytes',
      seedOf,
      1,
    )
    .addOption(new Option('--model <name>', 'which one').choices([...MODEL_NAMES, 'all']).default('all'))
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone train --seed 7 && touchstone models list\n\nExit codes: 0 done; 1 there are too few verdicts, the message says how many of which are missing, or another training runs; 2 wrong usage.',
    )
    .action(async (options: Options) => {
      await withStore('train', async ({ database }) => {
        const stores = learningStores(database)
        const texts = openTexts(stores.models)
        try {
          const models = options.model === 'all' ? MODEL_NAMES : [options.model]
          const asked = { seed: options.seed, models, by: COMMAND_LINE }
          const shipped = await shippedModels()
          const report = await inTurn(createTrainings(database), asked, () =>
            runTraining(stores, shipped, texts.of, asked),
          )
          const { models: store, reference } = stores
          const parts = { store, reference, signals: shipped.signals, shipped: versionsOf(shipped) }
          print(options.json, report, render(report, await promotionsOf(report, parts)))
        } finally {
          await texts.close()
        }
      })
    })
}

/** What promotes what was made: a fusion with the text model that it was fitted to, as one change. By force where it would be refused. */
async function promotionsOf({ made }: TrainingReport, parts: PromotionParts): Promise<string[]> {
  const cardOf = (name: ModelName) => made.find(({ model }) => model.name === name)?.model.card
  const [fusion, text] = [cardOf('fusion'), cardOf('text')]
  const isPair = fusion !== undefined && text !== undefined && expectedText(fusion) === text.version
  const asked: AskedVersions[] = isPair
    ? [{ fusion: fusion.version, text: text.version }]
    : [
        ...(text === undefined ? [] : [{ text: text.version }]),
        ...(fusion === undefined ? [] : [{ fusion: fusion.version }]),
      ]
  const lines: string[] = []
  for (const one of asked) {
    const names = [
      ...(one.text === undefined ? [] : [`text@${one.text}`]),
      ...(one.fusion === undefined ? [] : [`fusion@${one.fusion}`]),
    ]
    // The registry keeps the card of the first time; this training may know more.
    const cards = [fusion, text].filter((card) => card !== undefined && one[card.name] === card.version)
    const against = [
      ...(await wouldRefuse(parts, one)),
      ...cards.flatMap((card) => (card === undefined ? [] : cardObjections(card))),
    ]
    lines.push(
      `touchstone models promote ${names.join(' ')}${against.length > 0 ? ' --force    # else it is refused' : ''}`,
    )
  }
  return lines
}

function render({ made, refused, ...used }: TrainingReport, promotions: readonly string[]): string {
  const parts = [usedText(used)]
  for (const { model, present, mended } of made.toSorted((a, b) => rank(a.model.name) - rank(b.model.name))) {
    const before = present ? `, the same version as before${mended ? ': its damaged bytes were written anew' : ''}` : ''
    parts.push(`${model.name}@${model.version}${before}\n${cardText(model.card)}`)
  }
  for (const { name, message } of refused) parts.push(`${name}: not made: ${message}`)
  if (promotions.length > 0) parts.push(promotions.map((line) => `  ${line}`).join('\n'))
  return `${parts.join('\n\n')}\n`
}

const rank = (name: ModelName): number => (name === 'text' ? 0 : 1)
