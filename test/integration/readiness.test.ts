// Readiness and lag when the gate stands still although its database answers: tables that somebody locks, commits that never
// succeed, a database that is gone. Real: PostgreSQL, the whole gate, HTTP on loopback.
import pg from 'pg'
import { describe, expect, it, type TestContext } from 'vitest'
import { startGate } from '../../src/apps/gate.ts'
import { startHttp } from '../../src/apps/http.ts'
import { readConfig } from '../../src/config.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { freshDatabase } from '../support/database.ts'
import { wireTo } from './postgres-log-proxy.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function startNode(url: string) {
  const config = readConfig({ DATABASE_URL: url, TOUCHSTONE_PARTITIONS: '3', PORT: '0', METRICS_PORT: '0' })
  const telemetry = createTelemetry({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
  const gate = await startGate(config, telemetry, () => undefined)
  const http = await startHttp(gate, config, telemetry, () => undefined)
  const stop = async () => {
    await http.stop()
    await gate.stop()
  }
  const until = async (what: string, patienceMs: number, look: () => Promise<boolean> | boolean) => {
    const began = performance.now()
    while (!(await look())) {
      if (performance.now() - began > patienceMs) throw new Error(`waited in vain until ${what}`)
      await pause(100)
    }
    return performance.now() - began
  }
  const ready = async () => {
    const response = await fetch(`${http.url}/readyz`)
    const { checks } = (await response.json()) as { checks: { name: string; ok: boolean; detail: string }[] }
    return { status: response.status, checks, stale: checks.filter((check) => !check.ok) }
  }
  return {
    gate,
    stop,
    until,
    ready,
    worker: async () => (await ready()).checks.find((check) => check.name === 'worker')?.detail ?? '',
    isReady: async () => (await ready()).status === 200,
    isStale: (name: string) => async () => {
      const { status, stale } = await ready()
      return status === 503 && stale.some((check) => check.name === name)
    },
    submit: (listingId: string) =>
      gate.log.append(gate.topics.listings, [
        {
          key: utf8(listingId),
          value: utf8(JSON.stringify({ listingId, revision: 1, sellerId: 'S-1', title: 'A wooden chair' })),
          headers: {},
        },
      ]),
    /** Samples of one metric by its labels. */
    metric: async (name: string) => {
      const text = await (await fetch(http.metricsUrl)).text()
      return new Map(
        text
          .split('\n')
          .filter((line) => new RegExp(`^${name}[ {]`).test(line))
          .map((line) => [/\{(.*)\}/.exec(line)?.[1] ?? '', Number(line.slice(line.lastIndexOf(' ')))] as const),
      )
    },
  }
}

async function start({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, url?: string) {
  const database = url === undefined ? await freshDatabase() : undefined
  const node = await startNode(url ?? database?.url ?? '')
  const admin = new pg.Client({ connectionString: url ?? database?.url ?? '' })
  admin.on('error', () => undefined)
  await admin.connect()
  onTestFinished(async () => {
    await admin.end()
    await node.stop()
    await database?.drop()
  })
  const lock = async (table: string, mode: string) => {
    await admin.query('begin')
    await admin.query(`lock table ${table} in ${mode} mode`)
    return () => admin.query('rollback')
  }
  await node.until('the gate is ready', 20_000, node.isReady)
  await node.until('it holds every partition', 20_000, () => node.gate.run.progress().held.length === 3)
  return { ...node, admin, url: database?.url ?? '', lock }
}

const sum = (samples: ReadonlyMap<string, number>) => [...samples.values()].reduce((total, value) => total + value, 0)

describe.concurrent('readiness', () => {
  it('says within seconds that the records or the leases cannot be reached, and that they can again', async (context) => {
    const t = await start(context)
    for (const table of ['touchstone_log.record', 'touchstone_log.lease']) {
      const unlock = await t.lock(table, 'access exclusive')
      expect(await t.until(`${table} is missed`, 6_000, t.isStale('log'))).toBeLessThan(6_000)
      await unlock()
      await t.until('it is ready again', 15_000, t.isReady)
    }
    await t.submit('L-1')
    await t.until('the listing is decided', 10_000, async () => (await t.gate.reader.history('L-1')) !== undefined)
  }, 60_000)

  it('says that nothing can be written, although everything can be read', async (context) => {
    const t = await start(context)
    const unlock = await t.lock('touchstone_log.record', 'share')
    const appended = t.submit('L-1')
    await t.until('the wait for the append is seen', 15_000, t.isStale('log'))
    expect((await t.ready()).stale.map((check) => check.detail)).toEqual([
      expect.stringMatching(/^has not taken a record for \d+ s$/),
    ])
    await unlock()
    await appended
    await t.until('it is ready again', 15_000, t.isReady)
  }, 60_000)

  it('says that leases cannot be renewed, although they can be read', async (context) => {
    const t = await start(context)
    const unlock = await t.lock('touchstone_log.lease', 'share')
    await t.until('the worker is stale', 20_000, t.isStale('worker'))
    await unlock()
    await t.until('it is ready again', 15_000, t.isReady)
  }, 60_000)

  it('leaves to another process what that one holds, and misses a partition that nobody holds', async (context) => {
    const t = await start(context)
    const [at] = await t.submit('L-1')
    const mine = [t.gate.groups.listings, at?.partition]
    const gone = 'from touchstone_log.lease where group_name = $1 and partition = $2'
    await t.admin.query(
      `update touchstone_log.lease set owner = gen_random_uuid(), until = 'infinity' where group_name = $1 and partition = $2`,
      mine,
    )
    await t.until('it is lost', 10_000, () => t.gate.run.progress().held.length === 2)
    await t.submit('L-1')
    await t.until('the other makes no progress', 20_000, async () => (await t.worker()).includes('another process'))
    expect((await t.ready()).status).toBe(200)
    const { rows } = await t.admin.query<{ topic_id: number }>(`select topic_id ${gone}`, mine)
    await t.admin.query(`delete ${gone}`, mine)
    await t.until('nobody reads it', 6_000, async () => (await t.worker()).includes('which nobody reads'))
    expect((await t.ready()).status).toBe(503)
    await t.admin.query('insert into touchstone_log.lease (group_name, partition, topic_id) values ($1, $2, $3)', [
      ...mine,
      rows[0]?.topic_id,
    ])
    await t.until('it is ready again', 15_000, t.isReady)
  }, 60_000)

  it('stays unready while every commit fails although the store answers all else, and shows what waits', async (context) => {
    const t = await start(context)
    const unlock = await t.lock('touchstone.decision', 'share')
    await t.submit('L-1')
    await t.until('the lag shows', 5_000, async () => sum(await t.metric('touchstone_lag_records')) === 1)
    await t.until('the worker is stale', 20_000, t.isStale('worker'))
    expect(sum(await t.metric('touchstone_lag_seconds'))).toBeGreaterThan(9)
    // Past the end of the lock time-out of the next try, after which the store answers a query again.
    for (const end = performance.now() + 12_000; performance.now() < end; await pause(300)) {
      expect((await t.ready()).stale).toMatchObject([
        { name: 'worker', detail: expect.stringMatching(/^records wait in partition \d and nothing was committed/) },
      ])
    }
    await unlock()
    await t.until('it is ready again', 15_000, t.isReady)
    const lag = await t.metric('touchstone_lag_seconds')
    expect([...lag.values()]).toEqual([0, 0, 0])
    expect(sum(await t.metric('touchstone_lag_records'))).toBe(0)
  }, 90_000)
})

describe('the lag', () => {
  it('is shown by the process that holds the partition, and by no other', async (context) => {
    const t = await start(context)
    const labels = async (node: { metric: typeof t.metric }) =>
      [...(await node.metric('touchstone_lag_records')).keys()].toSorted()
    expect(await labels(t)).toEqual(['partition="0"', 'partition="1"', 'partition="2"'])
    const other = await startNode(t.url)
    await other.until('the partitions are shared', 15_000, async () => {
      const [mine, theirs] = [await labels(t), await labels(other)]
      return theirs.length > 0 && [...mine, ...theirs].length === 3 && new Set([...mine, ...theirs]).size === 3
    })
    await other.stop()
    await t.until('the partitions are back', 15_000, async () => (await labels(t)).length === 3)
  }, 60_000)

  it('keeps its last values and says how old they are while the database is gone; the answer stays quick', async (context) => {
    const database = await freshDatabase()
    context.onTestFinished(() => database.drop())
    const wire = await wireTo(database.url)
    const t = await start(context, wire.url)
    const direct = new pg.Client({ connectionString: database.url })
    await direct.connect()
    context.onTestFinished(() => direct.end())
    await direct.query('begin; lock table touchstone.decision in share mode')
    await t.submit('L-1')
    await t.until('the lag shows', 5_000, async () => sum(await t.metric('touchstone_lag_records')) === 1)
    expect(sum(await t.metric('touchstone_lag_measured_seconds'))).toBeLessThan(1)
    wire.silence()
    await pause(2_500)
    const began = performance.now()
    expect(sum(await t.metric('touchstone_lag_records'))).toBe(1)
    expect(performance.now() - began).toBeLessThan(3_500)
    expect(sum(await t.metric('touchstone_lag_measured_seconds'))).toBeGreaterThan(2)
    expect(await t.isReady()).toBe(false)
    await direct.query('rollback')
    wire.restore()
    await t.until('nothing waits any more', 30_000, async () => sum(await t.metric('touchstone_lag_records')) === 0)
    await t.until('it is ready again', 30_000, t.isReady)
    expect((await t.metric('touchstone_loop_idle_seconds')).has('loop="janitor"')).toBe(true)
  }, 90_000)
})
