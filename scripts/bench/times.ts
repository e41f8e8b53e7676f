// How long one question takes: the median and p99 of many, and what of the processor each takes on average.

/** Of one kind of question: enough for a p99 where they are fast, few seconds where they are slow. */
const QUESTIONS = 1_000
const MOST_SECONDS = 4

export interface Times {
  readonly p50: number
  readonly p99: number
  /** Of the processor, on average: what is left of the others when the machine has more to do. */
  readonly cpu: number
  readonly questions: number
}

export function times(question: () => void): Times {
  const took: number[] = []
  for (let n = 0; n < 20; n++) question()
  const until = performance.now() + MOST_SECONDS * 1_000
  const before = process.threadCpuUsage()
  while (took.length < 20 || (took.length < QUESTIONS && performance.now() < until)) {
    const from = performance.now()
    question()
    took.push(performance.now() - from)
  }
  const { user, system } = process.threadCpuUsage(before)
  took.sort((a, b) => a - b)
  const at = (share: number) => Number((took[Math.floor(took.length * share)] ?? NaN).toFixed(4))
  return {
    p50: at(0.5),
    p99: at(0.99),
    cpu: Number(((user + system) / took.length / 1_000).toFixed(4)),
    questions: took.length,
  }
}
