// Measures the log in PostgreSQL with production settings: appended and read records a second, and milliseconds from append to handler.
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres/embedded-postgres.ts'
import { LOG_MIGRATIONS } from '../../src/adapters/postgres-log/migrations.ts'
import { createPostgresLog, type PostgresLog } from '../../src/adapters/postgres-log/postgres-log.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import type { Log, NewRecord } from '../../src/pipeline/log/ports.ts'

const SECONDS = 5
const PARTITIONS = 12
const VALUE_BYTES = 400

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const value = Buffer.from(`{"title":"${'a listing in words '.repeat(40)}`.slice(0, VALUE_BYTES - 2) + '"}')
let made = 0
const record = (): NewRecord => ({
  key: Buffer.from(`L-${(made += 1)}`),
  value,
  headers: { ce_type: Buffer.from('touchstone.listing.submitted.v1') },
})
const batch = (n: number): NewRecord[] => Array.from({ length: n }, record)

/** Appends from so many callers, each awaiting its own, for some seconds; records a second. */
async function appendRate(log: Log, topic: string, callers: number, size: number): Promise<number> {
  const from = performance.now()
  const until = from + SECONDS * 1_000
  let records = 0
  const call = async (): Promise<void> => {
    while (performance.now() < until) {
      await log.append(topic, batch(size))
      records += size
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return Math.round((records / (performance.now() - from)) * 1_000)
}

/** Reads a topic from its beginning as a group of one; records a second from subscribe to the last. */
async function readRate(log: Log, topic: string, maxRecords: number): Promise<number> {
  const total = (await log.ranges(topic)).reduce((sum, range) => sum + Number(range.high - range.low), 0)
  let records = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const from = performance.now()
  const subscription = log.subscribe(
    { topic, group: `bench-${from}`, maxRecords, maxBytes: 4 << 20, concurrency: 4 },
    {
      place: async (_topic, _partition, low) => low,
      handle: async ({ records: { length } }) => {
        records += length
        if (records === total) resolve()
        return 'committed'
      },
    },
  )
  await Promise.race([promise, subscription.done])
  const rate = Math.round((records / (performance.now() - from)) * 1_000)
  await subscription.stop()
  return rate
}

/** One record at a time, 20 a second; milliseconds from the call of append to its handler. */
async function latency(from: Log, to: Log, topic: string): Promise<{ p50: number; p99: number }> {
  await from.ensureTopic(topic, { partitions: PARTITIONS, retentionHours: 1 })
  const sent = new Map<string, number>()
  const times: number[] = []
  const subscription = to.subscribe(
    { topic, group: 'bench', maxRecords: 500, maxBytes: 4 << 20, concurrency: 4 },
    {
      place: async (_topic, _partition, low) => low,
      handle: async ({ records }) => {
        for (const { key } of records) times.push(performance.now() - (sent.get(String(key)) ?? 0))
        return 'committed'
      },
    },
  )
  while (subscription.assigned().length < PARTITIONS) await new Promise((resolve) => setTimeout(resolve, 10))
  const samples = SECONDS * 2 * 20
  for (let i = 0; i < samples; i += 1) {
    const one = record()
    sent.set(String(one.key), performance.now())
    await from.append(topic, [one])
    await new Promise((resolve) => setTimeout(resolve, 40 + Math.random() * 20))
  }
  while (times.length < samples) await new Promise((resolve) => setTimeout(resolve, 10))
  await subscription.stop()
  times.sort((a, b) => a - b)
  const at = (share: number): number => Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10
  return { p50: at(0.5), p99: at(0.99) }
}

async function measure(url: string, open: () => PostgresLog): Promise<Record<string, unknown>> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  await migrate(pool, 'log', LOG_MIGRATIONS)
  const { rows } = await pool.query<{ fsync: string; version: string }>(
    `select current_setting('fsync') as fsync, current_setting('server_version') as version`,
  )
  await pool.end()
  const [log, other] = [open(), open()]
  const topic = async (name: string, partitions: number): Promise<string> => {
    const full = `bench.${Date.now()}.${name}`
    await log.ensureTopic(full, { partitions, retentionHours: 1 })
    return full
  }
  try {
    const one = await topic('one', 1)
    const twelve = await topic('twelve', PARTITIONS)
    say('appending in batches of 500 ...')
    const append = {
      'batches of 500, 1 caller, 1 partition': await appendRate(log, one, 1, 500),
      'batches of 500, 1 caller, 12 partitions': await appendRate(log, twelve, 1, 500),
      'batches of 500, 4 callers, 12 partitions': await appendRate(log, twelve, 4, 500),
      'single records, 50 callers, 12 partitions': await appendRate(log, await topic('singles', PARTITIONS), 50, 1),
      'single records, 1 caller, 12 partitions': await appendRate(log, await topic('alone', PARTITIONS), 1, 1),
    }
    say('reading ...')
    const read = {
      'batches of 500, 12 partitions': await readRate(log, twelve, 500),
      'batches of 1000, 1 partition': await readRate(log, one, 1_000),
    }
    say('waiting for single records ...')
    const millisecondsToHandler = {
      'same process': await latency(log, log, await topic('near', PARTITIONS)),
      'other connections, by NOTIFY': await latency(log, other, await topic('far', PARTITIONS)),
    }
    return {
      postgres: rows[0],
      cores: availableParallelism(),
      valueBytes: VALUE_BYTES,
      recordsPerSecond: { append, read },
      millisecondsToHandler,
    }
  } finally {
    await Promise.all([log.close(), other.close()])
  }
}

const given = process.env['DATABASE_URL']
const dataDir = mkdtempSync(join(tmpdir(), 'touchstone-bench-'))
const server = given ? undefined : await startEmbeddedPostgres({ dataDir, log: say })
try {
  const url = server?.url ?? given ?? ''
  const result = await measure(url, () => createPostgresLog({ url }))
  if (process.argv.includes('--json')) console.log(JSON.stringify(result))
  else console.dir(result, { depth: null })
} finally {
  await server?.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
