// Keeps the outbox flowing to its topics: publishes until nothing waits, then naps until nudged.
import type { Telemetry } from '../telemetry.ts'
import { createLoop, type Loop } from './loop.ts'
import type { Publisher } from './ports.ts'

/** Rows that another process wrote are seen within this long; our own nudge us. */
const NAP_MS = 100
/** The gauges are for people: looking more often than this only costs. */
const GAUGE_MS = 2_000

export function createPublishing(publisher: Publisher, telemetry: Telemetry): Loop {
  let measured = 0
  return createLoop('publisher', telemetry.log, async () => {
    const published = await publisher.publish()
    if (published > 0) telemetry.metrics.touchstone_published_total.inc(published)
    if (performance.now() - measured > GAUGE_MS) {
      measured = performance.now()
      const backlog = await publisher.backlog()
      telemetry.metrics.touchstone_outbox_rows.set(backlog.rows)
      telemetry.metrics.touchstone_outbox_seconds.set(backlog.seconds)
    }
    return published > 0 ? 0 : NAP_MS
  })
}
