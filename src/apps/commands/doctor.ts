// `doctor`: looks at the machine, the settings and the store, and says for everything that is wrong what to do.
import { access, constants, mkdir, statfs } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import pc from 'picocolors'
import { runningEmbeddedPostgres } from '../../adapters/embedded-postgres/attach.ts'
import { connect } from '../../adapters/postgres/connect.ts'
import { examine } from '../../adapters/postgres/examine.ts'
import { createPostgresLog } from '../../adapters/postgres-log/postgres-log.ts'
import { readConfig, type Config } from '../../config.ts'
import { messageOf } from '../../errors.ts'
import { topicNames } from '../../events/topics.ts'
import { shippedGate } from '../shipped-gate.ts'
import { GATE_GROUP } from '../gate.ts'
import { assertPortsFree } from '../http.ts'
import { print } from './with-store.ts'

interface Finding {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'wrong'
  readonly detail: string
  /** What to do about it. */
  readonly cure?: string
}

const NEEDED_NODE = 24
const LITTLE_DISK = 2 * 2 ** 30
const LITTLE_MEMORY = 2 ** 30
const LARGE_SKEW_MS = 2_000

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('Check the machine, the settings and the store; say what to do about whatever is wrong.')
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
  let config: Config
  try {
    config = readConfig(process.env)
    findings.push({ name: 'settings', state: 'ok', detail: 'all settings are sound' })
  } catch (error) {
    findings.push({
      name: 'settings',
      state: 'wrong',
      detail: messageOf(error).replaceAll('\n', '; '),
      cure: 'mend these environment variables; the README lists them all',
    })
    return findings
  }
  findings.push(await reference(config))
  const running = config.DATABASE_URL === undefined ? runningEmbeddedPostgres(config.TOUCHSTONE_DATA_DIR) : undefined
  if (config.DATABASE_URL === undefined) findings.push(await dataDirectory(config.TOUCHSTONE_DATA_DIR))
  findings.push(await ports(config))
  const url = config.DATABASE_URL ?? running?.url
  if (url === undefined) {
    findings.push({ name: 'database', state: 'ok', detail: 'embedded, not running now; `touchstone start` starts it' })
    return findings
  }
  return [...findings, ...(await database(url, config))]
}

function node(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  const detail = `${process.version} on ${process.platform} ${process.arch}, ${availableParallelism()} processors`
  return major >= NEEDED_NODE
    ? { name: 'node', state: 'ok', detail }
    : { name: 'node', state: 'wrong', detail, cure: `install Node ${NEEDED_NODE} or newer` }
}

function memory(): Finding {
  const detail = `${(totalmem() / 2 ** 30).toFixed(1)} GiB`
  return totalmem() >= LITTLE_MEMORY
    ? { name: 'memory', state: 'ok', detail }
    : { name: 'memory', state: 'warning', detail, cure: 'give it at least 1 GiB' }
}

async function reference(config: Config): Promise<Finding> {
  try {
    const gate = await shippedGate({
      currencies: config.TOUCHSTONE_CURRENCIES,
      budgetMs: config.TOUCHSTONE_LISTING_BUDGET_MS,
    })
    return {
      name: 'reference data',
      state: 'ok',
      detail: `${gate.brands.size} brands, ${gate.signals.length} signals, scorecard ${gate.scorecard.version} ship and compile`,
    }
  } catch (error) {
    return {
      name: 'reference data',
      state: 'wrong',
      detail: messageOf(error),
      cure: 'install the package again, or mend the file that is named',
    }
  }
}

async function dataDirectory(directory: string): Promise<Finding> {
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.W_OK)
  } catch (error) {
    return {
      name: 'data directory',
      state: 'wrong',
      detail: messageOf(error),
      cure: `make ${dirname(directory)} writable, or set TOUCHSTONE_DATA_DIR`,
    }
  }
  const { bavail, bsize } = await statfs(directory)
  const free = bavail * bsize
  const detail = `${directory}, ${(free / 2 ** 30).toFixed(1)} GiB free`
  return free >= LITTLE_DISK
    ? { name: 'data directory', state: 'ok', detail }
    : {
        name: 'data directory',
        state: 'warning',
        detail,
        cure: 'a full disk stops the gate: free some, or set TOUCHSTONE_DATA_DIR',
      }
}

async function ports(config: Config): Promise<Finding> {
  try {
    await assertPortsFree(config)
    return { name: 'ports', state: 'ok', detail: `${config.HOST}:${config.PORT} and :${config.METRICS_PORT} are free` }
  } catch (error) {
    return {
      name: 'ports',
      state: 'warning',
      detail: messageOf(error),
      cure: 'nothing to do if that is a running Touchstone',
    }
  }
}

async function database(url: string, config: Config): Promise<Finding[]> {
  const opened = await connect(url, { applicationName: 'touchstone doctor', deciding: 1, reading: 1 }).catch(
    (error: unknown) => messageOf(error),
  )
  if (typeof opened === 'string')
    return [{ name: 'database', state: 'wrong', detail: opened, cure: 'check DATABASE_URL and that the server is up' }]
  try {
    const topic = topicNames(config.TOUCHSTONE_TOPIC_PREFIX).listings
    const found = await examine(opened.reading, { group: GATE_GROUP, topic })
    const unsafe = found.settings.filter((s) => s.value === 'off').map((s) => s.name)
    const skewMs = Math.abs(found.clockSkewMs)
    return [
      { name: 'database', state: 'ok', detail: `PostgreSQL ${found.version}` },
      unsafe.length === 0
        ? { name: 'durability', state: 'ok', detail: 'fsync, full_page_writes and synchronous_commit are on' }
        : {
            name: 'durability',
            state: 'wrong',
            detail: `${unsafe.join(', ')} off: a crash may lose decisions`,
            cure: 'switch them on in the server',
          },
      skewMs < LARGE_SKEW_MS
        ? { name: 'clock', state: 'ok', detail: `differs from the database's by ${skewMs} ms` }
        : {
            name: 'clock',
            state: 'warning',
            detail: `differs from the database's by ${(skewMs / 1000).toFixed(1)} s`,
            cure: 'let both follow the same time server: hold deadlines are set by one and kept by the other',
          },
      ...(found.prepared
        ? await offsets(url, topic, found.offsets)
        : [{ name: 'tables', state: 'ok' as const, detail: 'are not there yet; the first start makes them' }]),
    ]
  } finally {
    await opened.close()
  }
}

/** Where reading stands against what the log still holds: outside of it the partition stops loudly. */
async function offsets(
  url: string,
  topic: string,
  stored: readonly { partition: number; next: bigint }[],
): Promise<Finding[]> {
  const log = createPostgresLog({ url })
  try {
    const ranges = await log.ranges(topic)
    const next = new Map(stored.map((o) => [o.partition, o.next]))
    let lag = 0n
    const wrong: Finding[] = []
    for (const { partition, low, high } of ranges) {
      const at = next.get(partition) ?? low
      lag += high - at
      if (at >= low && at <= high) continue
      wrong.push({
        name: 'offsets',
        state: 'wrong',
        detail: `partition ${partition} of ${topic}: next is ${at}, the log holds ${low} to ${high}`,
        cure: 'records were removed before they were read: lengthen the retention; that partition needs an operator to set its offset',
      })
    }
    return wrong.length > 0 ? wrong : [{ name: 'offsets', state: 'ok', detail: `${lag} records wait to be tried` }]
  } catch (error) {
    return [
      {
        name: 'offsets',
        state: 'warning',
        detail: messageOf(error),
        cure: 'start Touchstone once: it makes the topics',
      },
    ]
  } finally {
    await log.close()
  }
}
