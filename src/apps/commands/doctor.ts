// `doctor`: looks at the machine, the settings, the store and the log, and says for everything that is wrong what to do.
import type { Command } from 'commander'
import pc from 'picocolors'
import { runningEmbeddedPostgres } from '../../adapters/embedded-postgres/attach.ts'
import { createBankStore } from '../../adapters/postgres/bank-store.ts'
import type { Database } from '../../adapters/postgres/connect.ts'
import { createModelStore } from '../../adapters/postgres/model-store.ts'
import { createPostgresLog } from '../../adapters/postgres-log/postgres-log.ts'
import { readConfig, type Config } from '../../config.ts'
import { messageOf } from '../../errors.ts'
import { topicNames } from '../../events/topics.ts'
import type { Log } from '../../pipeline/log/ports.ts'
import { createTelemetry } from '../../telemetry.ts'
import { kafkaConnection } from '../kafka.ts'
import { promotedProblems } from '../learning.ts'
import { kafkaLog } from '../log-in-kafka.ts'
import { checkTopics } from '../topic-check.ts'
import { examineBanks } from './doctor/banks.ts'
import { examineKafka } from './doctor/brokers.ts'
import { examineStore } from './doctor/database.ts'
import type { Finding } from './doctor/finding.ts'
import { dataDirectory, memory, node, ports, reference } from './doctor/machine.ts'
import { examineModels } from './doctor/models.ts'
import { pictures } from './doctor/pictures.ts'
import { examineOutbox } from './doctor/publishing.ts'
import { examineReading } from './doctor/reading.ts'
import { findingsOf } from './doctor/topics.ts'
import { inputsOf } from './offsets.ts'
import { print } from './with-store.ts'

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('Check the machine, the settings, the store and the log; say what to do about whatever is wrong.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ touchstone doctor\n\nExit codes: 0 nothing is wrong; 1 something is.')
    .action(async (options: { json?: boolean }) => {
      const findings = await examineAll()
      print(options.json, findings, findings.map(line).join('\n'))
      process.exitCode = findings.some((f) => f.state === 'wrong') ? 1 : 0
    })
}

const MARK = { ok: pc.green('ok     '), warning: pc.yellow('warning'), wrong: pc.red('WRONG  ') }
const line = (f: Finding) =>
  `${MARK[f.state]}  ${f.name.padEnd(14)} ${f.detail}${f.cure === undefined ? '' : `\n         ${' '.repeat(14)} -> ${f.cure}`}`

async function examineAll(): Promise<Finding[]> {
  const findings: Finding[] = [node(), memory()]
  const config = readSettings(findings)
  if (config === undefined) return findings
  findings.push(await reference(config))
  const running = config.DATABASE_URL === undefined ? runningEmbeddedPostgres(config.TOUCHSTONE_DATA_DIR) : undefined
  if (config.DATABASE_URL === undefined) findings.push(await dataDirectory(config.TOUCHSTONE_DATA_DIR))
  findings.push(await ports(config))
  findings.push(pictures(config))
  const url = config.DATABASE_URL ?? running?.url
  if (url === undefined)
    findings.push({ name: 'database', state: 'ok', detail: 'embedded, not running now; `touchstone start` starts it' })
  await examineLogAndStore(config, url, findings)
  return findings
}

function readSettings(findings: Finding[]): Config | undefined {
  try {
    const config = readConfig(process.env)
    findings.push({ name: 'settings', state: 'ok', detail: 'all settings are sound' })
    return config
  } catch (error) {
    findings.push(wrongSettings(error))
    return undefined
  }
}

const wrongSettings = (error: unknown): Finding => ({
  name: 'settings',
  state: 'wrong',
  detail: messageOf(error).replaceAll('\n', '; '),
  cure: 'mend these environment variables; the README lists them all',
})

async function examineLogAndStore(config: Config, url: string | undefined, findings: Finding[]): Promise<void> {
  const { telemetry, names } = {
    telemetry: createTelemetry({ level: 'silent' }),
    names: topicNames(config.TOUCHSTONE_TOPIC_PREFIX),
  }
  const connection = await kafkaConnection(config, 'doctor').catch(
    (error: unknown) => void findings.push(wrongSettings(error)),
  )
  const inputs = inputsOf(config)
  const store = url === undefined ? undefined : await examineStore(url, inputs)
  findings.push(...(store?.findings ?? []))
  const kafka = connection === undefined ? undefined : await examineKafka(connection, config, telemetry.log)
  findings.push(...(kafka?.findings ?? []))
  let log: Log | undefined
  try {
    if (connection !== undefined && kafka?.reachable === true) log = kafkaLog(connection, config, telemetry)
    else if (config.KAFKA_BROKERS === undefined && url !== undefined && store?.prepared === true)
      log = createPostgresLog({ url })
    if (log === undefined) return
    findings.push(...findingsOf(await checkTopics(config, connection, store?.database?.reading, telemetry)))
    for (const input of inputs)
      findings.push(...(await examineReading(log, input, store?.offsets.get(input.topic) ?? new Map())))
    if (store?.database !== undefined && store.prepared)
      findings.push(
        examineBanks(await bankStoreOf(store.database).banks('all')),
        await modelsOf(store.database),
        ...(await examineOutbox(store.database.reading, log, [names.decisions, names.verdicts, names.deadLetters])),
      )
  } finally {
    await log?.close()
    await store?.database?.close()
  }
}

async function modelsOf({ reading }: Database): Promise<Finding> {
  const models = createModelStore(reading)
  return examineModels(await models.active(), await promotedProblems(models))
}

const bankStoreOf = ({ reading, listener }: Database) => createBankStore({ pool: reading, listener })
