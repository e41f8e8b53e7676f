// Rows that models are measured on, each standing for as many listings as it was drawn for, and means and shares over them.
import { wilson } from '../wilson.ts'

export interface MeasuredRow {
  readonly positive: boolean
  /** Its wording says so. */
  readonly overt: boolean
  readonly sellerId: string
  /** How many listings it stands for. */
  readonly weight: number
  readonly risk: number
}

/** Two-sided 95 % quantile of the normal distribution. */
export const Z = 1.96

export const weightOf = (rows: readonly { readonly weight: number }[]): number =>
  rows.reduce((sum, { weight }) => sum + weight, 0)

/** Weighted; 0 without rows. */
export function mean<T extends { readonly weight: number }>(rows: readonly T[], value: (row: T) => number): number {
  return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row.weight * value(row), 0) / weightOf(rows)
}

/** The mean and half of its 95 % interval, which takes a seller's rows together, since they resemble each other. */
export function meanWithin<T extends Pick<MeasuredRow, 'weight' | 'sellerId'>>(
  rows: readonly T[],
  value: (row: T) => number,
): { readonly mean: number; readonly half: number } {
  const middle = mean(rows, value)
  if (rows.length === 0) return { mean: middle, half: 0 }
  const sellers = Map.groupBy(rows, (row) => row.sellerId)
  const squares = [...sellers.values()].reduce(
    (sum, own) => sum + own.reduce((s, row) => s + row.weight * (value(row) - middle), 0) ** 2,
    0,
  )
  return { mean: middle, half: (Z * Math.sqrt(squares)) / weightOf(rows) }
}

/** Six digits after the point: cards are compared by people, and bytes by machines. */
export const round = (value: number): number => Number(value.toFixed(6))

/** A weighted share with its 95 % interval, and the rows behind it. A type, as a card keeps it as JSON. */
export type Share = { value: number | null; low: number; high: number; rows: number }

/** Wilson's interval for as many rows as the weighted ones are worth (Kish). */
export function share<T extends { readonly weight: number }>(rows: readonly T[], counts: (row: T) => boolean): Share {
  if (rows.length === 0) return { value: null, low: 0, high: 1, rows: 0 }
  const value = mean(rows, (row) => (counts(row) ? 1 : 0))
  const worth = weightOf(rows) ** 2 / rows.reduce((sum, { weight }) => sum + weight ** 2, 0)
  const { low, high } = wilson(value * worth, worth)
  return { value: round(value), low: round(low), high: round(high), rows: rows.length }
}
