// Real: PostgreSQL. What the log in PostgreSQL does beyond the port: appends in a caller's transaction, shared commits, clean-up.
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createAppender } from '../../src/adapters/postgres-log/appender.ts'
import { appendOutboxRows } from '../../src/adapters/postgres-log/outbox-rows.ts'
import { createTopics } from '../../src/adapters/postgres-log/topics.ts'
import { lastHeader } from '../../src/events/header.ts'
import { client, createLedger, follow, record, string, text, topicOf } from '../contracts/log-support.ts'
import { startPostgresLog, type PostgresLogHarness } from './postgres-log-harness.ts'

let harness: PostgresLogHarness
beforeAll(async () => {
  harness = await startPostgresLog()
})
afterAll(async () => harness.close())

test('outbox rows become records in their partitions and order, bytes and headers untouched, with the transaction or not at all', async () => {
  const log = await harness.open()
  onTestFinished(async () => log.close())
  const [decisions, letters] = [await topicOf(log, 3), await topicOf(log, 2)]
  const rows = Array.from({ length: 10 }, (_, i) => ({
    topic: i % 3 === 2 ? letters : decisions,
    partition: i % 2,
    position: BigInt(i + 1),
    key: text(`L-${i}`),
    value: i === 4 ? null : Uint8Array.of(0, 255, i),
    headers: { ce_id: text(`id-${i}`), 'content-type': text('application/json'), raw: Uint8Array.of(0, 128, 255) },
  }))
  const tx = await harness.pool.connect()
  try {
    for (const end of ['rollback', 'commit']) {
      await tx.query('begin')
      await appendOutboxRows(tx, rows)
      expect((await log.ranges(decisions)).map((r) => r.high)).toEqual([0n, 0n, 0n])
      await tx.query(end)
    }
  } finally {
    tx.release()
  }
  await log.appended([decisions, letters])
  for (const topic of [decisions, letters]) {
    for (const partition of [0, 1]) {
      const expected = rows.filter((row) => row.topic === topic && row.partition === partition)
      const got = await log.read(topic, partition, 0n, 100)
      // The rollback gave its offsets back.
      expect(got.map((r) => r.offset)).toEqual(expected.map((_, i) => BigInt(i)))
      expect(
        got.map((r) => [
          string(r.key),
          r.value && [...r.value],
          string(lastHeader(r.headers, 'ce_id') ?? null),
          [...(lastHeader(r.headers, 'raw') ?? [])],
        ]),
      ).toEqual(
        expected.map((row) => [string(row.key), row.value && [...row.value], string(row.headers.ce_id), [0, 128, 255]]),
      )
    }
  }
})

test('a topic or partition that is not there is refused loudly', async () => {
  const log = await harness.open()
  onTestFinished(async () => log.close())
  const topic = await topicOf(log, 2)
  const row = { topic, partition: 7, position: 1n, ...record('k', 'v') }
  await expect(appendOutboxRows(harness.pool, [row])).rejects.toThrow('no partition 7')
  await expect(appendOutboxRows(harness.pool, [{ ...row, topic: 'nobody.v1' }])).rejects.toThrow('nobody.v1')
  await expect(
    log.appendInTransaction(harness.pool, topic, [{ partition: 2, record: record('k', 'v') }]),
  ).rejects.toThrow('no partition 2')
  await expect(log.read(topic, 2, 0n, 1)).rejects.toMatchObject({ code: 'not-found' })
})

test('an open transaction that took offsets holds readers and appenders back, so nothing is passed', async () => {
  const log = await harness.open()
  onTestFinished(async () => log.close())
  const topic = await topicOf(log, 1)
  const ledger = createLedger()
  follow(log, { topic }, ledger)
  const tx = await harness.pool.connect()
  await tx.query('begin')
  const held = await log.appendInTransaction(tx, topic, [{ partition: 0, record: record('k', 'first') }])
  const later = log.append(topic, [record('k', 'second')])
  // Long enough for a reader that polls to pass it, if it could.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(ledger.values()).toEqual([])
  await tx.query('commit')
  tx.release()
  expect([...held, ...(await later)].map((a) => a.offset)).toEqual([0n, 1n])
  await ledger.until(() => ledger.records().length === 2)
  expect(ledger.values()).toEqual(['first', 'second'])
})

test('appends that touch partitions in opposite order never wait for each other in a circle', async () => {
  const log = await harness.open()
  onTestFinished(async () => log.close())
  const topic = await topicOf(log, 6)
  const orders = [
    [0, 1, 2, 3, 4, 5],
    [5, 4, 3, 2, 1, 0],
    [3, 0, 5, 1, 4, 2],
  ]
  await Promise.all(
    Array.from({ length: 60 }, async (_, i) =>
      log.appendInTransaction(
        harness.pool,
        topic,
        (orders[i % 3] ?? []).map((partition) => ({ partition, record: record('k', String(i)) })),
      ),
    ),
  )
  for (const { partition, high } of await log.ranges(topic)) {
    expect(high).toBe(60n)
    expect(await log.read(topic, partition, 0n, 100)).toHaveLength(60)
  }
})

test('appends that arrive together share transactions, each caller hears of its own, and one bad call fails alone', async () => {
  const log = await client(harness)
  const topic = await topicOf(log, 2)
  const bad = { key: null, value: null, headers: { ['h'.repeat(70_000)]: text('too long a name') } }
  const calls = Array.from({ length: 200 }, async (_, i) =>
    log.append(topic, i === 77 ? [bad] : [record(`k${i}`, String(i)), record(`k${i}`, `${i}+`)]),
  )
  const results = await Promise.allSettled(calls)
  expect(results.flatMap((r, i) => (r.status === 'rejected' ? [i] : []))).toEqual([77])
  for (const [i, result] of results.entries()) {
    if (result.status === 'rejected') continue
    const [one, two] = result.value
    expect(two?.offset).toBe((one?.offset ?? -9n) + 1n)
    const back = await log.read(topic, one?.partition ?? -1, one?.offset ?? -1n, 2)
    expect(back.map((r) => string(r.value))).toEqual([String(i), `${i}+`])
  }
  const good = await topicOf(log, 2)
  await Promise.all(Array.from({ length: 200 }, async (_, i) => log.append(good, [record(`k${i}`, String(i))])))
  const { rows } = await harness.pool.query<{ n: number }>(
    `select count(distinct r.xmin::text)::int as n from touchstone_log.record r join touchstone_log.topic t using (topic_id) where t.name = $1`,
    [good],
  )
  expect(rows[0]?.n).toBeLessThan(50)
})

test('who asks for more than the queue holds is told to come later, and the rest is written', async () => {
  const log = await client(harness)
  const topic = await topicOf(log, 1)
  const appender = createAppender(harness.pool, () => undefined, 10_000)
  const found = await createTopics(harness.pool).get(topic)
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, async () => appender.append(found, [record('k', 'x'.repeat(2_000))])),
  )
  const refused = results.filter((r) => r.status === 'rejected')
  expect(refused.length).toBeGreaterThan(0)
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'not-ready' })
  expect((await log.ranges(topic))[0]?.high).toBe(BigInt(20 - refused.length))
  await appender.append(found, [record('k', 'x'.repeat(50_000))])
})

test('retention removes what is old in many bites and by two processes at once, keeps what is young, and appends go on', async () => {
  const log = await harness.open()
  onTestFinished(async () => log.close())
  const topic = await topicOf(log, 1)
  const batch = Array.from({ length: 1_000 }, (_, i) => record('k', String(i)))
  for (let i = 0; i < 6; i += 1) await log.append(topic, batch)
  await harness.pool.query(
    `update touchstone_log.record r set appended_at = now() - interval '25 hours'
     from touchstone_log.topic t where t.topic_id = r.topic_id and t.name = $1 and (record_offset < 4500 or record_offset = 5000)`,
    [topic],
  )
  const other = await harness.open()
  onTestFinished(async () => other.close())
  const [one, two] = await Promise.all([log.prune(), other.prune(), log.append(topic, batch)])
  expect(one + two).toBe(4_500)
  expect(await log.ranges(topic)).toEqual([{ partition: 0, low: 4_500n, high: 7_000n }])
  expect(await log.read(topic, 0, 0n, 10_000)).toHaveLength(2_500)
  expect(await log.prune()).toBe(0)
})
