// Every signal's evidence becomes one probability: log-odds add up, and each signal keeps its share of the sum.
import type { Risk } from '../domain/risk.ts'
import { partAt, priorAt, type Scorecard } from '../domain/scorecard.ts'
import type { SignalResult } from '../domain/signal-result.ts'

type Knots = Scorecard['signals'][string]['knots']

/**
 * Log-odds are kept within ±15 (3 million to one): no card holds evidence for more, and beyond it a double near 1 can no
 * longer be turned back into its log-odds to 1e-9.
 */
const LIMIT = 15

function within(logOdds: number): number {
  return Math.min(Math.max(logOdds, -LIMIT), LIMIT)
}

export function logit(probability: number): number {
  return Math.log(probability) - Math.log1p(-probability)
}

export function logistic(logOdds: number): number {
  // Two branches, so that neither side overflows or loses the small end.
  if (logOdds >= 0) return 1 / (1 + Math.exp(-logOdds))
  const odds = Math.exp(logOdds)
  return odds / (1 + odds)
}

/** Natural log of the likelihood ratio at a score: linear between knots, constant outside of them. */
export function logRatio(knots: Knots, score: number): number {
  let below = knots[0]
  if (below === undefined || Number.isNaN(score)) return 0
  if (score <= below.score) return Math.log(below.likelihoodRatio)
  for (const above of knots) {
    if (score < above.score) {
      const share = (score - below.score) / (above.score - below.score)
      const from = Math.log(below.likelihoodRatio)
      return from + share * (Math.log(above.likelihoodRatio) - from)
    }
    below = above
  }
  return Math.log(below.likelihoodRatio)
}

/**
 * The naive-Bayes sum (I. J. Good's weights of evidence): logit(risk) = base + Σ contribution, to 1e-9. Signals that
 * abstained, failed, run in shadow or are not in the card contribute exactly 0, and those that saw a part only never less:
 * the rest may be what a seller hides. Risk is strictly between 0 and 1 and
 * never falls when a score rises, because the card's ratios do not fall. `marketplace` is the listing's: `base` is what the
 * card knows of that place, and of all places where it knows nothing of it; the ratios are its own where it learnt, and
 * elsewhere those of the version that decided there before it (`scope`), which `part` then names.
 */
export function fuse(card: Scorecard, results: readonly SignalResult[], marketplace?: string | null): Risk {
  const base = within(logit(priorAt(card, marketplace)))
  const { version, signals } = partAt<Pick<Scorecard, 'version' | 'signals'>>(card, marketplace)
  const shares = results.map((result) => {
    if (result.state !== 'scored' || result.shadow === true || result.score === undefined) return 0
    const known = Object.hasOwn(signals, result.name) ? signals[result.name] : undefined
    if (known === undefined) return 0
    const share = logRatio(known.knots, result.score)
    return result.incomplete === true ? Math.max(0, share) : share
  })
  const sum = shares.reduce((total, share) => total + share, 0)
  const logOdds = within(base + sum)
  // Only where the limit bites are the shares shortened, all alike, so that they still add up.
  const scale = logOdds === base + sum ? 1 : (logOdds - base) / sum
  return {
    risk: logistic(logOdds),
    base,
    signals: results.map((result, i) => ({ ...result, contribution: (shares[i] ?? 0) * scale })),
    model: card.version,
    ...(version === card.version ? {} : { part: version }),
  }
}
