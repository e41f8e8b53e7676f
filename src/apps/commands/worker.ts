// `worker`: what decides, as a process of its own; as many of them as there are partitions share the work.
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { withRemedy } from '../../errors.ts'
import { createTelemetry } from '../../telemetry.ts'
import { startGate } from '../gate.ts'
import { assertPortsFree, startMonitor } from '../http.ts'
import { live, type Life } from '../process.ts'

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description(
      'What decides, as a process of its own: reads listings, decides, publishes. Start as many as you need.',
    )
    .addHelpText(
      'after',
      `
Workers share the partitions of the listings topic: more workers than partitions have nothing to do. /healthz, /readyz
and /metrics are on METRICS_PORT; give each worker on one machine a port of its own (0: any free one).

Example:
  $ DATABASE_URL=postgres://user:password@db/touchstone KAFKA_BROKERS=kafka:9092 touchstone worker

Exit codes: 0 stopped by a signal; 1 had to stop, the last lines say why; 2 wrong settings.`,
    )
    .action(async () => {
      process.exitCode = await live(work)
    })
}

async function work(life: Life): Promise<void> {
  const config = readConfig(process.env, SHARED)
  const telemetry = createTelemetry({ level: config.LOG_LEVEL ?? 'info', processMetrics: true })
  await assertPortsFree(config, ['METRICS_PORT'])
  const gate = await startGate(config, telemetry, life.say, 'worker')
  life.onStop('the worker', gate.stop)
  let failure: unknown
  gate.done.catch((error: unknown) => {
    failure = error
    life.fail(`the worker stopped: ${withRemedy(error)}`)
  })
  const monitor = await startMonitor(gate, config, telemetry, () => failure)
  life.onStop('the monitor', monitor.stop)
  life.say(`The worker decides; /readyz and /metrics on ${monitor.url}`)
}

/** Settings that processes which share the work cannot do without, and why. */
export const SHARED = {
  DATABASE_URL:
    'processes of their own share one database, and an embedded one belongs to the process that starts it; `touchstone start` runs everything in one process',
} as const
