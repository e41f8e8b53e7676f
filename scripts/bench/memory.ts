// Memory of this process over many pictures: samples, the line through their second half, and whether it is flat.

/** In MiB. `external` and `arrayBuffers` are parts of `resident`, as far as they were touched. */
interface Sample {
  readonly done: number
  readonly resident: number
  readonly heap: number
  readonly external: number
  readonly arrayBuffers: number
}

const MEASURED = ['resident', 'heap', 'external', 'arrayBuffers'] as const
/** Of the mean: a leak of a kilobyte a picture shows over 10,000 of them, the teeth of the collector do not. */
const FLAT_SHARE = 0.03

export function sampleMemory(done: number): Sample {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  const of = (bytes: number) => bytes / 2 ** 20
  return { done, resident: of(rss), heap: of(heapUsed), external: of(external), arrayBuffers: of(arrayBuffers) }
}

/**
 * `growth` is by how many MiB the line of least squares rises over the second half: the first one fills what has a bound,
 * such as the 10,000 pictures that are remembered. Flat: the growth of resident memory is below 3 % of its mean.
 */
export function flatness(samples: readonly Sample[]) {
  const half = samples.slice(Math.floor(samples.length / 2))
  const of = Object.fromEntries(
    MEASURED.map((what) => {
      const values = half.map((sample) => sample[what])
      return [what, { mean: round(mean(values)), most: round(Math.max(...values)), growth: round(growth(half, what)) }]
    }),
  )
  const { mean: usual = 0, growth: grown = 0 } = of['resident'] ?? {}
  return { samples: samples.length, secondHalfMebibytes: of, flat: grown <= usual * FLAT_SHARE }
}

function growth(samples: readonly Sample[], what: (typeof MEASURED)[number]): number {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined || first.done === last.done) return Number.NaN
  const [x, y] = [mean(samples.map((s) => s.done)), mean(samples.map((s) => s[what]))]
  const above = samples.reduce((sum, s) => sum + (s.done - x) * (s[what] - y), 0)
  const below = samples.reduce((sum, s) => sum + (s.done - x) ** 2, 0)
  return (above / below) * (last.done - first.done)
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const round = (n: number) => Math.round(n * 10) / 10
