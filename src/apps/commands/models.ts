// `models`: the versions that the registry keeps: list, show, promote, roll back; live in running workers within 2 s.
import { Argument, InvalidArgumentError, type Command } from 'commander'
import { createModelStore } from '../../adapters/postgres/model-store.ts'
import { MODEL_NAMES, type ModelCard, type ModelName } from '../../domain/model.ts'
import { TouchstoneError } from '../../errors.ts'
import type { Activation, AskedVersions } from '../../learning/ports.ts'
import { losses } from '../../pipeline/learning/objections.ts'
import { promoteModels, rollbackModels, type Promotion } from '../../pipeline/learning/promote.ts'
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
    .description(
      'Let a version decide, or one of each model by one change, once it was tried and unless its card says that it lost.',
    )
    .addArgument(
      new Argument('<name@version...>', 'as `models list` has it').argParser(
        (text, before: VersionName[] | undefined) => [...(before ?? []), versionName(text)],
      ),
    )
    .option('--force', 'although a card speaks against it')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone models promote text@vba9876543210 fusion@v0123456789ab\n\nExit codes: 0 it decides within 2 s; 1 it does not exist, does not fit or lost, and nothing changed; 2 wrong usage.',
    )
    .action(async (versions: VersionName[], options: Json & { force?: boolean }) => {
      const asked = askedOf(versions)
      await withStore('models', async ({ database }, reference) => {
        const shipped = await shippedModels()
        const text =
          asked.text !== undefined
            ? await openTextModels({ threads: 1, logger: createTelemetry({ level: 'error' }).log })
            : undefined
        try {
          const store = createModelStore(database.reading)
          const promotion = await promoteModels(
            { store, reference, signals: shipped.signals, text, shipped: versionsOf(shipped) },
            asked,
            { by: COMMAND_LINE, force: options.force === true },
          )
          const decide = versions.map((one) => `${one.name}@${one.version}`).join(' and ')
          print(
            options.json,
            documentOf(promotion),
            `${decide} ${versions.length > 1 ? 'decide' : 'decides'}.${scopeOf(promotion)}${overruledBy(promotion)}`,
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
    .addArgument(new Argument('<name>', 'which model; all: both by one change').choices([...MODEL_NAMES, 'all']))
    .option('--force', 'although the fusion and the text model that would decide were not fitted to each other')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone models rollback all\n\nExit codes: 0 it decides within 2 s; 1 nothing was promoted, or the two would not fit each other, and nothing changed.',
    )
    .action(async (name: ModelName | 'all', options: Json & { force?: boolean }) => {
      await withStore('models', async ({ database }, reference) => {
        const shipped = await shippedModels()
        const store = createModelStore(database.reading)
        const step = await rollbackModels(
          { store, reference, signals: shipped.signals, shipped: versionsOf(shipped) },
          name,
          { by: COMMAND_LINE, force: options.force === true },
        )
        const back = [step, ...(step.text === undefined ? [] : [step.text])].map(backOf).join(' ')
        print(options.json, documentOf(step), `${back}${overruledBy(step)}`)
        warn(step)
      })
    })
}

/** One or one of each: of two versions of one model neither could be meant. */
function askedOf(versions: readonly VersionName[]): AskedVersions {
  const of = (name: ModelName) => versions.filter((one) => one.name === name).map(({ version }) => version)
  const [[fusion, ...others], [text, ...more]] = [of('fusion'), of('text')]
  if (others.length + more.length > 0) throw new TouchstoneError('usage', 'one version of each model is the most')
  if (fusion !== undefined) return { fusion, text }
  if (text === undefined) throw new TouchstoneError('usage', 'a version is missing')
  return { text }
}

const documentOf = ({ text, ...done }: Promotion) => ({
  ...done,
  change: Number(done.change),
  ...(text === undefined ? {} : { text: { ...text, change: Number(text.change) } }),
})

const backOf = ({ name, version, before }: Activation): string =>
  version === null && before === null
    ? `The ${name} that ships goes on deciding.`
    : `${version === null ? `the ${name} that ships` : `${name}@${version}`} decides again, in place of ${before ?? 'what ships'}.`

const scopeOf = ({ scope }: Promotion): string => (scope === undefined ? '' : ` ${scope}.`)

const markOf = ({ active, problem }: Listed): string => (problem === undefined ? (active ? '*' : '') : '!')

const notDeciding = ({ problem = '' }: Listed): string =>
  `, promoted, cannot decide (${problem}): in a process that starts now what ships does, \`touchstone doctor\` says what helps`

const overruledBy = ({ overruled }: Promotion): string => overruled.map((why) => ` Overruled: ${why}.`).join('')

const standingOf = (card: ModelCard): string => {
  const { comparison } = card.measured as { comparison?: { standing?: string } }
  return losses(card).length > 0 ? 'worse' : (comparison?.standing ?? '')
}
