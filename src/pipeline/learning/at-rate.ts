// What a version finds at a false-positive rate that is stated: two versions with other thresholds are only comparable at one price.
import { recallOf, round, share, weightOf, type MeasuredRow, type Recall, type Share } from './weighted.ts'

/** A type, as a card keeps it as JSON. */
export type AtRate = {
  /** At most this weighted share of the honest rows is stopped. */
  readonly most: number
  /** The lowest risk that is stopped, chosen on these very rows: what it finds there flatters a little. Null: none may be. */
  readonly threshold: number | null
  /** With its interval: of few honest rows none may be stopped, and that shows little. */
  readonly falsePositives: Share
  readonly recall: Recall
}

/**
 * The best that one threshold on the risk can do while at most the share `most` of the rejected rows is stopped, each
 * weighing as many as it stands for. Rows of equal risk are stopped together, so that no order among them flatters.
 */
export function recallAt(rows: readonly MeasuredRow[], most: number): AtRate {
  const honest = rows.filter((row) => !row.positive).toSorted((a, b) => b.risk - a.risk)
  // 0.29 × 100 is a little less than 29 in binary.
  const mayStop = most * weightOf(honest) + 1e-9
  let stopped = 0
  const spared = honest.find((row) => (stopped += row.weight) > mayStop)?.risk ?? -1
  const over = (row: MeasuredRow): boolean => row.risk > spared
  const threshold = rows.filter(over).reduce((lowest, row) => Math.min(lowest, row.risk), Infinity)
  return {
    most,
    threshold: threshold === Infinity ? null : round(threshold),
    falsePositives: share(honest, over),
    recall: recallOf(
      rows.filter((row) => row.positive),
      over,
    ),
  }
}
