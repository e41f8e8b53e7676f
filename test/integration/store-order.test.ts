// What order the outbox keeps when it is put to the test: of its locks, of the publisher's mark, of time. Real: PostgreSQL.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import pg from 'pg'
import { createOutbox } from '../../src/adapters/postgres/outbox.ts'
import { partitionOf } from '../../src/events/partition.ts'
import {
  commitAll,
  DEAD_LETTERS,
  DECISIONS,
  GROUP,
  INPUT,
  listings,
  NOTHING,
  OUTPUTS,
  utf8,
} from '../contracts/store-samples.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

describe('the order of the outbox', () => {
  let node: PostgresNode
  let admin: pg.Client
  beforeEach(async () => {
    node = await freshNode({ applicationName: 'writer' })
    admin = new pg.Client({ connectionString: node.url })
    await admin.connect()
  })
  afterEach(async () => {
    await admin.end()
  })

  test('heads are locked by topic and partition whatever the order of the rows, so that no two transactions wait for each other', async () => {
    const wanted = [DEAD_LETTERS, DECISIONS].flatMap((topic) =>
      Array.from({ length: partitionsOf(topic) }, (_, part) => ({ topic, part })),
    )
    // The table and the rows to be written lie the other way round: neither may decide.
    await admin.query(
      `with gone as (delete from touchstone.outbox_head returning *)
       insert into touchstone.outbox_head select * from gone order by topic desc, part desc`,
    )
    const rows = wanted.toReversed().map(({ topic, part }) => ({
      topic,
      key: keyOf(part, partitionsOf(topic)),
      value: utf8('{}'),
      headers: {},
      marketplace: null,
    }))
    await node.store.place(GROUP, INPUT, 0, 0n)
    const other = new pg.Client({ connectionString: node.url })
    await other.connect()
    for (const [i, held] of wanted.entries()) {
      await admin.query('begin')
      await admin.query('select from touchstone.outbox_head where topic = $1 and part = $2 for update', [
        held.topic,
        held.part,
      ])
      const commit = node.store.commit(
        { group: GROUP, topic: INPUT, partition: 0, from: BigInt(i), next: BigInt(i + 1) },
        [],
        () => ({ ...NOTHING, outbox: rows }),
      )
      for (let waits = 0; waits === 0;) {
        const { rowCount } = await other.query(
          `select from pg_stat_activity where application_name = 'writer' and wait_event_type = 'Lock' and datname = current_database()`,
        )
        waits = rowCount ?? 0
      }
      const free = await other.query<{ topic: string; part: number }>(
        'select topic, part from touchstone.outbox_head order by topic, part for update skip locked',
      )
      await admin.query('rollback')
      expect(await commit).toBe('committed')
      expect(free.rows).toEqual(wanted.slice(i + 1))
    }
    await other.end()
  })

  test('a mark that somebody else moved meanwhile undoes the publishing instead of being set back', async () => {
    await commitAll(node.store, listings('L', 30))
    await admin.query('create table public.published (n int)')
    const outbox = createOutbox({ pool: node.database.deciding, owner: 'one' })
    const marks = async (): Promise<string[]> =>
      (await admin.query<{ pos: string }>('select pos from touchstone.outbox_tail order by topic, part')).rows.map(
        (row) => row.pos,
      )
    await expect(
      outbox.drain(10, async (rows, tx) => {
        await tx.query('insert into public.published values ($1)', [rows.length])
        await admin.query('update touchstone.outbox_tail set pos = pos + 1 where topic = $1', [DECISIONS])
      }),
    ).rejects.toThrow('without the lease')
    expect(await marks()).toEqual(['0', '0', '1', '1', '1', '1'])
    expect((await admin.query('select from public.published')).rowCount).toBe(0)
  })

  test('time never falls within a partition although the clock is set back, so the feed keeps its order and skips nothing', async () => {
    const ids = listings('L', 12)
    await commitAll(node.store, ids)
    // What was written so far was written by a clock that was an hour ahead.
    for (const table of ['outbox', 'outbox_head'])
      await admin.query(`update touchstone.${table} set at = at + interval '1 hour' where at > '-infinity'`)
    await commitAll(node.store, listings('L', 12, 2))
    const { rows } = await admin.query<{ falls: boolean }>(
      `select at < lag(at) over (partition by topic, part order by pos) as falls from touchstone.outbox`,
    )
    expect(rows.filter((row) => row.falls)).toEqual([])
    const seen = new Map<string, number[]>()
    for (let after: string | undefined; ;) {
      const page = await node.reader.feed(after, 1, undefined)
      const [entry] = page.entries
      if (entry === undefined) break
      const { listingId, revision } = entry.data as { listingId: string; revision: number }
      seen.set(listingId, [...(seen.get(listingId) ?? []), revision])
      after = page.next
    }
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(ids.map(({ listingId }) => [listingId, [1, 2]])))
  })
})

const partitionsOf = (topic: string): number => new Map(Object.entries(OUTPUTS)).get(topic) ?? 0

/** A key that falls into the partition. */
function keyOf(part: number, partitions: number): Uint8Array {
  for (let i = 0; ; i += 1) {
    const key = utf8(`key-${i}`)
    if (partitionOf(key, partitions) === part) return key
  }
}
