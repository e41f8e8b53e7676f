// Fits one weight for each n-gram: logistic regression with an L2 penalty over sparse rows, in a fixed order of additions.

/** One text: what there is of which n-gram, what was said of it, and how many texts it stands for. */
export interface SparseRow {
  readonly ids: Int32Array
  readonly values: Float32Array
  readonly positive: boolean
  readonly weight: number
}

export interface Fit {
  /** By row of the table; 0 where nothing was learnt. */
  readonly weights: Float64Array
  readonly bias: number
}

/** Pairs of steps that stand for the curvature; more than ten rarely help. */
const MEMORY = 10
/** Far above what texts of length one need, and a bound where they need more. */
const MOST_STEPS = 200
/** Of the gradient of the loss per text: what is left changes no score in its fourth digit. */
const FLAT = 1e-5

/**
 * Minimises Σ weight · log(1 + e^(−margin)) + `l2`/2 · Σ w², both classes taken as equally frequent, by L-BFGS (Liu and
 * Nocedal 1989) with halving steps. The optimum is unique, so nothing depends on chance. `table` is the number of
 * features, `usable` says which of them may be learnt; `rows` hold both classes.
 */
export function fitLogistic(
  rows: readonly SparseRow[],
  options: { readonly table: number; readonly l2: number; readonly usable: (id: number) => boolean },
): Fit {
  const { place, used } = compact(rows, options)
  const size = used.length + 1
  const scales = balance(rows)
  const objective = (x: Float64Array, gradient: Float64Array): number =>
    loss({ rows, scales, place, l2: options.l2 }, x, gradient)

  const found = minimise(objective, size)
  const weights = new Float64Array(options.table)
  used.forEach((id, i) => (weights[id] = found[i] ?? 0))
  return { weights, bias: found[size - 1] ?? 0 }
}

/** What the weights say of one text, in log-odds. */
export function margin(fit: Fit, row: Pick<SparseRow, 'ids' | 'values'>): number {
  let sum = fit.bias
  for (let k = 0; k < row.ids.length; k++) sum += (fit.weights[row.ids[k] ?? 0] ?? 0) * (row.values[k] ?? 0)
  return sum
}

/** Only features that occur get a place: the table is mostly empty. */
function compact(rows: readonly SparseRow[], options: { table: number; usable: (id: number) => boolean }) {
  const place = new Int32Array(options.table).fill(-1)
  for (const { ids } of rows) for (const id of ids) if (options.usable(id)) place[id] = 0
  const used: number[] = []
  place.forEach((mark, id) => {
    if (mark < 0) return
    place[id] = used.length
    used.push(id)
  })
  return { place, used }
}

/** Each class weighs as much as half of all rows, however rare it is. */
function balance(rows: readonly SparseRow[]): Float64Array {
  const total = [0, 0]
  for (const { positive, weight } of rows) total[positive ? 1 : 0] = (total[positive ? 1 : 0] ?? 0) + weight
  return Float64Array.from(rows, (r) => (r.weight * rows.length) / 2 / (total[r.positive ? 1 : 0] ?? 1))
}

interface Problem {
  readonly rows: readonly SparseRow[]
  readonly scales: Float64Array
  readonly place: Int32Array
  readonly l2: number
}

/** The bias, last in `x`, is not penalised. */
function loss({ rows, scales, place, l2 }: Problem, x: Float64Array, gradient: Float64Array): number {
  const last = x.length - 1
  let sum = 0
  for (let i = 0; i < last; i++) {
    const w = x[i] ?? 0
    sum += (l2 / 2) * w * w
    gradient[i] = l2 * w
  }
  gradient[last] = 0
  rows.forEach(({ ids, values, positive }, r) => {
    let at = x[last] ?? 0
    for (let k = 0; k < ids.length; k++) {
      const i = place[ids[k] ?? 0] ?? -1
      if (i >= 0) at += (x[i] ?? 0) * (values[k] ?? 0)
    }
    const side = positive ? at : -at
    // log(1 + e^-side) and its slope, without overflow on either side.
    const small = Math.exp(-Math.abs(side))
    const scale = scales[r] ?? 0
    sum += scale * (Math.log1p(small) + Math.max(0, -side))
    const slope = (scale * (side >= 0 ? small : 1) * (positive ? -1 : 1)) / (1 + small)
    for (let k = 0; k < ids.length; k++) {
      const i = place[ids[k] ?? 0] ?? -1
      if (i >= 0) gradient[i] = (gradient[i] ?? 0) + slope * (values[k] ?? 0)
    }
    gradient[last] = (gradient[last] ?? 0) + slope
  })
  return sum
}

function minimise(objective: (x: Float64Array, gradient: Float64Array) => number, size: number): Float64Array {
  let x = new Float64Array(size)
  let gradient = new Float64Array(size)
  let value = objective(x, gradient)
  const history: { step: Float64Array; change: Float64Array; curvature: number }[] = []
  for (let n = 0; n < MOST_STEPS && largest(gradient) > FLAT; n++) {
    const direction = descend(gradient, history)
    let slope = dot(gradient, direction)
    if (slope >= 0) {
      history.length = 0
      direction.set(gradient.map((g) => -g))
      slope = -dot(gradient, gradient)
    }
    let length = history.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1
    const next = new Float64Array(size)
    const nextGradient = new Float64Array(size)
    let nextValue = Infinity
    // Armijo's rule; after forty halvings the step is lost in rounding.
    for (let halvings = 0; halvings < 40; halvings++, length /= 2) {
      for (let i = 0; i < size; i++) next[i] = (x[i] ?? 0) + length * (direction[i] ?? 0)
      nextValue = objective(next, nextGradient)
      if (nextValue <= value + 1e-4 * length * slope) break
    }
    if (!(nextValue < value)) break
    const step = next.map((v, i) => v - (x[i] ?? 0))
    const change = nextGradient.map((v, i) => v - (gradient[i] ?? 0))
    const curvature = dot(step, change)
    if (curvature > 0) history.push({ step, change, curvature })
    if (history.length > MEMORY) history.shift()
    x = next
    gradient = nextGradient
    value = nextValue
  }
  return x
}

/** The two loops of L-BFGS: minus the gradient, bent by what the last steps told of the curvature. */
function descend(
  gradient: Float64Array,
  history: readonly { step: Float64Array; change: Float64Array; curvature: number }[],
): Float64Array {
  const q = gradient.map((g) => -g)
  const alphas: number[] = []
  for (const { step, change, curvature } of history.toReversed()) {
    const alpha = dot(step, q) / curvature
    alphas.push(alpha)
    for (let i = 0; i < q.length; i++) q[i] = (q[i] ?? 0) - alpha * (change[i] ?? 0)
  }
  const last = history.at(-1)
  if (last !== undefined) {
    const scale = last.curvature / dot(last.change, last.change)
    for (let i = 0; i < q.length; i++) q[i] = (q[i] ?? 0) * scale
  }
  for (const { step, change, curvature } of history) {
    const beta = dot(change, q) / curvature
    const alpha = alphas.pop() ?? 0
    for (let i = 0; i < q.length; i++) q[i] = (q[i] ?? 0) + (alpha - beta) * (step[i] ?? 0)
  }
  return q
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

const largest = (a: Float64Array): number => a.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
