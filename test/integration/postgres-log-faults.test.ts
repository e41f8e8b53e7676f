// Real: PostgreSQL; a wire in between that is cut and falls silent; a server that is killed. What the log does when its database is away.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres/embedded-postgres.ts'
import { LOG_MIGRATIONS } from '../../src/adapters/postgres-log/migrations.ts'
import { createPostgresLog, type PostgresLog } from '../../src/adapters/postgres-log/postgres-log.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { client, createLedger, eventually, follow, record, string, topicOf } from '../contracts/log-support.ts'
import { startPostgresLog, type PostgresLogHarness } from './postgres-log-harness.ts'
import { wireTo } from './postgres-log-proxy.ts'

let harness: PostgresLogHarness
beforeAll(async () => {
  harness = await startPostgresLog()
})
afterAll(async () => harness.close())

/** A client whose connections go through a wire that the test holds. */
async function wired(): Promise<{ log: PostgresLog; wire: Awaited<ReturnType<typeof wireTo>> }> {
  const wire = await wireTo(harness.url)
  const log = createPostgresLog({ url: wire.url, leaseMs: harness.leaseMs })
  onTestFinished(async () => log.close())
  return { log, wire }
}

test('a subscription waits for a database that went away and goes on where it was, and so does one that starts meanwhile', async () => {
  const direct = await client(harness)
  const topic = await topicOf(direct, 3)
  const { log, wire } = await wired()
  const ledger = createLedger()
  const subscription = follow(log, { topic }, ledger)
  let failed: unknown
  subscription.done.catch((error: unknown) => (failed = error))
  const send = async (from: number): Promise<unknown> =>
    direct.append(
      topic,
      Array.from({ length: 30 }, (_, i) => record(`k${i}`, String(from + i))),
    )
  await send(0)
  await ledger.until(() => ledger.records().length === 30)
  for (let round = 1; round <= 3; round += 1) {
    wire.cut()
    await send(round * 30)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const late = round === 1 ? follow(log, { topic, group: 'late' }, createLedger()) : undefined
    wire.restore()
    await ledger.until(() => ledger.records().length === (round + 1) * 30)
    await eventually(() => late === undefined || late.assigned().length === 3)
  }
  expect(failed).toBeUndefined()
  expect([...ledger.values()].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, i) => i))
})

test('who waits for the database says since when, and the failures are told', async () => {
  const wire = await wireTo(harness.url)
  const told: string[] = []
  const log = createPostgresLog({
    url: wire.url,
    leaseMs: harness.leaseMs,
    onError: (error) => told.push(error.message),
  })
  onTestFinished(async () => log.close())
  const topic = await topicOf(log, 1)
  const subscription = follow(log, { topic }, createLedger())
  await eventually(() => subscription.assigned().length === 1)
  await new Promise((resolve) => setTimeout(resolve, 2 * harness.leaseMs))
  const lively = subscription.health()
  expect(Math.max(lively.polledMs, lively.renewedMs)).toBeLessThan(harness.leaseMs)
  // Reading alone waits, and then everything.
  const reader = await harness.pool.connect()
  await reader.query('begin; lock table touchstone_log.record')
  await eventually(() => subscription.health().polledMs > 2 * harness.leaseMs)
  expect(subscription.health().renewedMs).toBeLessThan(harness.leaseMs)
  await reader.query('rollback')
  reader.release()
  await eventually(() => subscription.health().polledMs < harness.leaseMs)
  wire.cut()
  await eventually(() => subscription.health().renewedMs > harness.leaseMs)
  expect(told.length).toBeGreaterThan(1)
  wire.restore()
  await eventually(() => subscription.health().renewedMs < harness.leaseMs)
})

test('an append that cannot reach the database says so, and the next one after its return works', async () => {
  const direct = await client(harness)
  const topic = await topicOf(direct, 1)
  const { log, wire } = await wired()
  await log.append(topic, [record('k', 'before')])
  wire.cut()
  await expect(log.append(topic, [record('k', 'during')])).rejects.toMatchObject({ code: 'database-unavailable' })
  wire.restore()
  await log.append(topic, [record('k', 'after')])
  expect((await direct.read(topic, 0, 0n, 10)).map((r) => string(r.value))).toEqual(['before', 'after'])
})

test('who cannot renew is told before anyone else is given the partition, and takes part again when the wire is back', async () => {
  const direct = await client(harness)
  const topic = await topicOf(direct, 1)
  const { log, wire } = await wired()
  await direct.append(topic, [record('k', 'v')])
  const told: { lost: boolean; others: number }[] = []
  const ledger = createLedger()
  let others: ReturnType<typeof follow> | undefined
  const cutOff = follow(
    log,
    { topic },
    {
      place: ledger.place,
      handle: async (batch, lost) => {
        if (others !== undefined) return ledger.commit(batch, 'cut off')
        wire.silence()
        others = follow(direct, { topic }, ledger.as('other'))
        await new Promise<void>((resolve) => lost.addEventListener('abort', () => resolve(), { once: true }))
        told.push({ lost: lost.aborted, others: others.assigned().length })
        await ledger.until(() => ledger.batches.length > 0)
        return ledger.commit(batch, 'cut off')
      },
    },
  )
  await ledger.until(() => ledger.batches.length > 0)
  expect(told).toEqual([{ lost: true, others: 0 }])
  expect(ledger.batches.map((b) => b.by)).toEqual(['other'])
  expect(cutOff.assigned()).toEqual([])
  wire.restore()
  await others?.stop()
  await eventually(() => cutOff.assigned().length === 1)
  await direct.append(topic, [record('k', 'again')])
  await ledger.until(() => ledger.batches.length === 2)
  expect(ledger.batches.map((b) => b.by)).toEqual(['other', 'cut off'])
})

test('stop and close end although the database is silent', async () => {
  const direct = await client(harness)
  const topic = await topicOf(direct, 1)
  const wire = await wireTo(harness.url)
  const log = createPostgresLog({ url: wire.url, leaseMs: harness.leaseMs })
  const subscription = log.subscribe({ topic, group: 'g', maxRecords: 1, maxBytes: 1, concurrency: 1 }, createLedger())
  await eventually(() => subscription.assigned().length === 1)
  wire.silence()
  await subscription.stop()
  wire.cut()
  await log.close()
  await subscription.done
})

test('a statement that the database refuses for good stops the subscription', async () => {
  const own = await startPostgresLog()
  onTestFinished(async () => own.close())
  const log = await client(own)
  const topic = await topicOf(log, 1)
  const subscription = follow(log, { topic }, createLedger())
  await eventually(() => subscription.assigned().length === 1)
  await own.pool.query('alter table touchstone_log.record rename to gone')
  await log.append(topic, [record('k', 'v')]).then(
    () => expect.unreachable(),
    () => undefined,
  )
  await own.pool.query('update touchstone_log.partition set next = 1')
  await expect(subscription.done).rejects.toMatchObject({ code: '42P01' })
})

test('every record that was acknowledged is there after the server was killed with fsync on', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'touchstone-log-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  let server = await startEmbeddedPostgres({ dataDir, log: () => undefined })
  onTestFinished(async () => server.stop())
  const pool = new pg.Pool({ connectionString: server.url, max: 1 })
  await migrate(pool, 'log', LOG_MIGRATIONS)
  await pool.end()
  const log = createPostgresLog({ url: server.url })
  const topic = await topicOf(log, 4)
  const acknowledged: string[] = []
  let failures = 0
  const appenders = Promise.all(
    Array.from({ length: 20 }, async (_, a) => {
      for (let i = 0; failures === 0; i += 1) {
        try {
          const [at] = await log.append(topic, [record(`key-${a}`, `${a}/${i}`)])
          acknowledged.push(`${at?.partition}@${at?.offset} ${a}/${i}`)
        } catch {
          failures += 1
        }
      }
    }),
  )
  await eventually(() => acknowledged.length > 500)
  // The whole session of the server, so that no backend finishes anything.
  spawn('sh', ['-c', `pkill -9 -P ${server.pid}; kill -9 ${server.pid}`])
  await appenders
  await log.close()
  await server.stop()
  server = await startEmbeddedPostgres({ dataDir, log: () => undefined })
  const again = createPostgresLog({ url: server.url })
  onTestFinished(async () => again.close())
  const kept = new Set<string>()
  for (const { partition, high } of await again.ranges(topic)) {
    const records = await again.read(topic, partition, 0n, Number(high))
    // Dense: a lost transaction gave its offsets back.
    expect(records.map((r) => r.offset)).toEqual(Array.from({ length: Number(high) }, (_, i) => BigInt(i)))
    for (const { offset, value } of records) kept.add(`${partition}@${offset} ${string(value)}`)
  }
  expect(acknowledged.filter((each) => !kept.has(each))).toEqual([])
})
