// Turns the log-odds of a linear model into a probability that holds on texts it did not learn from: Platt's line.

/** One text that the model did not learn from. */
export interface Tested {
  readonly margin: number
  readonly positive: boolean
  readonly weight: number
}

/** Probability = 1 / (1 + e^−(slope · margin + offset)). */
export interface Calibration {
  readonly slope: number
  readonly offset: number
}

/** Newton's method on two numbers is done after a handful of steps. */
const MOST_STEPS = 100

/**
 * Platt's fit (Probabilistic outputs for support vector machines, 1999), both classes taken as equally frequent, with his
 * targets: of n texts of a class none is worth more than (n + 1) / (n + 2), so that few verdicts never give certainty. A
 * model that ranks the wrong way round gets slope 0 and says nothing.
 */
export function calibrate(tested: readonly Tested[]): Calibration {
  const counts = { true: 0, false: 0 }
  const weights = { true: 0, false: 0 }
  for (const { positive, weight } of tested) {
    counts[`${positive}`] += 1
    weights[`${positive}`] += weight
  }
  const points = tested.map(({ margin, positive, weight }) => ({
    margin,
    target: positive ? (counts.true + 1) / (counts.true + 2) : 1 / (counts.false + 2),
    weight: weight / weights[`${positive}`],
  }))
  let slope = 1
  let offset = 0
  let value = deviance(points, slope, offset)
  for (let n = 0; n < MOST_STEPS; n++) {
    // A ridge of 1e-9 keeps the matrix regular where all margins are alike.
    let [g1, g2, h11, h12, h22] = [0, 0, 1e-9, 0, 1e-9]
    for (const { margin, target, weight } of points) {
      const p = logistic(slope * margin + offset)
      const d = weight * (p - target)
      const h = weight * p * (1 - p)
      g1 += d * margin
      g2 += d
      h11 += h * margin * margin
      h12 += h * margin
      h22 += h
    }
    if (Math.abs(g1) < 1e-9 && Math.abs(g2) < 1e-9) break
    const det = h11 * h22 - h12 * h12
    const [down1, down2] = [-(h22 * g1 - h12 * g2) / det, -(h11 * g2 - h12 * g1) / det]
    let length = 1
    while (length > 1e-10 && !(deviance(points, slope + length * down1, offset + length * down2) < value)) length /= 2
    if (length <= 1e-10) break
    slope += length * down1
    offset += length * down2
    value = deviance(points, slope, offset)
  }
  return slope > 0 ? { slope, offset } : { slope: 0, offset: 0 }
}

export function logistic(logOdds: number): number {
  if (logOdds >= 0) return 1 / (1 + Math.exp(-logOdds))
  const odds = Math.exp(logOdds)
  return odds / (1 + odds)
}

function deviance(
  points: readonly { margin: number; target: number; weight: number }[],
  slope: number,
  offset: number,
): number {
  let sum = 0
  for (const { margin, target, weight } of points) {
    const at = slope * margin + offset
    sum += weight * (Math.log1p(Math.exp(-Math.abs(at))) + Math.max(0, at) - target * at)
  }
  return sum
}
