// Statements that go to a real PostgreSQL together: what is behind a failure never happens, and what is prepared stays right.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PoolClient } from 'pg'
import { inOneRoundTrip, type Sent } from '../../src/adapters/postgres/round-trip.ts'
import { commitAll, listings } from '../contracts/store-samples.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

describe('statements in one round trip', () => {
  let node: PostgresNode
  let client: PoolClient
  beforeEach(async () => {
    node = await freshNode({ deciding: 1, reading: 2 })
    client = await node.database.reading.connect()
    await client.query('create temporary table written (n int primary key)')
  })
  afterEach(async () => {
    client.release(true)
  })
  const plain = (text: string, values: readonly unknown[] = [], name?: string): Sent => ({ text, values, name })
  const insert = (n: number, name?: string) => plain('insert into written values ($1) returning n', [n], name)
  const written = async () =>
    (await client.query<{ n: number }>('select n from written order by n')).rows.map((row) => row.n)

  test('behind a begin that fails nothing takes effect by itself, and nothing is committed', async () => {
    const statements = [plain('begin isolation level none'), insert(1), plain('commit')]
    await expect(inOneRoundTrip(client, statements)).rejects.toThrow('syntax error')
    expect(await written()).toEqual([])
  })

  test('a failure in the middle is the one that is told, and what went before it is undone', async () => {
    const statements = [plain('begin'), insert(1), plain('select 1 / $1::int', [0]), insert(1), plain('commit')]
    await expect(inOneRoundTrip(client, statements)).rejects.toThrow('division by zero')
    await client.query('rollback')
    expect(await written()).toEqual([])
  })

  test('a value that cannot be sent keeps everything behind it from being sent', async () => {
    const circle: { itself?: unknown } = {}
    circle.itself = circle
    const statements = [plain('begin'), insert(1), plain('select $1::text', [circle]), insert(2), plain('commit')]
    await expect(inOneRoundTrip(client, statements)).rejects.toThrow('circular')
    await client.query('rollback')
    expect(await written()).toEqual([])
  })

  test('one prepared statement may be used several times in one round trip, and again in the next', async () => {
    for (const start of [0, 10, 20]) {
      const statements = [insert(start, 'insert'), plain('select 1 as one'), insert(start + 1, 'insert')]
      const answers = await inOneRoundTrip(client, statements)
      expect(answers.map((answer) => answer.rows)).toEqual([[{ n: start }], [{ one: 1 }], [{ n: start + 1 }]])
    }
    const { rows } = await client.query(`select name from pg_prepared_statements where name = 'insert'`)
    expect(rows).toHaveLength(1)
  })

  test('what decides is prepared once per connection, and nothing that is composed of what callers ask', async () => {
    const prepared = async (pool: PostgresNode['database']['deciding']) =>
      (await pool.query<{ count: number }>('select count(*)::int as count from pg_prepared_statements')).rows[0]?.count
    await commitAll(node.store, listings('L', 3))
    const once = await prepared(node.database.deciding)
    expect(once).toBeGreaterThan(8)
    for (let i = 0; i < 10; i++) await commitAll(node.store, listings(`L${i}`, 3))
    expect(await prepared(node.database.deciding)).toBe(once)
    await node.reader.feed(undefined, 10, undefined)
    expect(await prepared(node.database.reading)).toBe(0)
  })

  test('prepared statements outlive a migration that adds to the tables', async () => {
    await commitAll(node.store, listings('L', 3))
    for (const table of ['listing', 'revision', 'decision', 'outbox', 'outbox_head', 'input_offset'])
      await client.query(`alter table ${table} add column later text default 'x'`)
    await commitAll(node.store, listings('L', 3, 2))
    expect((await node.reader.history('L-2'))?.decisions.map((one) => one.revision)).toEqual([1, 2])
  })

  test('plans that may be kept look rows up by their keys, however small the tables are', async () => {
    await commitAll(node.store, listings('L', 3))
    await client.query('analyze listing, revision')
    const deciding = await node.database.deciding.connect()
    await deciding.query('set plan_cache_mode = force_generic_plan')
    await deciding.query(
      `prepare known as select l.revision, r.content_hash from unnest($1::text[], $2::int[]) x (listing_id, revision)
       join listing l on l.listing_id = x.listing_id collate "C"
       left join revision r on r.listing_id = x.listing_id collate "C" and r.revision = x.revision`,
    )
    const { rows } = await deciding.query<Record<string, string>>(`explain execute known('{a}', '{1}')`)
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    deciding.release(true)
    expect(plan).toContain('listing_pkey')
    expect(plan).toContain('revision_pkey')
    expect(plan).not.toContain('Seq Scan')
  })

  test('a migration that changes the type of a column spoils one question, and not its connection for good', async () => {
    await node.store.place('g', 't', 0, 5n)
    await node.store.place('g', 't', 0, 5n)
    await node.database.reading.query('alter table input_offset alter column next type numeric')
    const answers = []
    for (let i = 0; i < 3; i += 1)
      answers.push(await node.store.place('g', 't', 0, 5n).catch((error: unknown) => (error as Error).message))
    expect(answers).toEqual(['cached plan must not change result type', 5n, 5n])
  })
})
