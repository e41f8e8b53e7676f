// `evaluate`: labelled listings through the gate, and plain figures of how good its decisions are; nothing is recorded.
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { readConfig, type Config } from '../../config.ts'
import { TouchstoneError } from '../../errors.ts'
import { assess, lookAt, type Gate } from '../../pipeline/assess.ts'
import { computeFigures, type EvaluatedRow, type Figures, type FiguresSection } from '../../pipeline/figures.ts'
import { modelsWith } from '../../pipeline/learning/compare.ts'
import type { Rate } from '../../pipeline/wilson.ts'
import { learningStores, openTexts, shippedModels } from '../learning.ts'
import { createProgress } from '../progress.ts'
import { readRows } from '../rows.ts'
import { OF_A_FILE_MS, shippedGate } from '../shipped-gate.ts'
import { complain } from '../terminal.ts'
import { checkVerdictOptions, onVerdicts } from './evaluate-verdicts.ts'
import { versionName, type VersionName } from './models.ts'
import { maskOption, type MaskOption } from './options.ts'
import {
  checkPictureOptions,
  isOfFiles,
  openPicturesOf,
  pictureOptions,
  type PictureOptions,
} from './picture-options.ts'
import { print, table, withStore } from './with-store.ts'

interface Options extends MaskOption, PictureOptions {
  input?: string[]
  model?: VersionName
  maxFpr?: number
  policy?: string
  brands?: string
  json?: boolean
}

const share = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It is a share from 0 to 1.')
  return value
}

export function registerEvaluate(program: Command): void {
  const pictures = pictureOptions()
  program
    .command('evaluate')
    .description(
      'Try labelled listings and say how good the decisions are: shares, precision, recall, false positives, each with its 95 % interval.',
    )
    .option(
      '--input <file...>',
      'NDJSON of {listing, label, overt} rows: label is "counterfeit" (overt: true where its text says so) or "legitimate", others count for the shares only; every file is a group of its own',
    )
    .option(
      '--model <name@version>',
      'a version of the registry beside the one that decides: on the files, or without any on the verdicts that it did not learn from; a fusion with the text model that it was fitted to, which differs on marketplaces alone of which it learnt',
      versionName,
    )
    .option(
      '--max-fpr <share>',
      'also the recall at a threshold that stops at most this share of legitimate listings (on verdicts: 0.01 unless given)',
      share,
    )
    .option('--policy <file>', 'a policy document instead of the one that ships')
    .option('--brands <file>', 'brands that are added to those that ship')
    .addOption(pictures.images)
    .addOption(pictures.bank)
    .addOption(maskOption())
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone evaluate --input labelled.jsonl --max-fpr 0.001 --mask shipsFrom,category\n  $ touchstone evaluate --model fusion@v0123456789ab\n\nExit codes: 0 done; 1 there is no such version, or too few verdicts that it did not learn from, the message says how many; 2 wrong usage or input; 3 done, but some rows were rejected or files of a bank skipped.',
    )
    .action(async (options: Options) => {
      process.exitCode = await evaluate(options)
    })
}

async function evaluate(options: Options): Promise<number> {
  const { input, model } = options
  checkPictureOptions(options)
  if (input !== undefined) return onFiles({ ...options, input })
  if (options.images !== 'none')
    throw new TouchstoneError('usage', '--images needs --input: verdicts are tried on what was kept of their signals')
  if (model === undefined)
    throw new TouchstoneError('usage', 'give --input, or --model to try a version on the verdicts since')
  checkVerdictOptions({ ...options, model })
  return withStore('evaluate', async ({ database }) => {
    const stores = learningStores(database)
    const texts = openTexts(stores.models)
    try {
      const { document, said } = await onVerdicts(stores, await shippedModels(), texts.of, model, options.maxFpr)
      print(options.json, document, said)
    } finally {
      await texts.close()
    }
    return 0
  })
}

type FileOptions = Options & { input: string[] }

async function onFiles(options: FileOptions): Promise<number> {
  const config = readConfig(process.env)
  const pictures = await openPicturesOf(options, config)
  try {
    const code = await tryFiles(options, config, pictures?.parts ?? {})
    return code === 0 && (pictures?.skipped ?? 0) > 0 ? 3 : code
  } finally {
    await pictures?.close()
  }
}

async function tryFiles(
  options: FileOptions,
  config: Config,
  pictures: Pick<Gate, 'pictures' | 'banks'>,
): Promise<number> {
  const shipped = await shippedGate({
    policy: options.policy,
    brands: options.brands,
    currencies: config.TOUCHSTONE_CURRENCIES,
    budgetMs: OF_A_FILE_MS,
  })
  const gate: Gate = { ...shipped, ...pictures }
  if (options.model === undefined) {
    const [{ figures, rejected }] = await figuresOf([gate], options, config)
    print(options.json, { ...figures, rejected }, render(figures, rejected))
    return rejected > 0 ? 3 : 0
  }
  const models = await gatesOf(gate, options.model)
  try {
    const [candidate, champion] = await figuresOf([models.candidate, models.champion], options, config)
    const named = (of: Gate) => `fusion ${of.scorecard.version}, text ${of.textModel?.version ?? 'none'}`
    const [asked, decides] = [named(models.candidate), named(models.champion)]
    print(
      options.json,
      {
        candidate: { models: asked, ...candidate.figures },
        champion: { models: decides, ...champion?.figures },
        rejected: candidate.rejected,
      },
      [
        `With ${asked}:\n${render(candidate.figures, candidate.rejected)}`,
        champion === undefined ? '' : `What decides, ${decides}:\n${render(champion.figures, champion.rejected)}`,
      ].join('\n'),
    )
    return candidate.rejected > 0 ? 3 : 0
  } finally {
    await models.close()
  }
}

interface Gates {
  readonly candidate: Gate
  readonly champion: Gate
  readonly close: () => Promise<void>
}

/** The gate with the version that was asked for, and with what is active in the store. */
async function gatesOf(gate: Gate, model: VersionName): Promise<Gates> {
  const shipped = await shippedModels()
  return withStore('evaluate', async ({ database }) => {
    const stores = learningStores(database)
    const texts = openTexts(stores.models)
    try {
      const { apart, ...asked } = await modelsWith(stores, shipped, texts.of, model)
      const { apart: active, ...deciding } = await modelsWith(stores, shipped, texts.of, undefined)
      for (const why of new Set([apart, active])) if (why !== undefined) process.stderr.write(`Warning: ${why}.\n`)
      return { candidate: { ...gate, ...asked }, champion: { ...gate, ...deciding }, close: texts.close }
    } catch (error) {
      await texts.close()
      throw error
    }
  })
}

interface FileFigures {
  readonly figures: Figures
  readonly rejected: number
}

/** Every row is read once and tried by each gate, on the same pictures at the same instant. */
async function figuresOf(
  gates: readonly [Gate, ...Gate[]],
  options: FileOptions,
  config: Config,
): Promise<[FileFigures, ...FileFigures[]]> {
  const progress = createProgress('evaluate')
  const evaluated = gates.map((gate) => ({ gate, rows: [] as EvaluatedRow[] }))
  let rejected = 0
  const reading = { maxBytes: config.TOUCHSTONE_MAX_LISTING_BYTES, mask: options.mask, files: isOfFiles(options) }
  for (const file of options.input) {
    const total = (await stat(file).catch(() => undefined))?.size
    let tried = 0
    for await (const row of readRows(file, reading)) {
      if (row.kind === 'reject') {
        rejected += 1
        complain(`${file}: line ${row.reject.line}: ${row.reject.code}: ${row.reject.message}`)
        continue
      }
      const now = new Date()
      const pictures = await lookAt(gates[0], row.listing)
      for (const { gate, rows } of evaluated) {
        const { risk, answer } = await assess(gate, row.listing, now, pictures)
        rows.push({ ...row.label, group: basename(file), decision: { outcome: answer.outcome, risk: risk.risk } })
      }
      tried += 1
      progress.update(row.read, total, `${basename(file)}: ${tried} rows`)
    }
  }
  progress.end()
  if (evaluated.every(({ rows }) => rows.length === 0))
    throw new TouchstoneError('input-invalid', `there is no row that can be tried in ${options.input.join(', ')}`)
  return evaluated.map(({ rows }) => ({
    figures: computeFigures(rows, { maxFpr: options.maxFpr, masked: options.mask }),
    rejected,
  })) as [FileFigures, ...FileFigures[]]
}

const percent = (value: number) => `${(value * 100).toFixed(value !== 0 && value < 0.01 ? 2 : 1)} %`
const rate = (r: Rate) => (r.value === null ? '-' : `${percent(r.value)} [${percent(r.low)}, ${percent(r.high)}]`)
const plain = (value: number) => percent(value)

/** What became of overt and silent counterfeits, honest listings and rows without a label, apart. */
function kindsOf(s: FiguresSection) {
  const part = (kind: string, { stopped, blocked }: { stopped: Rate; blocked: Rate }) => ({
    kind,
    n: stopped.of,
    allow: stopped.of - stopped.count,
    hold: stopped.count - blocked.count,
    block: blocked.count,
  })
  const labelled = [
    part('counterfeit, overt', s.recall.overt),
    part('counterfeit, silent', s.recall.silent),
    part('legitimate', s.falsePositives),
  ]
  const rest = (outcome: 'allow' | 'hold' | 'block') =>
    s.outcomes[outcome].count - labelled.reduce((sum, k) => sum + k[outcome], 0)
  const other = { kind: 'no label', n: s.unlabelled, allow: rest('allow'), hold: rest('hold'), block: rest('block') }
  return [...labelled, other].filter((k) => k.n > 0)
}

function render(figures: Figures, rejected: number): string {
  const sections: (FiguresSection & { group: string })[] = [
    ...figures.groups,
    ...(figures.groups.length > 1 ? [{ group: 'all', ...figures.overall }] : []),
  ]
  const shares = table(
    ['file', 'rows', 'labelled as', 'allowed', 'held', 'blocked'],
    sections.flatMap((s) =>
      kindsOf(s).map(({ kind, n, allow, hold, block }) => [
        s.group,
        String(n),
        kind,
        plain(allow / n),
        plain(hold / n),
        plain(block / n),
      ]),
    ),
  )
  const quality = table(
    ['file', 'overt stopped', 'silent stopped', 'legitimate stopped', 'legitimate blocked'],
    sections.map((s) => [
      s.group,
      rate(s.recall.overt.stopped),
      rate(s.recall.silent.stopped),
      rate(s.falsePositives.stopped),
      rate(s.falsePositives.blocked),
    ]),
  )
  const lines = [
    shares,
    quality,
    `Precision of what was stopped, at the share of counterfeits in these files (no shop has it): ${rate(figures.overall.precision.stopped)}`,
  ]
  const at = figures.atMaxFpr
  if (at !== undefined) {
    const where = at.threshold === null ? 'no threshold stops so few' : `risk ≥ ${at.threshold.toFixed(4)}`
    lines.push(
      `At a false-positive rate of at most ${percent(at.maxFpr)} (${where}): overt ${rate(at.recall.overt)}, silent ${rate(at.recall.silent)}`,
    )
  }
  const { brier, brierOfBase, expectedError } = figures.calibration
  if (brier !== null && brierOfBase !== null && expectedError !== null) {
    lines.push(
      `Calibration: Brier ${brier.toFixed(3)} (always saying the base rate: ${brierOfBase.toFixed(3)}), expected error ${expectedError.toFixed(3)}`,
    )
  }
  lines.push(
    `In brackets: 95 % intervals (Wilson). ${figures.masked.length > 0 ? `Masked: ${figures.masked.join(', ')}. ` : ''}${rejected > 0 ? `${rejected} rows were rejected.` : ''}`.trim(),
  )
  return lines.join('\n') + '\n'
}
