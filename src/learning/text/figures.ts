// How well a text model tells confirmed from rejected listings that it did not learn from.
import type { Tested } from './calibrate.ts'

export interface TextFigures {
  readonly confirmed: number
  readonly rejected: number
  /** The chance that a confirmed listing scores above a rejected one; null where a class is missing. */
  readonly auc: number | null
  /** Of those that score at least `at`: the share that is confirmed, and the share of the confirmed that is among them. */
  readonly at: readonly { readonly score: number; readonly precision: number | null; readonly recall: number | null }[]
}

/** Where it leans against the listing, and where it is all but sure. */
const POINTS = [0.5, 0.9] as const

/** Weighted by how many listings each stands for; the counts are of rows. Rounded to four digits. */
export function figuresOf(tested: readonly Tested[], probability: (margin: number) => number): TextFigures {
  const scored = tested.map((t) => ({ ...t, score: probability(t.margin) }))
  const positives = scored.filter((t) => t.positive)
  const weightOf = (some: readonly { weight: number }[]) => some.reduce((sum, t) => sum + t.weight, 0)
  const share = (part: number, whole: number) => (whole === 0 ? null : round(part / whole))
  return {
    confirmed: positives.length,
    rejected: scored.length - positives.length,
    auc: auc(scored),
    at: POINTS.map((score) => {
      const above = scored.filter((t) => t.score >= score)
      const hits = weightOf(above.filter((t) => t.positive))
      return { score, precision: share(hits, weightOf(above)), recall: share(hits, weightOf(positives)) }
    }),
  }
}

/** By ranks of the margins, ties counted half. */
function auc(tested: readonly Tested[]): number | null {
  const sorted = tested.toSorted((a, b) => a.margin - b.margin)
  let [won, below, positives] = [0, 0, 0]
  for (let i = 0; i < sorted.length;) {
    let [p, n] = [0, 0]
    const margin = sorted[i]?.margin
    for (; i < sorted.length && sorted[i]?.margin === margin; i++) {
      const { positive, weight } = sorted[i] ?? { positive: false, weight: 0 }
      if (positive) p += weight
      else n += weight
    }
    won += p * (below + n / 2)
    below += n
    positives += p
  }
  return positives === 0 || below === 0 ? null : round(won / (positives * below))
}

const round = (n: number): number => Number(n.toFixed(4))
