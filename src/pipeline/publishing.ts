// Keeps the outbox flowing to its topics: publishes until nothing waits, then naps until nudged.
import type { Telemetry } from '../telemetry.ts'
import { createLoop, type Loop } from './loop.ts'
import type { Publisher } from './ports.ts'

/** Rows that another process wrote are seen within this long; our own nudge us. */
const NAP_MS = 100
/** The gauges are for people: looking more often than this only costs. */
const GAUGE_MS = 2_000

/** As many rows share the cost of a time well enough: what waits behind them is a backlog. */
const MANY = 500

/** One loop a publisher, so that a range that stands still holds up no other; `name` is for logs and readiness. */
export function createPublishing(publisher: Publisher, telemetry: Telemetry, name: string): Loop {
  const { gatherMs = 0 } = publisher
  let measured = -Infinity
  /** When rows were published last, if they were few. */
  let gatheredFrom = -Infinity
  return createLoop(name, telemetry.log, async () => {
    // First: what cannot be published waits too.
    if (performance.now() - measured > GAUGE_MS) {
      measured = performance.now()
      const backlog = await publisher.backlog()
      telemetry.metrics.touchstone_outbox_rows.set(backlog.rows)
      telemetry.metrics.touchstone_outbox_seconds.set(backlog.seconds)
    }
    const gather = gatheredFrom + gatherMs - performance.now()
    if (gather > 0) await new Promise((resolve) => setTimeout(resolve, gather))
    const began = performance.now()
    const published = await publisher.publish()
    gatheredFrom = published > 0 && published < MANY ? began : -Infinity
    if (published > 0) telemetry.metrics.touchstone_published_total.inc(published)
    return published > 0 ? 0 : NAP_MS
  })
}
