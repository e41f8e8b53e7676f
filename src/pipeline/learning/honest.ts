// What a new version does to honest sellers beside the one that decides: listings that it stops and the other let pass.
import { mean, meanWithin, round, type MeasuredRow } from './weighted.ts'

/** Of the rejected rows at one threshold, by both versions. A type, as a card keeps it as JSON. */
export type Stopped = {
  readonly rows: number
  readonly candidate: { readonly count: number; readonly share: number }
  readonly champion: { readonly count: number; readonly share: number }
  /** The rise of the weighted share with its 95 % interval, a seller's rows together. */
  readonly rise: { readonly value: number; readonly low: number; readonly high: number }
  /** It stops more of them, and that is not left to chance. */
  readonly more: boolean
}

/**
 * Five points of a hundred more of the honest are refused even where the rows are too few to tell them from chance: who is
 * stopped wrongly goes elsewhere, and nobody sees it in the verdicts.
 */
export const MOST_RISE = 0.05
/** What one seller meets says nothing of the others, however many listings it has. */
export const LEAST_SELLERS = 2

/** The same rows by two models, paired, in the same order; only rejected ones are looked at. */
export function stoppedHonest(
  candidate: readonly MeasuredRow[],
  champion: readonly MeasuredRow[],
  threshold: number,
): Stopped {
  const stops = (risk: number | undefined): number => (risk !== undefined && risk >= threshold ? 1 : 0)
  const pairs = candidate
    .map((row, i) => ({ ...row, now: stops(row.risk), before: stops(champion[i]?.risk) }))
    .filter((row) => !row.positive)
  const { mean: rise, low, high } = meanWithin(pairs, (pair) => pair.now - pair.before)
  const sellers = [...Map.groupBy(pairs, (pair) => pair.sellerId).values()]
  const hit = sellers.reduce((sum, own) => sum + Math.sign(own.reduce((s, pair) => s + pair.now - pair.before, 0)), 0)
  return {
    rows: pairs.length,
    candidate: { count: pairs.filter((pair) => pair.now > 0).length, share: round(mean(pairs, (pair) => pair.now)) },
    champion: {
      count: pairs.filter((pair) => pair.before > 0).length,
      share: round(mean(pairs, (pair) => pair.before)),
    },
    rise: { value: round(rise), low: round(low), high: round(high) },
    more: hit >= LEAST_SELLERS && rise > 0 && (low > 0 || rise > MOST_RISE),
  }
}

/** Both with their counts, as a person reads it; `verb` is what the threshold does. */
export function honestLine(verb: 'stops' | 'blocks', { rows, candidate, champion }: Stopped, against: string): string {
  const of = ({ count, share }: Stopped['candidate']) => `${(share * 100).toFixed(1)} % (${count} of ${rows})`
  return `it ${verb} ${of(candidate)} of the honest listings that neither had seen, ${against} ${of(champion)}`
}
