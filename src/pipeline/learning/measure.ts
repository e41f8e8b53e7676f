// How a model does on rows that it did not learn from, and beside the one that decides: weighted by how the rows were sampled.
import type { Policy } from '../../domain/policy.ts'
import { recallAt, type AtRate } from './at-rate.ts'
import { aucOf } from './auc.ts'
import { stoppedHonest, type Stopped } from './honest.ts'
import {
  mean,
  meanWithin,
  recallOf,
  round,
  sellersWorth,
  share,
  weightOf,
  type MeasuredRow,
  type Recall,
  type Share,
} from './weighted.ts'

// Types, not interfaces: a card keeps them as JSON.

export type ModelFigures = {
  readonly precision: { readonly hold: Share; readonly block: Share }
  readonly recall: Recall
  /** Of the rejected: at or above the threshold. */
  readonly falsePositives: { readonly hold: Share; readonly block: Share }
  /** What one threshold of its own finds where it may stop no more of the honest than so many: both models at the same price. */
  readonly atRate: AtRate
  /** Mean squared distance of risk and label (Brier, 1950). */
  readonly brier: number
  /** Mean distance of risk and share over ten bins. */
  readonly expectedError: number
  /** The chance that a confirmed row has a higher risk than a rejected one; null where a kind is missing. */
  readonly auc: number | null
}

/**
 * `better`: by more than chance explains, on enough sellers; `worse`: its squared error is higher, however little, or it stops or blocks more
 * of the honest; `not compared`: there was nothing that both could be measured on.
 */
export type Standing = 'better' | 'even' | 'worse' | 'not compared'

export type Comparison = {
  /** Mean squared error of the new one less that of the one that decides: below 0 is better. */
  readonly difference: number
  readonly low: number
  readonly high: number
  /** Of the rejected, at the thresholds of the policy. Squared error rewards caution alone: risk for all is paid by these. */
  readonly honest: { readonly hold: Stopped; readonly block: Stopped }
  readonly standing: Standing
}

const BINS = 10

/**
 * Sellers that the rows are worth, in all and of each kind, below which none is `better`: the interval holds with fewer, but
 * not of what it has not met (`meanWithin`), and five meet nothing of what befalls one seller in ten in six trials of ten.
 */
const LEAST_TO_BE_BETTER = { all: 10, ofAKind: 5 } as const

/** Of a hundred honest listings one: what a marketplace may bear to be held, and few enough verdicts can tell. */
const MOST_FALSE_POSITIVES = 0.01

/** `maxFpr`: the false-positive rate at which `atRate` is given. */
export function measure(
  rows: readonly MeasuredRow[],
  thresholds: Policy['thresholds'],
  maxFpr: number = MOST_FALSE_POSITIVES,
): ModelFigures {
  const [confirmed, rejected] = [rows.filter((row) => row.positive), rows.filter((row) => !row.positive)]
  const at = (threshold: number) => (row: MeasuredRow) => row.risk >= threshold
  const stopped = at(thresholds.hold)
  const blocked = at(thresholds.block)
  const isPositive = (row: MeasuredRow) => row.positive
  return {
    precision: { hold: share(rows.filter(stopped), isPositive), block: share(rows.filter(blocked), isPositive) },
    recall: recallOf(confirmed, stopped),
    falsePositives: { hold: share(rejected, stopped), block: share(rejected, blocked) },
    atRate: recallAt(rows, maxFpr),
    brier: round(mean(rows, squaredError)),
    expectedError: round(expectedError(rows)),
    auc: aucOf(rows)?.value ?? null,
  }
}

/** The same rows by two models, paired: `candidate` and `champion` hold them in the same order. */
export function compareModels(
  candidate: readonly MeasuredRow[],
  champion: readonly MeasuredRow[],
  thresholds: Policy['thresholds'],
): Comparison {
  const pairs = candidate.map((row, i) => {
    const other = champion[i]
    if (other === undefined) throw new Error('both models must be measured on the same rows')
    return { ...row, difference: squaredError(row) - squaredError(other) }
  })
  const { mean: difference, low, high } = meanWithin(pairs, (pair) => pair.difference)
  const honest = {
    hold: stoppedHonest(candidate, champion, thresholds.hold),
    block: stoppedHonest(candidate, champion, thresholds.block),
  }
  const worse = difference > 0 || honest.hold.more || honest.block.more
  return {
    difference: round(difference),
    low: round(low),
    high: round(high),
    honest,
    standing: worse ? 'worse' : high < 0 && areEnough(pairs) ? 'better' : 'even',
  }
}

function areEnough(rows: readonly MeasuredRow[]): boolean {
  const kinds = [rows.filter((row) => row.positive), rows.filter((row) => !row.positive)]
  const { all, ofAKind } = LEAST_TO_BE_BETTER
  return sellersWorth(rows) >= all && kinds.every((kind) => sellersWorth(kind) >= ofAKind)
}

const squaredError = (row: MeasuredRow): number => (row.risk - (row.positive ? 1 : 0)) ** 2

function expectedError(rows: readonly MeasuredRow[]): number {
  const bins = Map.groupBy(rows, (row) => Math.min(Math.floor(row.risk * BINS), BINS - 1))
  const total = weightOf(rows)
  return [...bins]
    .toSorted(([a], [b]) => a - b)
    .reduce(
      (sum, [, own]) =>
        sum + (weightOf(own) / total) * Math.abs(mean(own, (r) => r.risk) - mean(own, (r) => (r.positive ? 1 : 0))),
      0,
    )
}
