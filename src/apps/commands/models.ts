// `models`: the versions that the registry keeps: list, show, promote, roll back; live in running workers within 2 s.
import { Argument, InvalidArgumentError, type Command } from 'commander'
import { createModelStore } from '../../adapters/postgres/model-store.ts'
import { MODEL_NAMES, type ModelCard, type ModelName } from '../../domain/model.ts'
import { TouchstoneError } from '../../errors.ts'
import { losses } from '../../pipeline/learning/objections.ts'
import { promoteModel, rollbackModel, type Promotion } from '../../pipeline/learning/promote.ts'
import { versionsOf } from '../../pipeline/learning/run-training.ts'
import { createTelemetry } from '../../telemetry.ts'
import { promotedProblems, shippedCard, shippedModels, withProblem, type Listed } from '../learning.ts'
import { cardText } from '../model-text.ts'
import { openTextModels } from '../text-models.ts'
import { COMMAND_LINE, print, table, warn, withStore } from './with-store.ts'

interface Json {
  json?: boolean
}

export interface VersionName {
  readonly name: ModelName
  readonly version: string
}

/** NAME@VERSION. */
export const versionName = (text: string): VersionName => {
  const [, name = '', version = ''] = /^([^@]+)@(.+)$/.exec(text) ?? []
  const known = MODEL_NAMES.find((one) => one === name)
  if (known === undefined)
    throw new InvalidArgumentError(`It is NAME@VERSION, where NAME is one of ${MODEL_NAMES.join(', ')}.`)
  return { name: known, version }
}

export function registerModels(program: Command): void {
  const models = program
    .command('models')
    .description('Versions of the models: list, show, promote, roll back.')
    .addHelpText('after', '\nExample:\n  $ touchstone models list')
  models
    .command('list')
    .description(
      'All versions in the registry and those that ship; what decides is marked (*), and what cannot although it is promoted (!).',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ touchstone models list')
    .action(async (options: Json) => {
      await withStore('models', async ({ database }) => {
        const store = createModelStore(database.reading)
        const problems = await promotedProblems(store)
        const items = (await store.list()).map((m) => withProblem(m, problems))
        const { scorecard, text } = await shippedModels()
        const shipped = { fusion: scorecard.version, text: text ?? '' }
        const rows = items.map((m) => [markOf(m), m.name, m.version, m.madeAt, m.madeBy, standingOf(m.card)])
        for (const name of MODEL_NAMES)
          rows.push([items.some((m) => m.name === name && m.active) ? '' : '*', name, shipped[name], 'ships', '', ''])
        const told = items.flatMap((m) =>
          m.problem === undefined ? [] : [`! ${m.name}@${m.version}${notDeciding(m)}\n`],
        )
        const listed = table(['', 'model', 'version', 'made', 'by', 'when made'], rows)
        print(options.json, { items, shipped }, `${listed}${told.join('')}`)
      })
    })
  models
    .command('show')
    .description('The card of a version: what it learnt from and how it did on what it had not seen.')
    .addArgument(new Argument('<name@version>', 'as `models list` has it').argParser(versionName))
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ touchstone models show fusion@v0123456789ab')
    .action(async ({ name, version }: VersionName, options: Json) => {
      await withStore('models', async ({ database }) => {
        const store = createModelStore(database.reading)
        const record = await store.find(name, version)
        const ships = record === undefined ? await shippedCard(name, version) : undefined
        if (ships !== undefined) {
          const active = !(await store.active()).some((model) => model.name === name)
          const said = `${name}@${version}${active ? ', which decides' : ''}, ships\n${ships.text}`
          print(options.json, { name, version, active, ships: true, card: ships.card }, said)
          return
        }
        if (record === undefined)
          throw new TouchstoneError('not-found', `there is no version ${version} of the model ${name} in the registry`)
        const shown = withProblem(record, record.active ? await promotedProblems(store) : new Map())
        const decides = shown.problem === undefined ? ', which decides' : notDeciding(shown)
        const title = `${name}@${version}${record.active ? decides : ''}, made ${record.madeAt} by ${record.madeBy}`
        print(options.json, shown, `${title}\n${cardText(record.card)}`)
      })
    })
  models
    .command('promote')
    .description('Let a version decide, once it was tried and unless its card says that it lost.')
    .addArgument(new Argument('<name@version>', 'as `models list` has it').argParser(versionName))
    .option('--force', 'although its card speaks against it')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone models promote fusion@v0123456789ab\n\nExit codes: 0 it decides within 2 s; 1 it does not exist, does not fit or lost, and nothing changed; 2 wrong usage.',
    )
    .action(async ({ name, version }: VersionName, options: Json & { force?: boolean }) => {
      await withStore('models', async ({ database }, reference) => {
        const shipped = await shippedModels()
        const text =
          name === 'text'
            ? await openTextModels({ threads: 1, logger: createTelemetry({ level: 'error' }).log })
            : undefined
        try {
          const store = createModelStore(database.reading)
          const promotion = await promoteModel(
            { store, reference, signals: shipped.signals, text, shipped: versionsOf(shipped) },
            name,
            version,
            { by: COMMAND_LINE, force: options.force === true },
          )
          print(
            options.json,
            { ...promotion, change: Number(promotion.change) },
            `${name}@${version} decides.${scopeOf(promotion)}${overruledBy(promotion)}`,
          )
          warn(promotion)
        } finally {
          await text?.close()
        }
      })
    })
  models
    .command('rollback')
    .description('Let the version decide that decided before; again goes back one more, to what ships at last.')
    .addArgument(new Argument('<name>', 'which model').choices(MODEL_NAMES))
    .option('--force', 'although the fusion that decides was fitted to the text model that would go')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone models rollback fusion\n\nExit codes: 0 it decides within 2 s; 1 nothing was promoted, or the fusion needs the text model, and nothing changed.',
    )
    .action(async (name: ModelName, options: Json & { force?: boolean }) => {
      await withStore('models', async ({ database }) => {
        const shipped = versionsOf(await shippedModels())
        const step = await rollbackModel({ store: createModelStore(database.reading), shipped }, name, {
          by: COMMAND_LINE,
          force: options.force === true,
        })
        const now = step.version === null ? 'the version that ships' : `${name}@${step.version}`
        print(
          options.json,
          { ...step, change: Number(step.change) },
          `${now} decides again, in place of ${step.before ?? 'what ships'}.${overruledBy(step)}`,
        )
        warn(step)
      })
    })
}

const scopeOf = ({ scope }: Promotion): string => (scope === undefined ? '' : ` ${scope}.`)

const markOf = ({ active, problem }: Listed): string => (problem === undefined ? (active ? '*' : '') : '!')

const notDeciding = ({ problem = '' }: Listed): string =>
  `, promoted, cannot decide (${problem}): in a process that starts now what ships does, \`touchstone doctor\` says what helps`

const overruledBy = ({ overruled }: Promotion): string => overruled.map((why) => ` Overruled: ${why}.`).join('')

const standingOf = (card: ModelCard): string => {
  const { comparison } = card.measured as { comparison?: { standing?: string } }
  return losses(card).length > 0 ? 'worse' : (comparison?.standing ?? '')
}
