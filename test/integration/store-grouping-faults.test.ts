// Commits that go together when something is wrong: with one of them, with the connection, with the answer. Real: PostgreSQL and its wire.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import pg from 'pg'
import { connect } from '../../src/adapters/postgres/connect.ts'
import { createGateStore } from '../../src/adapters/postgres/gate-store.ts'
import { isDataError } from '../../src/adapters/postgres/data-error.ts'
import type { Settlement } from '../../src/pipeline/ports.ts'
import { GROUP, INPUT, listings, OUTPUTS } from '../contracts/store-samples.ts'
import { startGroups, type Groups } from './store-groups.ts'
import { startWire } from './store-wire.ts'

describe('commits in groups under faults', () => {
  let g: Groups
  beforeEach(async () => {
    g = await startGroups()
  })
  afterEach(() => g.close())

  test.each([
    [
      'whose text no database takes',
      (settled: Settlement) => ({
        ...settled,
        standings: settled.standings.map((row) => ({ ...row, sellerId: 'a\u0000b' })),
      }),
      (error: unknown) => isDataError(error),
    ],
    [
      'whose settling throws',
      () => {
        throw new TypeError('this one')
      },
      (error: unknown) => error instanceof TypeError && error.message === 'this one',
    ],
    [
      'that decides twice',
      (settled: Settlement) => ({ ...settled, decisions: [...settled.decisions, ...settled.decisions] }),
      (error: unknown) => error instanceof pg.DatabaseError && error.code === '23505',
    ],
    [
      'that writes a listing of another one',
      (settled: Settlement) => ({
        ...settled,
        standings: settled.standings.map((row) => ({ ...row, listingId: 'a-0' })),
      }),
      (error: unknown) => String(error).includes('not locked'),
    ],
  ])('one %s is the only one that hears of it', async (_, change, isThat) => {
    const results = await g.asOneGroup(() => [
      g.commit(1, listings('a', 2)),
      g.commit(2, listings('b', 2), { change }),
      g.commit(3, listings('c', 2)),
    ])
    expect(results.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results.map((one) => (one.status === 'rejected' ? isThat(one.reason) : one.value))).toEqual([
      'committed',
      true,
      'committed',
    ])
    expect(await g.next()).toEqual([1, 2, 0, 2, 0, 0])
    await g.expectDense()
  })

  test('a group whose connection is cut is rejected whole, writes nothing and can be tried again', async () => {
    // Whoever waits for the heads has written everything else.
    await g.admin.query('begin')
    await g.admin.query('select from outbox_head for update')
    const group = Promise.allSettled([
      g.commit(1, listings('a', 2)),
      g.commit(2, listings('b', 2)),
      g.commit(3, listings('c', 1)),
    ])
    // The one that came alone, and then those that waited for it.
    for (const cut = new Set<number>(); cut.size < 2;) {
      const { rows } = await g.watch.query<{ pid: number }>(
        `select pid, pg_terminate_backend(pid) from pg_stat_activity where application_name = 'grouping' and wait_event_type = 'Lock' and datname = current_database()`,
      )
      for (const { pid } of rows) cut.add(pid)
    }
    expect((await group).map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected'])
    await g.admin.query('rollback')
    expect(await g.next()).toEqual([0, 0, 0, 0, 0, 0])
    expect(await g.transactions()).toEqual([])
    expect(await Promise.all([g.commit(1, listings('a', 2)), g.commit(2, listings('b', 2))])).toEqual([
      'committed',
      'committed',
    ])
    await g.expectDense()
  })

  test('a group whose answer is lost may have taken effect: all are told that nobody knows, and the offsets say it', async () => {
    const wire = await startWire(g.shared.url)
    const database = await connect(wire.url, { applicationName: 'grouping', statementMs: 1_000 })
    const shutPartition = await g.client()
    try {
      const store = await createGateStore({ pool: database.deciding, outputs: OUTPUTS })
      await g.admin.query('begin')
      await g.admin.query('select from outbox_head for update')
      await shutPartition.query('begin')
      await shutPartition.query('select from input_offset where part = 0 for update')
      const first = g.commit(0, [], { store })
      const group = Promise.allSettled([1, 2].map((part) => g.commit(part, listings(`p${part}`, 2), { store })))
      await shutPartition.query('rollback')
      expect(await first).toBe('committed')
      await g.waitsForLock()
      wire.silence()
      await g.admin.query('commit')
      const lost = { status: 'rejected', reason: { message: 'Query read timeout' } }
      expect(await group).toMatchObject([lost, lost])
      expect(await store.place(GROUP, INPUT, 1, 0n)).toBe(2n)
      expect(await g.commit(1, listings('p1', 2), { store })).toBe('moved')
      expect(await g.transactions()).toEqual([['p1-0', 'p1-1', 'p2-0', 'p2-1']])
      await g.expectDense()
    } finally {
      await shutPartition.end()
      await wire.close()
      await database.close()
    }
  })
})
