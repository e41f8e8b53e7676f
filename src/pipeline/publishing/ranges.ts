// The output partitions in ranges, each published by one process at a time.
import type { Place } from './ports.ts'

/**
 * Three: a few workers share the load, and a transaction still gathers many rows of few partitions (in the trial on two
 * cores 18,000 rows a second; with twelve ranges 14,000, with one 20,000, which then is one process). It is no setting: two processes that count differently would give the
 * same partition to two ranges, and neither would fence the other.
 */
export const RANGES = ['0', '1', '2'] as const

export type Range = (typeof RANGES)[number]

/** Partition p of every topic belongs to range p modulo the number of ranges. */
export const placesOf = (range: Range, places: readonly Place[]): Place[] =>
  places.filter((place) => RANGES[place.partition % RANGES.length] === range)
