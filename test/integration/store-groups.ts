// Several processes' commits on a real PostgreSQL, and a second opinion on what became of them.
import { expect } from 'vitest'
import pg from 'pg'
import type { GateStore, Settlement } from '../../src/pipeline/ports.ts'
import { decide, GROUP, INPUT, listings, type Wanted } from '../contracts/store-samples.ts'
import { startPostgresStore } from './store-on-postgres.ts'

export const PARTITIONS = 6

export type Groups = Awaited<ReturnType<typeof startGroups>>

interface How {
  readonly from?: bigint
  /** What is written instead of what was settled. */
  readonly change?: (settled: Settlement) => Settlement
  readonly store?: GateStore
}

/** A store with one process that has its partitions placed at 0. Its connections are called `grouping`. */
export async function startGroups() {
  const shared = await startPostgresStore()
  const node = await shared.node({ applicationName: 'grouping' })
  const client = async (): Promise<pg.Client> => {
    const opened = new pg.Client({ connectionString: shared.url, options: '-c search_path=touchstone' })
    await opened.connect()
    return opened
  }
  // One that holds locks, and one that looks: inside a transaction `pg_stat_activity` stands still.
  const [admin, watch] = [await client(), await client()]
  for (let partition = 0; partition < PARTITIONS; partition++) await node.store.place(GROUP, INPUT, partition, 0n)

  const commit = (partition: number, wanted: readonly Wanted[], how: How = {}) => {
    const { from = 0n, change = (settled) => settled, store = node.store } = how
    const span = { group: GROUP, topic: INPUT, partition, from, next: from + BigInt(Math.max(1, wanted.length)) }
    return store.commit(span, wanted, (standings) => change(decide(wanted, standings)))
  }

  /** Holds a row that the commit of partition 0 needs until what `queue` began waits behind it as one group. */
  async function asOneGroup<T>(queue: () => readonly Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
    await admin.query('begin')
    await admin.query('select from input_offset where grp = $1 and topic = $2 and part = 0 for update', [GROUP, INPUT])
    const first = commit(0, listings('first', 1))
    const group = Promise.allSettled(queue())
    await admin.query('rollback')
    expect(await first).toBe('committed')
    return group
  }

  const waitsForLock = async (): Promise<void> => {
    for (let waits = 0; waits === 0;) {
      const { rowCount } = await watch.query(
        `select from pg_stat_activity where application_name = 'grouping' and wait_event_type = 'Lock' and datname = current_database()`,
      )
      waits = rowCount ?? 0
    }
  }

  const next = async (): Promise<number[]> =>
    (await admin.query<{ next: string }>('select next from input_offset order by part')).rows.map((row) =>
      Number(row.next),
    )

  /** Transactions that wrote decisions, each with the listings that it decided. */
  const transactions = async (): Promise<string[][]> =>
    (
      await admin.query<{ ids: string[] }>(
        `select array_agg(listing_id order by listing_id) as ids from decision group by xmin::text order by 1`,
      )
    ).rows.map((row) => row.ids)

  /** Every listing's sequences are dense, and so are the positions of every output partition; one row for each decision. */
  const expectDense = async (): Promise<void> => {
    const { rows: decided } = await admin.query<{ sequences: number[] }>(
      'select array_agg(sequence order by sequence) as sequences from decision group by listing_id',
    )
    for (const { sequences } of decided) expect(sequences).toEqual(sequences.map((_, i) => i + 1))
    const { rows } = await admin.query<{ wrong: boolean; count: number }>(
      `select h.pos <> count(o.pos) or h.pos <> coalesce(max(o.pos), 0) as wrong, count(o.pos)::int as count
       from outbox_head h left join outbox o using (topic, part) group by h.topic, h.part, h.pos`,
    )
    expect(rows.filter((row) => row.wrong)).toEqual([])
    const published = rows.reduce((sum, row) => sum + row.count, 0)
    expect(published).toBe(decided.reduce((sum, row) => sum + row.sequences.length, 0))
  }

  return {
    shared,
    node,
    admin,
    watch,
    client,
    commit,
    asOneGroup,
    waitsForLock,
    next,
    transactions,
    expectDense,
    async close() {
      await Promise.all([admin.end(), watch.end()])
      await shared.close()
    },
  }
}
