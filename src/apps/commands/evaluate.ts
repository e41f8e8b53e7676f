// `evaluate`: labelled listings through the gate, and plain figures of how good its decisions are; nothing is recorded.
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { readConfig } from '../../config.ts'
import { TouchstoneError } from '../../errors.ts'
import { assess } from '../../pipeline/assess.ts'
import { computeFigures, type EvaluatedRow, type Figures, type FiguresSection } from '../../pipeline/figures.ts'
import type { Rate } from '../../pipeline/wilson.ts'
import { createProgress } from '../progress.ts'
import { readRows } from '../rows.ts'
import { shippedGate } from '../shipped-gate.ts'
import { maskOption, type MaskOption } from './options.ts'
import { print, table } from './with-store.ts'

interface Options extends MaskOption {
  input: string[]
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
  program
    .command('evaluate')
    .description(
      'Try labelled listings and say how good the decisions are: shares, precision, recall, false positives, each with its 95 % interval.',
    )
    .requiredOption(
      '--input <file...>',
      'NDJSON of {listing, label, overt} rows: label is "counterfeit" (overt: true where its text says so) or "legitimate", others count for the shares only; every file is a group of its own',
    )
    .option(
      '--max-fpr <share>',
      'also the recall at a threshold that stops at most this share of legitimate listings',
      share,
    )
    .option('--policy <file>', 'a policy document instead of the one that ships')
    .option('--brands <file>', 'brands that are added to those that ship')
    .addOption(maskOption())
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone evaluate --input labelled.jsonl --max-fpr 0.001 --mask shipsFrom,category\n\nExit codes: 0 done; 2 wrong usage or input; 3 done, but some rows were rejected.',
    )
    .action(async (options: Options) => {
      process.exitCode = await evaluate(options)
    })
}

async function evaluate(options: Options): Promise<number> {
  const config = readConfig(process.env)
  const gate = await shippedGate({
    policy: options.policy,
    brands: options.brands,
    currencies: config.TOUCHSTONE_CURRENCIES,
    budgetMs: config.TOUCHSTONE_LISTING_BUDGET_MS,
  })
  const progress = createProgress('evaluate')
  const evaluated: EvaluatedRow[] = []
  let rejected = 0
  for (const file of options.input) {
    const total = (await stat(file).catch(() => undefined))?.size
    const before = evaluated.length
    for await (const row of readRows(file, { maxBytes: config.TOUCHSTONE_MAX_LISTING_BYTES, mask: options.mask })) {
      if (row.kind === 'reject') {
        rejected += 1
        process.stderr.write(`${file}: line ${row.reject.line}: ${row.reject.code}: ${row.reject.message}\n`)
        continue
      }
      const { risk, answer } = await assess(gate, row.listing, new Date())
      evaluated.push({ ...row.label, group: basename(file), decision: { outcome: answer.outcome, risk: risk.risk } })
      progress.update(row.read, total, `${basename(file)}: ${evaluated.length - before} rows`)
    }
  }
  progress.end()
  if (evaluated.length === 0)
    throw new TouchstoneError('input-invalid', `there is no row that can be tried in ${options.input.join(', ')}`)
  const figures = computeFigures(evaluated, { maxFpr: options.maxFpr, masked: options.mask })
  print(options.json, { ...figures, rejected }, render(figures, rejected))
  return rejected > 0 ? 3 : 0
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
