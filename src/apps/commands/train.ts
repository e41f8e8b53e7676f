// `train`: verdicts become new versions of the models, each with a card, kept in the store; nothing is promoted.
import { InvalidArgumentError, Option, type Command } from 'commander'
import { createTrainings } from '../../adapters/postgres/trainings.ts'
import { MODEL_NAMES, type ModelName } from '../../domain/model.ts'
import { cardObjections } from '../../pipeline/learning/objections.ts'
import { runTraining, type TrainingReport } from '../../pipeline/learning/run-training.ts'
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
          print(options.json, report, render(report))
        } finally {
          await texts.close()
        }
      })
    })
}

function render({ made, refused, ...used }: TrainingReport): string {
  const parts = [usedText(used)]
  // A fusion is promoted beside the text model that it was fitted to: that one stands first.
  for (const { model, present, mended } of made.toSorted((a, b) => rank(a.model.name) - rank(b.model.name))) {
    const name = `${model.name}@${model.version}`
    const next = `  touchstone models promote ${name}${cardObjections(model.card).length > 0 ? ' --force    # against its card' : ''}`
    const before = present ? `, the same version as before${mended ? ': its damaged bytes were written anew' : ''}` : ''
    parts.push(`${name}${before}\n${cardText(model.card)}\n${next}`)
  }
  for (const { name, message } of refused) parts.push(`${name}: not made: ${message}`)
  return `${parts.join('\n\n')}\n`
}

const rank = (name: ModelName): number => (name === 'text' ? 0 : 1)
