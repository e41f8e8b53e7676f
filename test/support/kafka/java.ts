// Kafka's own Java client for tests: an independent witness of what a topic holds, and a producer that can what kafkajs cannot.
import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { classArchive } from './archive.ts'
import { FAST, kafkaJars, type Jars } from './jars.ts'
import { findJava, type Java } from './java-home.ts'
import { runProgram } from './program.ts'
import { chosenVersion, type KafkaVersion } from './versions.ts'

const here = dirname(fileURLToPath(import.meta.url))
const SOURCES = ['Consume.java', 'Produce.java'].map((name) => join(here, 'java', name))

interface Client {
  readonly brokers: readonly string[]
  readonly topic: string
  /** Of the client's jars; as the brokers of the run when left out. */
  readonly version?: KafkaVersion
  /** Any setting of the Java client, such as `security.protocol`. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface ConsumeOptions extends Client {
  readonly isolation: 'read_committed' | 'read_uncommitted'
}

/** Bytes are base64; null where there are none. Headers in their order, repeated ones too. */
export interface ConsumedRecord {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
}

export interface JavaRecord {
  /** Undefined: what the Java client makes of the key. */
  readonly partition?: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly (readonly [name: string, value: Uint8Array | null])[]
  /** Milliseconds since 1970; now when undefined. */
  readonly timestamp?: number
}

/** Between the records: `flush` ends a batch; the others need `transactional`. A transaction not ended stays open. */
export type Step = JavaRecord | 'begin' | 'flush' | 'commit' | 'abort'

export interface ProduceOptions extends Client {
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Transactional id; without a `begin` among them, all records are one committed transaction. */
  readonly transactional?: string
  readonly records: readonly Step[]
}

export interface Place {
  readonly partition: number
  readonly offset: number
}

/**
 * Everything in the topic up to the ends at the call, ordered by partition and offset; with `read_committed` up to the first
 * transaction that is open. Rejects with what the client said. Takes half a second, and a second more once for compiling.
 */
export async function consumeWithJava(options: ConsumeOptions): Promise<ConsumedRecord[]> {
  const more = { 'isolation.level': options.isolation, 'auto.offset.reset': 'none', 'enable.auto.commit': 'false' }
  const lines = await runClass('Consume', options, more, [])
  const records = lines.map((line) => JSON.parse(line) as ConsumedRecord)
  return records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
}

/** Acknowledged by all replicas; the places are in the order of the records. Rejects with what the client said. */
export async function produceWithJava(options: ProduceOptions): Promise<Place[]> {
  const { compression = 'none', transactional, records } = options
  const more: Record<string, string> = {
    'compression.type': compression,
    // Long enough for the records of a test to share a batch, which is what is compressed.
    'linger.ms': '50',
    'max.request.size': String(64 * 1024 * 1024),
    ...(transactional === undefined ? {} : { 'transactional.id': transactional }),
  }
  const wrap = transactional !== undefined && !records.includes('begin')
  const steps: readonly Step[] = wrap ? ['begin', ...records, 'commit'] : records
  const lines = await runClass('Produce', options, more, steps.map(stepLine))
  return lines.map((line) => JSON.parse(line) as Place)
}

function stepLine(step: Step): string {
  if (typeof step === 'string') return JSON.stringify(step)
  const { key, value, headers = [] } = step
  const text = { ...step, key: base64(key), value: base64(value), headers: headers.map(([n, v]) => [n, base64(v)]) }
  return JSON.stringify(text)
}

const base64 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('base64')

/** Gives its lines one by one: a topic of a long run is longer than the longest string. */
async function runClass(
  name: string,
  { brokers, topic, version = chosenVersion(), settings }: Client,
  more: Readonly<Record<string, string>>,
  input: readonly string[],
): Promise<string[]> {
  const java = await findJava()
  if (java === undefined) throw new Error('the Java client needs a JDK 17 or newer (ask `javaOrSkip`)')
  const jars = await kafkaJars(version, java)
  // The classes come last: the archive fits every class path that begins as its own.
  const classpath = `${jars.classpath}:${await compiled(jars, java)}`
  const options = ['-Xmx512m', ...FAST, ...(await classArchive(jars, java)), '-cp', classpath, jars.logging]
  const child = spawn(join(java.home, 'bin', 'java'), [...options, name])
  const lines: string[] = []
  let said = ''
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  // It may end without having read everything; its exit code says why.
  child.stdin.on('error', () => {})
  const asked = { topic, settings: { 'bootstrap.servers': brokers.join(','), ...more, ...settings } }
  child.stdin.write(`${JSON.stringify(asked)}\n`)
  for (const line of input) child.stdin.write(`${line}\n`)
  child.stdin.end()
  const code = await ended
  if (code !== 0) throw new Error(`${name}.java on ${topic} ended with ${String(code)}\n${said.slice(-4_000)}`)
  return lines
}

/** The classes, compiled once for each state of their sources. */
async function compiled({ folder, classpath }: Jars, { home, version }: Java): Promise<string> {
  const texts = await Promise.all(SOURCES.map((file) => readFile(file, 'utf8')))
  const classes = join(folder, `classes-${hash('sha256', [version, ...texts].join('\n')).slice(0, 8)}`)
  if (existsSync(classes)) return classes
  const own = await mkdtemp(`${classes}.`)
  try {
    await runProgram(join(home, 'bin', 'javac'), ['-d', own, '-cp', classpath, ...SOURCES], 'compiling the Java client')
    await rename(own, classes).catch((error: unknown) => {
      if (!existsSync(classes)) throw error
    })
  } finally {
    await rm(own, { recursive: true, force: true })
  }
  return classes
}
