// Labels -> scorecard: each signal's likelihood ratios fitted anew, held by the card that ships where labels are few.
import { createHash } from 'node:crypto'
import type { Scorecard } from '../domain/scorecard.ts'
import type { SignalResult } from '../domain/signal-result.ts'
import { baseAt, FITTING_COUNT, placesOf, priorWith, type SampledRow } from './base-rates.ts'
import { isotonic } from './isotonic.ts'

export interface FusionRow extends SampledRow {
  readonly signals: readonly SignalResult[]
  /** In fitting the ratios. */
  readonly fitWeight: number
}

/** Each knot starts as if so many labels at even odds had said what the shipped card says. */
const PSEUDO_COUNT = 10
/** What one label at even odds tells of log-odds: p (1 - p). */
const EVEN = 0.25
/** Enough for the ratios to stand still to six digits; more rounds change nothing that is written. */
const ROUNDS = 200
/** No set of labels shows more than 10,000 to one. */
const LIMIT = Math.log(10_000)

type Signals = Scorecard['signals']

interface Column {
  readonly name: string
  readonly knots: Signals[string]['knots']
  /** Of the shipped card. */
  readonly start: readonly number[]
  theta: number[]
  /** For each row the knot below its score and the share of the one above; undefined where the signal says nothing. */
  readonly places: readonly (readonly [number, number] | undefined)[]
}

/**
 * Fits the log of every ratio at the card's own scores, all signals together (backfitted logistic regression: what two
 * signals say together is not counted twice), pulled towards `shipped`, and made non-falling by pooling adjacent violators
 * in every round. Given the signals the labels of what was held are no biased sample, because the signals alone decided
 * what was held; the base is another matter and is only fitted where listings were drawn from what went on sale, together
 * with the ratios: each explains what the other leaves. `holds` are the risks from which the policy holds: a base is kept
 * below them in what is written, not in the fit, or the ratios, which all marketplaces share, would make up for it.
 * Deterministic: sums in the order of the rows, figures rounded to six digits, the version is the hash of the content.
 */
export function fitFusion(shipped: Scorecard, rows: readonly FusionRow[], holds: readonly number[] = []): Scorecard {
  const { probability } = shipped.prior
  const columns = Object.entries(shipped.signals)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { knots }]) => columnOf(name, knots, rows))
  const elsewhere = Math.log(probability / (1 - probability))
  const places = placesOf(rows).map((place) => ({ ...place, base: elsewhere }))
  const logOdds = rows.map((_, n) => columns.reduce((sum, column) => sum + valueAt(column, n), elsewhere))
  const settle = (count?: number) => {
    for (const place of places) {
      const before = place.base
      place.base = baseAt(place, rows, (n) => (logOdds[n] ?? 0) - before, probability, count)
      for (const n of place.rows) logOdds[n] = (logOdds[n] ?? 0) + place.base - before
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    settle(FITTING_COUNT)
    for (const column of columns) improve(column, rows, logOdds)
  }
  settle()
  const signals = Object.fromEntries(columns.map((column) => [column.name, { knots: knotsOf(column, rows) }]))
  const content = {
    name: 'fusion' as const,
    description: `Fitted on ${rows.length} verdicts, held by version ${shipped.version} where they are few.`,
    prior: priorWith(shipped.prior, rows, places, holds),
    signals,
  }
  const version = `v${createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12)}`
  return { ...content, version }
}

function columnOf(name: string, knots: Column['knots'], rows: readonly FusionRow[]): Column {
  const start = knots.map((knot) => Math.log(knot.likelihoodRatio))
  const places = rows.map(({ signals }) => {
    const result = signals.find((signal) => signal.name === name)
    return result?.state !== 'scored' || result.score === undefined || result.shadow === true
      ? undefined
      : placeOf(knots, result.score)
  })
  return { name, knots, start, theta: [...start], places }
}

function placeOf(knots: Column['knots'], score: number): readonly [number, number] {
  const above = knots.findIndex((knot) => score < knot.score)
  if (above === -1) return [knots.length - 1, 0]
  const [below, next] = [knots[above - 1], knots[above]]
  if (below === undefined || next === undefined) return [0, 0]
  return [above - 1, (score - below.score) / (next.score - below.score)]
}

function valueAt({ places, theta }: Column, row: number): number {
  const place = places[row]
  if (place === undefined) return 0
  const [below, share] = place
  const from = theta[below] ?? 0
  return from + share * ((theta[below + 1] ?? from) - from)
}

/** One damped Newton step of a signal's log-ratios, then the nearest that never fall; keeps `logOdds` right. */
function improve(column: Column, rows: readonly FusionRow[], logOdds: number[]): void {
  const hold = PSEUDO_COUNT * EVEN
  const gradient = column.theta.map((theta, i) => hold * ((column.start[i] ?? 0) - theta))
  const curvature = column.theta.map(() => hold)
  const add = (knot: number, share: number, residual: number, information: number) => {
    gradient[knot] = (gradient[knot] ?? 0) + share * residual
    curvature[knot] = (curvature[knot] ?? 0) + share * information
  }
  for (const [n, row] of rows.entries()) {
    const place = column.places[n]
    if (place === undefined) continue
    const p = 1 / (1 + Math.exp(-(logOdds[n] ?? 0)))
    const residual = row.fitWeight * ((row.positive ? 1 : 0) - p)
    // Neighbours share a row: taking its whole information for both keeps the step short enough for the two together.
    const information = row.fitWeight * p * (1 - p)
    const [below, share] = place
    add(below, 1 - share, residual, information)
    if (share > 0) add(below + 1, share, residual, information)
  }
  const before = rows.map((_, n) => valueAt(column, n))
  // No signal speaks for a listing more than the shipped card lets it: what speaks for one can be written to please.
  const floor = Math.min(...column.start)
  const stepped = column.theta.map((theta, i) => {
    const step = (gradient[i] ?? 0) / (curvature[i] ?? 1)
    return Math.max(clamp(theta + clamp(step, 1), LIMIT), floor)
  })
  column.theta = isotonic(stepped, curvature)
  for (const n of rows.keys()) logOdds[n] = (logOdds[n] ?? 0) + valueAt(column, n) - (before[n] ?? 0)
}

const clamp = (value: number, limit: number): number => Math.min(Math.max(value, -limit), limit)

function knotsOf(column: Column, rows: readonly FusionRow[]): Column['knots'] {
  return column.knots.map((knot, i) => {
    const near = rows.filter((_, n) => {
      const place = column.places[n]
      return place !== undefined && place[0] + (place[1] >= 0.5 ? 1 : 0) === i
    })
    const confirmed = near.filter((row) => row.positive).length
    return {
      score: knot.score,
      likelihoodRatio: round(Math.exp(column.theta[i] ?? 0)),
      source: `${confirmed} confirmed and ${near.length - confirmed} rejected listings nearest to this score; held by the shipped ratio ${knot.likelihoodRatio} as by ${PSEUDO_COUNT} labels.`,
    }
  })
}

/** Six digits: what the last bits of a machine's logarithm say decides nothing. */
const round = (value: number): number => Number(value.toPrecision(6))
