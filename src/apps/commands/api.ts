// `api`: takes listings in and answers, as a process of its own; the workers decide.
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { createTelemetry } from '../../telemetry.ts'
import { openGate } from '../gate.ts'
import { assertPortsFree, startHttp } from '../http.ts'
import { live, type Life } from '../process.ts'
import { SHARED } from './worker.ts'

export function registerApi(program: Command): void {
  program
    .command('api')
    .description('The HTTP API and the page, as a process of its own; `touchstone worker` decides.')
    .addHelpText(
      'after',
      `
Several may run side by side behind one address: what they know is in the store.

Example:
  $ DATABASE_URL=postgres://user:password@db/touchstone KAFKA_BROKERS=kafka:9092 touchstone api

Exit codes: 0 stopped by a signal; 1 failed; 2 wrong settings.`,
    )
    .action(async () => {
      process.exitCode = await live(serve)
    })
}

async function serve(life: Life): Promise<void> {
  const config = readConfig(process.env, SHARED)
  const telemetry = createTelemetry({ level: config.LOG_LEVEL ?? 'info', processMetrics: true })
  await assertPortsFree(config, ['PORT', 'METRICS_PORT'])
  const gate = await openGate(config, telemetry, life.say)
  life.onStop('the gate', gate.stop)
  const http = await startHttp(gate, config, telemetry, () => undefined)
  life.onStop('HTTP', http.stop)
  const link = await http.signInLink()
  life.say(`Touchstone listens on ${http.url}, metrics on ${http.metricsUrl}`)
  life.say(`Sign in as administrator, once, within 15 minutes: ${link}`)
}
