// How good the decisions are: rows with a known label to plain figures, each with its interval. Pure.
import { z } from 'zod'
import type { Outcome } from '../domain/policy.ts'
import { rateSchema, wilson, type Rate } from './wilson.ts'

export interface EvaluatedRow {
  /** Missing: the row counts for the shares of outcomes only. */
  readonly label?: 'counterfeit' | 'legitimate' | undefined
  /** The counterfeit says so in its own words; the others are silent. */
  readonly overt?: boolean | undefined
  /** Labelled by where it comes from, not by a person who looked. */
  readonly weak?: boolean | undefined
  /** What is reported apart, such as the file. */
  readonly group: string
  readonly decision: { readonly outcome: Outcome; readonly risk: number }
}

/** `stopped`: held or blocked; `blocked`: blocked alone. */
const stoppedSchema = z.object({ stopped: rateSchema, blocked: rateSchema })

const sectionSchema = z.object({
  rows: z.int(),
  counterfeit: z.int(),
  legitimate: z.int(),
  unlabelled: z.int(),
  /** Rows of the labelled whose label nobody looked at. */
  weak: z.int(),
  outcomes: z.object({ allow: rateSchema, hold: rateSchema, block: rateSchema }),
  /** Of the counterfeits: how many were stopped; those that say so and those that do not apart. */
  recall: z.object({ all: stoppedSchema, overt: stoppedSchema, silent: stoppedSchema }),
  /** Of what was stopped: how many are counterfeits. It depends on their share among these rows, which no shop has. */
  precision: stoppedSchema,
  /** Of the legitimate: how many were stopped. */
  falsePositives: stoppedSchema,
})

const atMaxFprSchema = z.object({
  maxFpr: z.number(),
  /** The lowest risk of a row that may be stopped; null where none may. */
  threshold: z.number().nullable(),
  falsePositives: rateSchema,
  recall: z.object({ all: rateSchema, overt: rateSchema, silent: rateSchema }),
})

const calibrationSchema = z.object({
  rows: z.int(),
  /** Mean squared distance of risk and label, 0 is perfect; null without labels (Brier 1950). */
  brier: z.number().nullable(),
  /** The same for one who always says the share of counterfeits among these rows. */
  brierOfBase: z.number().nullable(),
  /** Mean distance of risk and share over the bins, weighted by rows. */
  expectedError: z.number().nullable(),
  /** Ten bins of risk of equal width, empty ones left out. */
  bins: z.array(
    z.object({ from: z.number(), to: z.number(), rows: z.int(), meanRisk: z.number(), counterfeit: rateSchema }),
  ),
})

export const figuresSchema = z.object({
  /** Fields that were hidden from all signals. */
  masked: z.array(z.string()),
  overall: sectionSchema,
  groups: z.array(sectionSchema.extend({ group: z.string() })),
  atMaxFpr: atMaxFprSchema.optional(),
  calibration: calibrationSchema,
})
export type Figures = z.infer<typeof figuresSchema>
export type FiguresSection = z.infer<typeof sectionSchema>

export interface FiguresOptions {
  /** Asks for the recall over all thresholds on the risk whose false-positive rate is at most this. */
  readonly maxFpr?: number | undefined
  readonly masked?: readonly string[] | undefined
}

/** Groups come in the order in which they first appear. */
export function computeFigures(rows: readonly EvaluatedRow[], options: FiguresOptions = {}): Figures {
  const groups = Map.groupBy(rows, (row) => row.group)
  return {
    masked: [...(options.masked ?? [])],
    overall: section(rows),
    groups: [...groups].map(([group, members]) => ({ group, ...section(members) })),
    ...(options.maxFpr === undefined ? {} : { atMaxFpr: recallAtMaxFpr(rows, options.maxFpr) }),
    calibration: calibration(rows),
  }
}

function section(rows: readonly EvaluatedRow[]): FiguresSection {
  const counterfeit = rows.filter((row) => row.label === 'counterfeit')
  const legitimate = rows.filter((row) => row.label === 'legitimate')
  const labelled = [...counterfeit, ...legitimate]
  const share = (outcome: Outcome): Rate =>
    wilson(rows.filter((row) => row.decision.outcome === outcome).length, rows.length)
  return {
    rows: rows.length,
    counterfeit: counterfeit.length,
    legitimate: legitimate.length,
    unlabelled: rows.length - labelled.length,
    weak: labelled.filter((row) => row.weak === true).length,
    outcomes: { allow: share('allow'), hold: share('hold'), block: share('block') },
    recall: {
      all: stopped(counterfeit),
      overt: stopped(counterfeit.filter((row) => row.overt === true)),
      silent: stopped(counterfeit.filter((row) => row.overt !== true)),
    },
    precision: {
      stopped: wilson(counterfeit.filter(isStopped).length, labelled.filter(isStopped).length),
      blocked: wilson(counterfeit.filter(isBlocked).length, labelled.filter(isBlocked).length),
    },
    falsePositives: stopped(legitimate),
  }
}

const isStopped = (row: EvaluatedRow): boolean => row.decision.outcome !== 'allow'
const isBlocked = (row: EvaluatedRow): boolean => row.decision.outcome === 'block'

function stopped(rows: readonly EvaluatedRow[]): z.infer<typeof stoppedSchema> {
  return {
    stopped: wilson(rows.filter(isStopped).length, rows.length),
    blocked: wilson(rows.filter(isBlocked).length, rows.length),
  }
}

/**
 * The best that one threshold on the risk can do: stop as much as possible while at most `maxFpr` of the legitimate rows
 * are stopped. Rows of equal risk are stopped together, so that no order among them flatters the figure.
 */
function recallAtMaxFpr(rows: readonly EvaluatedRow[], maxFpr: number): z.infer<typeof atMaxFprSchema> {
  const legitimate = rows.filter((row) => row.label === 'legitimate')
  const counterfeit = rows.filter((row) => row.label === 'counterfeit')
  // 0.29 × 100 is a little less than 29 in binary.
  const mayStop = Math.floor(maxFpr * legitimate.length + 1e-9)
  const descending = legitimate.map((row) => row.decision.risk).sort((a, b) => b - a)
  const firstSpared = descending[mayStop] ?? -1
  const over = (row: EvaluatedRow): boolean => row.decision.risk > firstSpared
  const found = (list: readonly EvaluatedRow[]): Rate => wilson(list.filter(over).length, list.length)
  const threshold = rows.filter(over).reduce((lowest, row) => Math.min(lowest, row.decision.risk), Infinity)
  return {
    maxFpr,
    threshold: threshold === Infinity ? null : threshold,
    falsePositives: found(legitimate),
    recall: {
      all: found(counterfeit),
      overt: found(counterfeit.filter((row) => row.overt === true)),
      silent: found(counterfeit.filter((row) => row.overt !== true)),
    },
  }
}

const BINS = 10

function calibration(rows: readonly EvaluatedRow[]): z.infer<typeof calibrationSchema> {
  const labelled = rows
    .filter((row) => row.label !== undefined)
    .map((row) => ({ risk: row.decision.risk, is: row.label === 'counterfeit' ? 1 : 0 }))
  if (labelled.length === 0) return { rows: 0, brier: null, brierOfBase: null, expectedError: null, bins: [] }
  const n = labelled.length
  const share = labelled.reduce((sum, row) => sum + row.is, 0) / n
  const binOf = (risk: number): number => Math.min(Math.floor(risk * BINS), BINS - 1)
  const bins = [...Map.groupBy(labelled, (row) => binOf(row.risk))]
    .sort(([a], [b]) => a - b)
    .map(([bin, members]) => ({
      from: bin / BINS,
      to: (bin + 1) / BINS,
      rows: members.length,
      meanRisk: members.reduce((sum, row) => sum + row.risk, 0) / members.length,
      counterfeit: wilson(
        members.reduce((sum, row) => sum + row.is, 0),
        members.length,
      ),
    }))
  return {
    rows: n,
    brier: labelled.reduce((sum, row) => sum + (row.risk - row.is) ** 2, 0) / n,
    brierOfBase: share * (1 - share),
    expectedError: bins.reduce(
      (sum, bin) => sum + (bin.rows / n) * Math.abs(bin.meanRisk - (bin.counterfeit.value ?? 0)),
      0,
    ),
    bins,
  }
}
