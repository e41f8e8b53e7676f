// The store on a real PostgreSQL when things break: connections cut, processes frozen, committers racing, counters at risk.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import pg from 'pg'
import { createGateStore } from '../../src/adapters/postgres/gate-store.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { STORE_MIGRATIONS } from '../../src/adapters/postgres/migrations.ts'
import { connect } from '../../src/adapters/postgres/connect.ts'
import { inTransaction } from '../../src/adapters/postgres/transaction.ts'
import { brandSchema } from '../../src/domain/brand.ts'
import { messageOf } from '../../src/errors.ts'
import { freshDatabase } from '../support/database.ts'
import {
  commitAll,
  decide,
  DEAD_LETTERS,
  DECISIONS,
  GROUP,
  INPUT,
  listings,
  NOTHING,
  utf8,
} from '../contracts/store-samples.ts'
import { startWire } from './store-wire.ts'
import { startPostgresStore } from './store-on-postgres.ts'
import type { PostgresStore } from './store-on-postgres.ts'

describe('the store under faults', () => {
  let shared: PostgresStore
  let admin: pg.Client
  beforeEach(async () => {
    shared = await startPostgresStore()
    admin = new pg.Client({ connectionString: shared.url })
    await admin.connect()
  })
  afterEach(async () => {
    await admin.end()
    await shared.close()
  })

  /** Dense from 1 in every output partition, and the head is the last of them. */
  const expectDense = async (): Promise<void> => {
    const { rows } = await admin.query<{
      topic: string
      part: number
      count: string
      first: string
      last: string
      head: string
    }>(
      `select h.topic, h.part, h.pos as head, count(o.pos) as count, coalesce(min(o.pos), 1) as first, coalesce(max(o.pos), 0) as last
       from touchstone.outbox_head h left join touchstone.outbox o using (topic, part) group by h.topic, h.part, h.pos`,
    )
    for (const row of rows) expect(row).toMatchObject({ first: '1', last: row.count, head: row.count })
  }

  test('a connection that is cut in the middle of a commit leaves nothing of any table, and its pool goes on', async () => {
    const node = await shared.node({ applicationName: 'victim', deciding: 1 })
    await node.store.place(GROUP, INPUT, 0, 0n)
    const wanted = listings('L', 50)
    const batch = { group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 50n }
    // The heads are the last lock: whoever waits for them has written everything else.
    await admin.query('begin')
    await admin.query('select * from touchstone.outbox_head for update')
    const commit = node.store.commit(
      { group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 50n },
      wanted,
      (standings) => decide(wanted, standings),
    )
    const other = new pg.Client({ connectionString: shared.url })
    await other.connect()
    const refused = commit.catch((error: unknown) => messageOf(error))
    for (let cut = 0; cut === 0;) {
      const { rowCount } = await other.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim' and wait_event_type = 'Lock'`,
      )
      cut = rowCount ?? 0
    }
    expect(await refused).toMatch(/terminat/)
    await admin.query('rollback')
    await other.end()
    for (const table of ['listing', 'revision', 'decision', 'outbox']) {
      const { rows } = await admin.query<{ count: number }>(`select count(*)::int as count from touchstone.${table}`)
      expect([table, rows[0]?.count]).toEqual([table, 0])
    }
    expect(await node.store.place(GROUP, INPUT, 0, 0n)).toBe(0n)
    expect(await node.store.commit(batch, wanted, (standings) => decide(wanted, standings))).toBe('committed')
    await expectDense()
  })

  test('overlapping batches in opposite order never deadlock, and every sequence and position is dense', async () => {
    const nodes = [await shared.node({ deciding: 4 }), await shared.node({ deciding: 4 })]
    const decided = new Map<string, number>()
    const lanes = Array.from({ length: 8 }, async (_, lane) => {
      const node = nodes[lane % 2]
      if (node === undefined) throw new Error('no node')
      let from = await node.store.place(GROUP, INPUT, lane, 0n)
      for (let round = 0; round < 10; round++) {
        // Half known, half new listings, shared by all lanes, each lane in another order.
        const shuffled = [...listings('shared', 15), ...listings(`round-${round}`, 15)].map((l) => ({
          ...l,
          revision: lane * 100 + round + 1,
        }))
        const wanted = lane % 2 === 0 ? shuffled : shuffled.toReversed()
        const fails = (lane + round) % 5 === 0
        const commit = node.store.commit(
          { group: GROUP, topic: INPUT, partition: lane, from, next: from + 30n },
          wanted,
          (standings) => {
            const settled = decide(wanted, standings)
            // A row that no output takes makes the transaction fail after everything else was written.
            return fails
              ? {
                  ...settled,
                  outbox: [
                    ...settled.outbox,
                    {
                      ...settled.outbox[0],
                      topic: 'no-such-topic',
                      key: null,
                      value: null,
                      headers: {},
                      marketplace: null,
                    },
                  ],
                }
              : settled
          },
        )
        if (fails) {
          await expect(commit).rejects.toThrow('no-such-topic')
        } else {
          expect(await commit).toBe('committed')
          from += 30n
        }
      }
    })
    await Promise.all(lanes)
    const { rows } = await admin.query<{ listing_id: string; sequences: number[] }>(
      'select listing_id, array_agg(sequence order by sequence) as sequences from touchstone.decision group by listing_id',
    )
    expect(rows.length).toBeGreaterThan(15)
    for (const { listing_id, sequences } of rows) {
      expect(sequences).toEqual(sequences.map((_, i) => i + 1))
      decided.set(listing_id, sequences.length)
    }
    expect(Math.max(...decided.values())).toBeGreaterThan(2)
    await expectDense()
  })

  test('a batch of duplicates writes nothing but the offset', async () => {
    const node = await shared.node()
    const wanted = listings('L', 40)
    await commitAll(node.store, wanted)
    const versions = async (): Promise<string> => {
      const { rows } = await admin.query<{ all: string }>(
        `select string_agg(ctid::text || xmin::text, ',' order by listing_id) || (select string_agg(ctid::text || xmin::text, ',') from touchstone.outbox_head) as all from touchstone.listing`,
      )
      return rows[0]?.all ?? ''
    }
    const before = await versions()
    expect(await commitAll(node.store, wanted)).toBe(80n)
    expect(await versions()).toBe(before)
  })

  test('a process that freezes inside its transaction is ended by the server, and the other goes on', async () => {
    const broken: Error[] = []
    const frozen = await shared.node({ idleInTransactionMs: 150, onError: (error) => broken.push(error) })
    const healthy = await shared.node()
    await frozen.store.place(GROUP, INPUT, 0, 0n)
    const wanted = listings('L', 5)
    // The lock on the offset is taken, and then this client says nothing more: what SIGSTOP does to a process.
    const stuck = inTransaction(frozen.database.deciding, async ({ client }) => {
      await client.query(`update input_offset set next = 5 where grp = $1 and topic = $2 and part = 0 and next = 0`, [
        GROUP,
        INPUT,
      ])
      await commitAll(healthy.store, wanted)
      await client.query('select 1')
      return { done: 'should not come this far' }
    })
    await expect(stuck).rejects.toThrow(/terminat|not queryable|closed/i)
    // Without a listener on the checked-out connection this error would have ended the process.
    expect(broken.length).toBeGreaterThan(0)
    expect(await healthy.store.place(GROUP, INPUT, 0, 0n)).toBe(5n)
    expect((await healthy.reader.history('L-4'))?.decisions).toHaveLength(1)
  })

  test('who listens for changes connects again when the connection is cut, and looks once more', async () => {
    const node = await shared.node({ applicationName: 'listening' })
    let heard = Promise.withResolvers<void>()
    const stop = await node.reference.onChange(() => heard.resolve())
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listening' and query like 'listen%'`,
    )
    // Something may have changed in between: the new connection says so by itself.
    await heard.promise
    heard = Promise.withResolvers<void>()
    await node.reference.upsertBrands([brandSchema.parse({ brandId: 'nike', name: 'Nike' })], 'ann')
    await heard.promise
    await stop()
  })

  test('a server that falls silent is given up on, and a new connection is used', async () => {
    await shared.node()
    const wire = await startWire(shared.url)
    const database = await connect(wire.url, { deciding: 1, statementMs: 200 })
    try {
      const store = await createGateStore({ pool: database.deciding, outputs: {} })
      wire.silence()
      await expect(store.nextDeadline()).rejects.toThrow('timeout')
      expect(await store.nextDeadline()).toBeUndefined()
    } finally {
      await wire.close()
      await database.close()
    }
  })

  test('an unknown topic or a missing head is an error, never a lost row', async () => {
    const node = await shared.node()
    await admin.query('delete from touchstone.outbox_head where topic = $1', [DEAD_LETTERS])
    await node.store.place(GROUP, INPUT, 0, 0n)
    const batch = { group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 1n }
    const row = { key: null, value: utf8('x'), headers: {}, marketplace: null }
    await expect(
      node.store.commit(batch, [], () => ({ ...NOTHING, outbox: [{ ...row, topic: 'other' }] })),
    ).rejects.toThrow('not one of')
    await expect(
      node.store.commit(batch, [], () => ({ ...NOTHING, outbox: [{ ...row, topic: DEAD_LETTERS }] })),
    ).rejects.toThrow('"pos" of relation "outbox"')
    expect(await node.store.commit(batch, listings('L', 1), (standings) => decide(listings('L', 1), standings))).toBe(
      'committed',
    )
    expect((await node.reader.feed(undefined, 5, undefined)).entries).toHaveLength(1)
    expect(DECISIONS).not.toBe(DEAD_LETTERS)
  })
})

describe('migrations', () => {
  test('five processes that start at once apply each step once; a newer or foreign database stops them', async () => {
    const fresh = await freshDatabase()
    const nodes = await Promise.all(Array.from({ length: 5 }, () => connect(fresh.url)))
    try {
      const applied = await Promise.all(nodes.map((node) => migrate(node.deciding, 'store', STORE_MIGRATIONS)))
      expect(applied.flat().toSorted()).toEqual(STORE_MIGRATIONS.map((m) => m.name).toSorted())
      const [node] = nodes
      if (node === undefined) throw new Error('no node')
      expect(await migrate(node.deciding, 'store', STORE_MIGRATIONS)).toEqual([])
      await expect(migrate(node.deciding, 'store', STORE_MIGRATIONS.slice(0, -1))).rejects.toMatchObject({
        code: 'database-newer',
      })
      const renamed = STORE_MIGRATIONS.map((m, i) => (i === 1 ? { ...m, name: 'something else' } : m))
      await expect(migrate(node.deciding, 'store', renamed)).rejects.toMatchObject({ code: 'database-newer' })
      // Another adapter counts for itself, and a step that fails leaves nothing.
      const other = [
        { name: 'first', sql: 'create table other_first (id int)' },
        { name: 'second', sql: 'create table other_second (id int); select broken' },
      ]
      await expect(migrate(node.deciding, 'other', other)).rejects.toThrow('broken')
      expect(await migrate(node.deciding, 'other', other.slice(0, 1))).toEqual([])
      const { rows } = await node.reading.query<{ second: string | null }>(
        `select to_regclass('other_second')::text as second`,
      )
      expect(rows[0]?.second).toBeNull()
    } finally {
      await Promise.all(nodes.map((node) => node.close()))
      await fresh.drop()
    }
  })

  test('a server that cannot be reached is said with its code', async () => {
    await expect(connect('postgres://nobody@127.0.0.1:1/none')).rejects.toMatchObject({ code: 'database-unavailable' })
  })
})
