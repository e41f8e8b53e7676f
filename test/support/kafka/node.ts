// One broker of a test cluster: its process, which tests kill, freeze and start again on the same port and data.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startGuarded, type Guarded } from './guarded.ts'
import { FAST, type Jars } from './jars.ts'
import type { Java } from './java-home.ts'
import { serverProperties, type ServerSettings } from './properties.ts'
import { untilReady } from './ready.ts'

/** Three brokers on one busy core need a quarter of it; more is a hang. */
const START_MS = 60_000
const SHOWN_LINES = 30

export interface BrokerProcess {
  readonly id: number
  /** `host:port` of its plain listener. */
  readonly address: string
  /** Of the Java process; undefined while it is down. */
  pid(): number | undefined
  /** kill -9; resolves when it is gone. Its data stay. */
  kill(): Promise<void>
  /** Asks it to end in order, as an operator does; resolves when it is gone. */
  terminate(): Promise<void>
  /** It keeps its connections and answers nothing (SIGSTOP). */
  freeze(): void
  thaw(): void
  /** On the same port and data; resolves when it answers as a member of its cluster again. */
  start(): Promise<void>
}

export interface NodeOptions {
  readonly java: Java
  readonly jars: Jars
  readonly cluster: string
  /** `data` is made in here, and the log of the process. */
  readonly folder: string
  readonly settings: Omit<ServerSettings, 'data'>
  /** JVM options about the archive of loaded classes. */
  readonly archive: readonly string[]
}

/** Lays its folder out; `start` then starts it. */
export async function prepareNode({
  java,
  jars,
  cluster,
  folder,
  settings,
  archive,
}: NodeOptions): Promise<BrokerProcess> {
  const data = join(folder, 'data')
  const log = join(folder, 'broker.log')
  const properties = join(folder, 'server.properties')
  await mkdir(data, { recursive: true })
  await copyFile(jars.checkpoint, join(data, 'bootstrap.checkpoint'))
  const meta = { version: '1', 'cluster.id': cluster, 'directory.id': newId(), 'node.id': String(settings.id) }
  await writeFile(join(data, 'meta.properties'), lines(meta))
  await writeFile(properties, serverProperties({ ...settings, data }))

  const address = `127.0.0.1:${settings.listeners[0].port}`
  const options = ['-Xmx256m', ...FAST, ...archive, '-cp', jars.classpath, jars.logging]
  let running: Guarded | undefined
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    running?.signal(signal)
    await running?.exited
  }
  return {
    id: settings.id,
    address,
    pid: () => (running === undefined || running.hasExited() ? undefined : running.pid),
    kill: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    freeze: () => running?.signal('SIGSTOP'),
    thaw: () => running?.signal('SIGCONT'),
    async start() {
      if (running !== undefined && !running.hasExited()) throw new Error(`broker ${settings.id} is running`)
      const begun = performance.now()
      const broker = await startGuarded(join(java.home, 'bin', 'java'), [...options, 'kafka.Kafka', properties], log)
      running = broker
      try {
        await untilReady(address, settings.voters.length, () => {
          if (broker.hasExited()) throw new Error('it ended')
          if (performance.now() - begun > START_MS) throw new Error(`it does not answer after ${START_MS / 1000} s`)
        })
      } catch (cause) {
        await end('SIGKILL')
        const said = existsSync(log) ? (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-SHOWN_LINES) : []
        const what = `Kafka ${jars.version}, broker ${settings.id} did not start: ${(cause as Error).message}`
        throw new Error([what, ...said].join('\n'), { cause })
      }
    },
  }
}

/** As Kafka makes its own; one that begins with a minus would look like an option to its tools. */
export function newId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

function lines(properties: Record<string, string>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
