// `start`: everything in one process on embedded defaults, with the demo stream if wanted; Ctrl-C ends it cleanly.
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { withRemedy } from '../../errors.ts'
import { createTelemetry } from '../../telemetry.ts'
import { takeBackShortHolds } from '../demo/short-holds.ts'
import { demoPolicies, startDemo } from '../demo/start.ts'
import { startGate } from '../gate.ts'
import { assertPortsFree, startHttp } from '../http.ts'
import { live, type Life } from '../process.ts'

export function registerStart(program: Command): void {
  program
    .command('start')
    .description('Everything in one process: log, store, worker, publisher, clock and HTTP.')
    .option('--demo', 'play the demo stream, then stay up')
    .addHelpText(
      'after',
      `
Without DATABASE_URL a PostgreSQL is embedded in TOUCHSTONE_DATA_DIR (.touchstone). With KAFKA_BROKERS the log is Kafka,
else tables of that PostgreSQL.

Example:
  $ touchstone start --demo
  $ DATABASE_URL=postgres://user:password@db/touchstone touchstone start
  $ KAFKA_BROKERS=127.0.0.1:9092 touchstone start`,
    )
    .action(async (options: { demo?: boolean }) => {
      process.exitCode = await live((life) => start(life, options.demo === true))
    })
}

async function start(life: Life, demo: boolean): Promise<void> {
  const { say } = life
  const config = readConfig(process.env)
  const telemetry = createTelemetry({
    // In the demo a person reads decisions, not log lines, unless they ask for both.
    level: config.LOG_LEVEL ?? (demo ? 'warn' : 'info'),
    processMetrics: true,
  })
  await assertPortsFree(config, ['PORT', 'METRICS_PORT'])
  const gate = await startGate(config, telemetry, say)
  life.onStop('the gate', gate.stop)
  let failure: unknown
  gate.done.catch((error: unknown) => {
    failure = error
    life.fail(`the gate stopped: ${withRemedy(error)}`)
  })
  const watch = watchServer(gate.database.serverPid, () =>
    life.fail('the embedded PostgreSQL has ended (see postgres.log in the data directory); start again to go on'),
  )
  life.onStop('the watch over the server', async () => clearInterval(watch))
  const http = await startHttp(gate, config, telemetry, () => failure)
  life.onStop('HTTP', http.stop)
  const link = await http.signInLink()
  if (demo) return void (await startDemo({ gate, http, link, signal: life.signal }))
  // A demo that was killed in its scene with short holds must not leave them to a real marketplace.
  await takeBackShortHolds(demoPolicies(gate))
  say(`Touchstone listens on ${http.url}, metrics on ${http.metricsUrl}`)
  say(`Sign in as administrator, once, within 15 minutes: ${link}`)
}

/** Its data are safe; but nobody else starts it again, and a supervisor starts us again. */
function watchServer(pid: number | undefined, ended: () => void): NodeJS.Timeout | undefined {
  if (pid === undefined) return undefined
  const timer = setInterval(() => {
    try {
      process.kill(pid, 0)
    } catch (error) {
      // As root the server is another user's, and may still be asked whether it lives.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') return
      clearInterval(timer)
      ended()
    }
  }, 1_000)
  return timer
}
