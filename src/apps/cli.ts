// The command line: `touchstone`. Results go to standard output; progress and logs to standard error.
import { Command, CommanderError } from 'commander'
import { ERRORS, TouchstoneError, type ErrorCode } from '../errors.ts'
import { outliveReaders } from './output.ts'
import { VERSION } from './package-root.ts'

/** Only the command that was asked for is loaded; help, and a command that there is not, load them all. */
const COMMANDS: readonly (readonly [string, () => Promise<(program: Command) => void>])[] = [
  ['start', async () => (await import('./commands/start.ts')).registerStart],
  ['worker', async () => (await import('./commands/worker.ts')).registerWorker],
  ['api', async () => (await import('./commands/api.ts')).registerApi],
  ['topics', async () => (await import('./commands/topics.ts')).registerTopics],
  ['offsets', async () => (await import('./commands/offsets.ts')).registerOffsets],
  ['screen', async () => (await import('./commands/screen.ts')).registerScreen],
  ['hash', async () => (await import('./commands/hash.ts')).registerHash],
  ['evaluate', async () => (await import('./commands/evaluate.ts')).registerEvaluate],
  ['train', async () => (await import('./commands/train.ts')).registerTrain],
  ['models', async () => (await import('./commands/models.ts')).registerModels],
  ['banks', async () => (await import('./commands/banks.ts')).registerBanks],
  ['brands', async () => (await import('./commands/brands.ts')).registerBrands],
  ['policies', async () => (await import('./commands/policies.ts')).registerPolicies],
  ['keys', async () => (await import('./commands/keys.ts')).registerKeys],
  ['doctor', async () => (await import('./commands/doctor.ts')).registerDoctor],
]

/** Wrong usage, settings or input file: exit code 2; everything else that fails: 1. */
const WRONG_CALL: ReadonlySet<ErrorCode> = new Set([
  'usage',
  'settings-invalid',
  'input-invalid',
  'policy-invalid',
  'brand-invalid',
])

outliveReaders()
const program = new Command('touchstone')
  .description('The open gate that tries every marketplace listing before anyone can buy it.')
  .version(VERSION)
  .showHelpAfterError('(see --help)')
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText(
    'after',
    '\nExample:\n  $ touchstone start --demo        the whole gate with a demo stream, on embedded defaults\n\nExit codes: 0 done; 1 failed; 2 wrong usage, settings or input; 3 done, but some rows were rejected.',
  )

const asked = COMMANDS.find(([name]) => name === process.argv[2])
for (const [, load] of asked === undefined ? COMMANDS : [asked]) (await load())(program)
for (const command of program.commands) inherit(command)

function inherit(command: Command): void {
  command.exitOverride().showHelpAfterError('(see --help)').showSuggestionAfterError()
  for (const sub of command.commands) inherit(sub)
}

try {
  await program.parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof TouchstoneError) {
    const wrongCall = WRONG_CALL.has(error.code)
    // Of a wrong call the message says all there is to do.
    const cure = wrongCall ? '' : `  -> ${ERRORS[error.code].remedy}\n`
    process.stderr.write(`touchstone: ${error.code}: ${error.message}\n${cure}`)
    process.exitCode = wrongCall ? 2 : 1
  } else {
    process.stderr.write(
      `touchstone: unexpected failure\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    process.exitCode = 1
  }
}
