// The outbox on a real PostgreSQL, drained into a table of the same database: once, in order, by one process at a time.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import pg from 'pg'
import { createOutbox } from '../../src/adapters/postgres/outbox.ts'
import type { Outbox, Send } from '../../src/adapters/postgres/outbox.ts'
import { headerValues } from '../../src/events/header.ts'
import {
  commitAll,
  DEAD_LETTERS,
  DECISIONS,
  GROUP,
  INPUT,
  listings,
  NOTHING,
  utf8,
} from '../contracts/store-samples.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

describe('the outbox', () => {
  let node: PostgresNode
  let admin: pg.Client
  beforeEach(async () => {
    node = await freshNode()
    admin = new pg.Client({ connectionString: node.url })
    await admin.connect()
    await admin.query(
      'create table public.published (n bigint generated always as identity, topic text, part int, pos bigint, value text)',
    )
  })
  afterEach(async () => {
    await admin.end()
  })

  const send: Send = async (rows, tx) => {
    await tx.query(
      'insert into public.published (topic, part, pos, value) select * from unnest($1::text[], $2::int[], $3::bigint[], $4::text[])',
      [
        rows.map((row) => row.topic),
        rows.map((row) => row.partition),
        rows.map((row) => row.position),
        rows.map((row) => (row.value === null ? null : Buffer.from(row.value).toString('utf8'))),
      ],
    )
  }
  const outbox = (owner: string, leaseMs?: number): Outbox =>
    createOutbox({ pool: node.database.deciding, owner, ...(leaseMs === undefined ? {} : { leaseMs }) })
  const drainAll = async (one: Outbox): Promise<number> => {
    let total = 0
    for (let count = -1; count !== 0; total += count) count = await one.drain(100, send)
    return total
  }
  /** Every position once, and in the order in which it was appended. */
  const published = async (): Promise<number> => {
    const { rows } = await admin.query<{ topic: string; part: number; positions: string[] }>(
      'select topic, part, array_agg(pos order by n) as positions from public.published group by topic, part',
    )
    for (const row of rows) expect(row.positions).toEqual(row.positions.map((_, i) => String(i + 1)))
    return rows.reduce((sum, row) => sum + row.positions.length, 0)
  }

  test('fifty drains of two owners at once, beside writers: every row once and in order', async () => {
    const owners = [outbox('one', 50), outbox('two', 50)]
    let writing = true
    const writers = Promise.all(
      [0, 1].map(async (lane) => {
        for (let batch = 0; batch < 10; batch++) await commitAll(node.store, listings(`${lane}-${batch}`, 20), {}, lane)
      }),
    ).finally(() => (writing = false))
    const drains = Array.from({ length: 50 }, async (_, i) => {
      const one = owners[i % 2]
      if (one === undefined) throw new Error('no owner')
      while (writing || (await one.backlog()).rows > 0) await one.drain(7 + i, send)
    })
    await Promise.all([writers, ...drains])
    expect(await published()).toBe(400)
    expect(await owners[0]?.backlog()).toEqual({ rows: 0, seconds: 0 })
  })

  test('bytes, headers and tombstones come out as they went in', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const headers = {
      plain: utf8('text'),
      bytes,
      empty: new Uint8Array(),
      'näme "quoted"': utf8('ü'),
      ['__proto__']: utf8('p'),
      missing: null,
      twice: [utf8('a'), null, bytes],
    }
    const rows = [
      { topic: DEAD_LETTERS, key: bytes, value: bytes, headers, marketplace: null },
      { topic: DEAD_LETTERS, key: bytes, value: null, headers: {}, marketplace: null },
      { topic: DEAD_LETTERS, key: null, value: new Uint8Array(), headers: {}, marketplace: null },
    ]
    await node.store.place(GROUP, INPUT, 0, 0n)
    await node.store.commit({ group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 1n }, [], () => ({
      ...NOTHING,
      outbox: rows,
    }))
    const got: unknown[] = []
    await outbox('one').drain(10, (sent) => {
      got.push(
        ...sent.map(({ key, value, headers: h }) => ({
          key: plain(key),
          value: plain(value),
          headers: Object.entries(h).map(([k, v]) => [k, headerValues(v).map(plain)]),
        })),
      )
      return Promise.resolve()
    })
    const expected = rows.map(({ key, value, headers: h }) => ({
      key: plain(key),
      value: plain(value),
      headers: Object.entries(h).map(([k, v]) => [k, headerValues(v).map(plain)]),
    }))
    expect(got.toSorted(byLength)).toEqual(expected.toSorted(byLength))
  })

  test('a send that fails leaves everything waiting, and the next one sends it', async () => {
    await commitAll(node.store, listings('L', 30))
    const one = outbox('one')
    const failing: Send = async (rows, tx) => {
      await send(rows, tx)
      throw new Error('the log refused')
    }
    await expect(one.drain(100, failing)).rejects.toThrow('the log refused')
    expect(await published()).toBe(0)
    expect((await one.backlog()).rows).toBe(30)
    expect(await drainAll(one)).toBe(30)
    expect(await published()).toBe(30)
  })

  test('a hole in the positions stops the publisher loudly', async () => {
    await commitAll(node.store, listings('L', 30))
    const { rows } = await admin.query<{ part: number }>(
      'select part from touchstone.outbox group by part having count(*) > 2 limit 1',
    )
    const part = rows[0]?.part
    for (const pos of [2, 1]) {
      await admin.query('delete from touchstone.outbox where part = $1 and pos = $2', [part, pos])
      await expect(outbox('one').drain(1_000, send)).rejects.toThrow('has a hole')
    }
    await admin.query('delete from touchstone.outbox where part = $1', [part])
    await expect(outbox('one').drain(1_000, send)).rejects.toThrow('has a hole')
    expect(await published()).toBe(0)
  })

  test('another process waits for the lease of one that is gone, and not for one that gave it up', async () => {
    await commitAll(node.store, listings('a', 10))
    const [gone, other] = [outbox('gone', 60_000), outbox('other', 60_000)]
    expect(await gone.drain(3, send)).toBe(3)
    expect(await other.drain(100, send)).toBe(0)
    await other.release()
    expect(await other.drain(100, send)).toBe(0)
    // Time passes: the lease ends by the clock of the database.
    await admin.query(`update touchstone.outbox_lease set until = clock_timestamp()`)
    expect(await other.drain(100, send)).toBe(7)
    await commitAll(node.store, listings('b', 10))
    expect(await gone.drain(100, send)).toBe(0)
    await other.release()
    expect(await gone.drain(100, send)).toBe(10)
    expect(await published()).toBe(20)
    const { rows } = await admin.query<{ epoch: string }>('select epoch from touchstone.outbox_lease')
    expect(rows[0]?.epoch).toBe('3')
  })

  test('a long backlog of one partition does not starve the others', async () => {
    const many = Array.from({ length: 200 }, () => ({
      topic: DECISIONS,
      key: utf8('one-key'),
      value: utf8('{}'),
      headers: {},
      marketplace: null,
    }))
    await node.store.place(GROUP, INPUT, 0, 0n)
    await node.store.commit({ group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 1n }, [], () => ({
      ...NOTHING,
      outbox: many,
    }))
    await commitAll(node.store, listings('L', 40))
    const parts = new Set<number>()
    expect(
      await outbox('one').drain(20, (rows) => {
        for (const row of rows) parts.add(row.partition)
        return Promise.resolve()
      }),
    ).toBe(20)
    expect(parts.size).toBeGreaterThan(1)
  })

  test('retention removes what is published and old, and nothing else', async () => {
    const one = outbox('one')
    await commitAll(node.store, listings('a', 20))
    expect(await one.prune(0)).toBe(0)
    expect(await one.drain(1_000, send)).toBe(20)
    await commitAll(node.store, listings('b', 20))
    expect(await one.prune(3_600)).toBe(0)
    let removed = 0
    for (let count = -1; count !== 0; removed += count) count = await one.prune(0, 2)
    expect(removed).toBe(20)
    expect(await one.drain(1_000, send)).toBe(20)
    expect(await published()).toBe(40)
  })
})

const plain = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'))
const byLength = (a: unknown, b: unknown): number => JSON.stringify(a).length - JSON.stringify(b).length
