// `topics`: makes the topics that are missing and holds the others to what this deployment needs of them.
import type { Command } from 'commander'
import pc from 'picocolors'
import { runningEmbeddedPostgres } from '../../adapters/embedded-postgres/attach.ts'
import type { ExaminedTopic } from '../../adapters/kafka-log/examine-topics.ts'
import { connect } from '../../adapters/postgres/connect.ts'
import { readConfig, type Config } from '../../config.ts'
import { TouchstoneError } from '../../errors.ts'
import { createTelemetry, type Telemetry } from '../../telemetry.ts'
import { kafkaConnection } from '../kafka.ts'
import { openLog, reachLog } from '../log.ts'
import { openDatabase } from '../store.ts'
import { checkTopics } from '../topic-check.ts'
import { wantedTopics } from '../topics.ts'
import { print, table } from './with-store.ts'

interface TopicsOptions {
  readonly check?: boolean
  readonly json?: boolean
}

export function registerTopics(program: Command): void {
  program
    .command('topics')
    .description('Make the topics that are missing, and check the others; what is there is never changed.')
    .option('--check', 'change nothing, only look')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Example:
  $ KAFKA_BROKERS=kafka:9092 touchstone topics

Exit codes: 0 every topic is fit for use; 1 something is wrong; 2 wrong settings.`,
    )
    .action(async (options: TopicsOptions) => {
      const config = readConfig(process.env)
      // What goes wrong on the way is thrown; the client's own lines would only repeat it.
      const telemetry = createTelemetry({ level: config.LOG_LEVEL ?? 'error' })
      const topics = await examine(config, telemetry, options.check !== true)
      print(options.json, topics, render(topics))
      process.exitCode = topics.some((t) => t.settings.some((s) => s.state === 'wrong')) ? 1 : 0
    })
}

async function examine(config: Config, telemetry: Telemetry, make: boolean): Promise<ExaminedTopic[]> {
  const connection = await kafkaConnection(config, 'topics')
  const say = (message: string) => void process.stderr.write(`${message}\n`)
  const onError = (error: Error) => say(`database: ${error.message}`)
  if (connection !== undefined) {
    if (make) await makeTopics(config, '', telemetry, onError)
    return checkTopics(config, connection, undefined, telemetry)
  }
  if (!make) {
    // Only looking must not make the tables, nor a server.
    const url = config.DATABASE_URL ?? runningEmbeddedPostgres(config.TOUCHSTONE_DATA_DIR)?.url
    if (url === undefined)
      throw new TouchstoneError(
        'database-unavailable',
        'the embedded PostgreSQL does not run, and --check starts nothing',
      )
    const database = await connect(url, { applicationName: 'touchstone topics', onError })
    try {
      return await checkTopics(config, undefined, database.reading, telemetry)
    } finally {
      await database.close()
    }
  }
  const opened = await openDatabase(config, { applicationName: 'touchstone topics', say, onError, beside: true })
  try {
    await makeTopics(config, opened.url, telemetry, onError)
    return await checkTopics(config, undefined, opened.database.reading, telemetry)
  } finally {
    await opened.close()
  }
}

async function makeTopics(
  config: Config,
  url: string,
  telemetry: Telemetry,
  onError: (error: Error) => void,
): Promise<void> {
  await reachLog({ config, program: 'topics', telemetry }, REACH_MS, () => undefined)
  const opened = await openLog({ config, url, program: 'topics', telemetry, onError })
  try {
    for (const { topic, name: _name, ...options } of wantedTopics(config)) await opened.log.ensureTopic(topic, options)
  } finally {
    await opened.close()
  }
}

/** Somebody sits in front of it. */
const REACH_MS = 3_000

const MARK = { ok: 'ok', warning: 'warning', wrong: 'WRONG' }

function render(topics: readonly ExaminedTopic[]): string {
  const rows = topics.flatMap(({ topic, settings }) =>
    settings.map((s, i) => [i === 0 ? topic : '', s.setting, s.found, s.wanted, MARK[s.state]]),
  )
  const cures = topics.flatMap(({ topic, settings }) =>
    settings.flatMap((s) => (s.cure === undefined ? [] : [`${topic}, ${s.setting}:\n  -> ${s.cure}`])),
  )
  const rest = cures.length === 0 ? '' : `\n${cures.map((cure) => pc.yellow(cure)).join('\n')}\n`
  return `${table(['topic', 'setting', 'found', 'wanted', ''], rows)}${rest}`
}
