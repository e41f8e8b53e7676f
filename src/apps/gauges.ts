// The gauges that are read when somebody asks for the metrics: measured then, within a bounded time, or left as they were.
import { countOpenCases } from '../adapters/postgres/open-cases.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Gate } from './gate.ts'
import { dutiesOf } from './readiness.ts'

/** A scrape is given up after ten seconds as a rule; a store that does not answer must not take the other metrics along. */
const MEASURE_MS = 2_000

export function createGauges(gate: Gate, telemetry: Telemetry): () => Promise<void> {
  const { metrics } = telemetry
  const cases = once(() => countOpenCases(gate.database.database.reading))

  async function measureLag(): Promise<void> {
    const lags = await gate.backlog.look()
    // Partitions that went to another process are theirs to report.
    metrics.touchstone_lag_records.reset()
    metrics.touchstone_lag_seconds.reset()
    for (const { partition, records, seconds, reader } of lags) {
      if (reader !== 'here') continue
      metrics.touchstone_lag_records.set({ partition }, records)
      metrics.touchstone_lag_seconds.set({ partition }, seconds)
    }
  }

  async function measureCases(): Promise<void> {
    const { open, oldestSeconds } = await cases()
    metrics.touchstone_open_cases.set(open)
    metrics.touchstone_oldest_case_seconds.set(oldestSeconds)
  }

  return async () => {
    gate.run?.progress()
    const failures = (await Promise.allSettled([within(measureLag()), within(measureCases())])).filter(
      (one) => one.status === 'rejected',
    )
    metrics.touchstone_index_age_seconds.set(gate.banks.loop.idleMs() / 1000)
    metrics.touchstone_text_queue.set(gate.text.queue())
    metrics.touchstone_lag_measured_seconds.set(gate.backlog.ageMs() / 1000)
    for (const [loop, { idleMs }] of Object.entries(dutiesOf(gate)))
      metrics.touchstone_loop_idle_seconds.set({ loop }, idleMs() / 1000)
    if (failures.length > 0) throw failures[0]?.reason
  }
}

/** Who asks while an answer is awaited shares it: a store that hangs is asked by one. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => (asked ??= ask().finally(() => (asked = undefined)))
}

async function within(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${MEASURE_MS} ms`)), MEASURE_MS)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
