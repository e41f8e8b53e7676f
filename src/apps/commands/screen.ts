// `screen`: listings in, decisions out, one JSON a line, nothing recorded.
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { once } from 'node:events'
import type { Command } from 'commander'
import { topicNames } from '../../events/topics.ts'
import type { Decision } from '../../domain/decision.ts'
import type { Gate } from '../../pipeline/assess.ts'
import { dryRun } from '../../pipeline/intake.ts'
import type { Outcome } from '../../pipeline/outcome.ts'
import { readConfig } from '../../config.ts'
import { TouchstoneError } from '../../errors.ts'
import { createProgress } from '../progress.ts'
import { readRows, type Reject, type Row } from '../rows.ts'
import { OF_A_FILE_MS, shippedGate } from '../shipped-gate.ts'
import { maskOption, type MaskOption } from './options.ts'
import {
  checkPictureOptions,
  isOfFiles,
  openPicturesOf,
  pictureOptions,
  type PictureOptions,
} from './picture-options.ts'

interface Options extends MaskOption, PictureOptions {
  input: string
  output?: string
  rejects?: string
  policy?: string
  brands?: string
}

/** Listings tried at once while pictures are looked at: hosts are waited for together, and the rows stay in order. */
const AHEAD = 64

export function registerScreen(program: Command): void {
  const pictures = pictureOptions()
  program
    .command('screen')
    .description('Try the listings of a file: decisions out, one JSON a line, in the same order; nothing is recorded.')
    .requiredOption('--input <file>', 'NDJSON of listings, or of {listing, label} rows; - is standard input')
    .option('--output <file>', 'where the decisions go; - is standard output', '-')
    .option(
      '--rejects <file>',
      'where rows go that cannot be tried, as {line, code, message, path}; default: said on standard error',
    )
    .option('--policy <file>', 'a policy document instead of the one that ships')
    .option('--brands <file>', 'brands that are added to those that ship')
    .addOption(pictures.images)
    .addOption(pictures.bank)
    .addOption(maskOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone screen --input listings.jsonl --output decisions.jsonl --rejects rejects.jsonl\n\nExit codes: 0 done; 2 wrong usage or input; 3 done, but some rows were rejected or files of a bank skipped.',
    )
    .action(async (options: Options) => {
      process.exitCode = await screen(options)
    })
}

async function screen(options: Options): Promise<number> {
  const config = readConfig(process.env)
  const total = options.input === '-' ? undefined : (await stat(options.input).catch(() => undefined))?.size
  checkPictureOptions(options)
  const shipped = await shippedGate({
    policy: options.policy,
    brands: options.brands,
    currencies: config.TOUCHSTONE_CURRENCIES,
    budgetMs: OF_A_FILE_MS,
  })
  const pictures = await openPicturesOf(options, config)
  const gate: Gate = { ...shipped, ...pictures?.parts }
  const topics = topicNames(config.TOUCHSTONE_TOPIC_PREFIX)
  const decisions = openOutput(options.output ?? '-')
  const rejects = options.rejects === undefined ? undefined : openOutput(options.rejects)
  const progress = createProgress('screen')
  const ends = { allow: 0, hold: 0, block: 0 }
  let rejected = 0
  const reject = async (row: Reject) => {
    rejected += 1
    if (rejects !== undefined) await rejects.line(row)
    else
      process.stderr.write(`line ${row.line}: ${row.code}: ${row.message}${row.path === '' ? '' : ` (${row.path})`}\n`)
  }
  const started = performance.now()
  const end = async (row: Row, decided: Outcome<Decision> | undefined) => {
    if (row.kind === 'reject') await reject(row.reject)
    else if (decided?.kind === 'ok') {
      ends[decided.value.outcome] += 1
      await decisions.line(decided.value)
    } else await reject({ line: row.line, code: 'internal-error', message: decided?.message ?? '', path: '' })
    progress.update(
      row.read,
      total,
      `${ends.allow} allowed, ${ends.hold} held, ${ends.block} blocked, ${rejected} rejected`,
    )
  }
  const ahead: (() => Promise<void>)[] = []
  for await (const row of readRows(options.input, {
    maxBytes: config.TOUCHSTONE_MAX_LISTING_BYTES,
    mask: options.mask,
    files: isOfFiles(options),
  })) {
    const tried = row.kind === 'listing' ? dryRun(gate, row.listing, topics, new Date()) : undefined
    ahead.push(async () => end(row, await tried))
    if (ahead.length > (pictures === undefined ? 0 : AHEAD)) await ahead.shift()?.()
  }
  for (const rest of ahead) await rest()
  await pictures?.close()
  await decisions.end()
  await rejects?.end()
  progress.end()
  const tried = ends.allow + ends.hold + ends.block
  const seconds = (performance.now() - started) / 1000
  process.stderr.write(
    `${tried + rejected} rows: ${ends.allow} allowed, ${ends.hold} held, ${ends.block} blocked, ${rejected} rejected (${seconds.toFixed(1)} s)\n`,
  )
  return rejected > 0 || (pictures?.skipped ?? 0) > 0 ? 3 : 0
}

/** Lines of JSON to a file or standard output, waiting where the reader is slower; a reader that went away ends us quietly. */
function openOutput(path: string) {
  const stream: NodeJS.WritableStream = path === '-' ? process.stdout : createWriteStream(path)
  let failure: Error | undefined
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    failure = error
  })
  const check = () => {
    if (failure !== undefined) throw new TouchstoneError('input-invalid', `${path}: ${failure.message}`)
  }
  return {
    async line(value: unknown) {
      check()
      if (!stream.write(`${JSON.stringify(value)}\n`)) await once(stream, 'drain').catch(() => undefined)
      check()
    },
    async end() {
      if (path === '-') return
      stream.end()
      await once(stream, 'close').catch(() => undefined)
      check()
    },
  }
}
