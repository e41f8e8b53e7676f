// `start`: everything in one process on embedded defaults, with the demo stream if wanted; Ctrl-C ends it cleanly.
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { messageOf } from '../../errors.ts'
import { createTelemetry } from '../../telemetry.ts'
import { takeBackShortHolds } from '../demo/short-holds.ts'
import { demoPolicies, startDemo } from '../demo/start.ts'
import { startGate } from '../gate.ts'
import { assertPortsFree, startHttp } from '../http.ts'

/** A drain takes well under this; then the process ends all the same, and the next start goes on where the store is. */
const STOP_MS = 20_000

export function registerStart(program: Command): void {
  program
    .command('start')
    .description('Everything in one process: log, store, worker, publisher, clock and HTTP.')
    .option('--demo', 'play the demo stream, then stay up')
    .addHelpText(
      'after',
      '\nWithout DATABASE_URL a PostgreSQL is embedded in TOUCHSTONE_DATA_DIR (.touchstone).\n\nExample:\n  $ touchstone start --demo\n  $ DATABASE_URL=postgres://user:password@db/touchstone touchstone start',
    )
    .action(async (options: { demo?: boolean }) => {
      process.exitCode = await start(options.demo === true)
    })
}

async function start(demo: boolean): Promise<number> {
  const config = readConfig(process.env)
  const say = (message: string) => process.stderr.write(`${message}\n`)
  const telemetry = createTelemetry({
    // In the demo a person reads decisions, not log lines, unless they ask for both.
    level: config.LOG_LEVEL ?? (demo ? 'warn' : 'info'),
    processMetrics: true,
  })
  await assertPortsFree(config)

  const stopped = new AbortController()
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopped.signal.aborted) {
      say('Ended at once; the next start goes on where the store is.')
      process.exit(130)
    }
    say(`${signal}: finishing what is in hand (once more ends at once)`)
    stopped.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)

  const gate = await startGate(config, telemetry, say)
  let failure: unknown
  let code = 0
  try {
    gate.run.done.catch((error: unknown) => {
      failure = error
      code = 1
      say(`touchstone: the gate stopped: ${messageOf(error)}`)
      stopped.abort()
    })
    const watch = watchServer(gate.database.serverPid, () => {
      code = 1
      say(
        'touchstone: the embedded PostgreSQL has ended (see postgres.log in the data directory); start again to go on',
      )
      stopped.abort()
    })
    const http = await startHttp(gate, config, telemetry, () => failure)
    try {
      const link = await http.signInLink()
      // A demo that was killed in its scene with short holds must not leave them to a real marketplace.
      if (!demo) await takeBackShortHolds(demoPolicies(gate))
      if (demo) await startDemo({ gate, http, link, signal: stopped.signal })
      else {
        say(`Touchstone listens on ${http.url}, metrics on ${http.metricsUrl}`)
        say(`Sign in as administrator, once, within 15 minutes: ${link}`)
      }
      if (!stopped.signal.aborted)
        await new Promise<void>((resolve) => stopped.signal.addEventListener('abort', () => resolve(), { once: true }))
    } finally {
      clearInterval(watch)
      await bounded('HTTP', http.stop())
    }
  } finally {
    await bounded('the gate', gate.stop())
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
  say('Stopped.')
  return code

  async function bounded(what: string, work: Promise<void>): Promise<void> {
    const timer = setTimeout(() => {
      say(`${what} did not stop within ${STOP_MS / 1000} s; ending all the same`)
      process.exit(1)
    }, STOP_MS)
    await work.finally(() => clearTimeout(timer))
  }
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
