// What looks before verdicts take from the others who use the database. Real: PostgreSQL, its pools, the stores and reviewing; invented: hashes, listings.
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { queries } from '../../src/adapters/postgres/connect.ts'
import { lookAhead } from '../../src/adapters/postgres/look-ahead.ts'
import { shownAt } from '../../src/adapters/postgres/of-case.ts'
import { NOT_LOOKED } from '../../src/adapters/postgres/official-pictures.ts'
import { prepareOutputs } from '../../src/adapters/postgres/outputs.ts'
import { createReviewStore } from '../../src/adapters/postgres/review-store.ts'
import { oldKeysOf, shownElsewhere } from '../../src/adapters/postgres/shown-pictures.ts'
import { compiled, type Statement } from '../../src/adapters/postgres/statement.ts'
import { within } from '../../src/adapters/postgres/within.ts'
import { analyst, reviewWorld } from '../contracts/review-world.ts'
import { picture } from '../contracts/store-banks.ts'
import { OUTPUTS, VERDICTS } from '../contracts/store-samples.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { offer, openCase, showInCase, shownSet } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

const AMPLE = { first: 9_000, each: 9_000, all: 9_000 }
const row = (value: Statement): Statement<{ n: unknown }> => sql<{ n: unknown }>`select ${value} as n`
const hex = (of: string, bits = 0) => hash(of, bits).toString('hex')

describe('a look before a verdict', () => {
  let node: PostgresNode
  beforeEach(async () => {
    node = await freshNode()
  })

  /** Nobody reads the table until what it returns is called. */
  async function locked(table: string): Promise<() => Promise<void>> {
    const client = node.database.listener()
    await client.connect()
    await client.query(`begin; lock table touchstone.${table} in access exclusive mode`)
    return () => client.end()
  }

  test('however many do not end, who decides has connections, and so has who reads', async () => {
    const { deciding, reading } = node.database
    const outputs = await prepareOutputs(deciding, { ...OUTPUTS, [VERDICTS]: 2 })
    const store = createReviewStore({ pool: deciding, looking: reading, outputs, elsewhere: { times: AMPLE } })
    const { review, screen } = reviewWorld({ ...node, review: store }, 0)
    const cases: string[] = []
    for (let i = 0; i < 20; i++) {
      await screen(`L-${i}`, 1)
      const caseId = String((await node.reader.history(`L-${i}`))?.decisions[0]?.caseId)
      await showInCase(deciding, caseId, [picture('own')])
      cases.push(caseId)
    }
    const unlock = await locked('shown_set')
    const said = cases.map((caseId) => review.verdict(caseId, analyst, { verdict: 'confirmed' }))
    try {
      const hanging = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
      await expect.poll(async () => (await deciding.query(hanging)).rowCount).toBe(2)
      expect(deciding.totalCount - deciding.idleCount).toBe(0)
      await screen('another', 1)
      expect((await node.reader.history('another'))?.decisions).toHaveLength(1)
    } finally {
      await unlock()
    }
    expect((await Promise.all(said)).map((one) => one?.kind)).toEqual(cases.map(() => 'recorded'))
  })

  test('whoever waits for its turn waits no longer than for an answer, and takes no turn of another one then', async () => {
    const { reading } = node.database
    const long = () => within(reading, 30_000, row(sql`pg_sleep(0.5)`))
    const short = () => within(reading, 50, row(sql`1`))
    const first = [long(), long()]
    await expect(short()).rejects.toMatchObject({ code: 'database-unavailable' })
    await Promise.all(first)
    expect(await Promise.all([1, 2, 3].map((n) => within(reading, 30_000, row(sql`${n}::int`))))).toEqual([
      [{ n: 1 }],
      [{ n: 2 }],
      [{ n: 3 }],
    ])
  })

  test('a connection that comes too late goes back, and so does one whose statement the server ended; one that is broken does not', async () => {
    const { reading } = node.database
    const all = await Promise.all(Array.from({ length: reading.options.max ?? 0 }, () => reading.connect()))
    await expect(within(reading, 50, row(sql`1`))).rejects.toMatchObject({ code: 'database-unavailable' })
    for (const client of all) client.release()
    await expect(within(reading, 1_000, row(sql`pg_sleep(30)`))).rejects.toMatchObject({ code: '57014' })
    await sleep(0)
    expect([reading.waitingCount, reading.idleCount]).toEqual([0, all.length])
    // The same text under the same name, on each of them.
    for (const ms of [20, 20, 1_000, 1_000]) {
      const asked = within(reading, ms, row(sql`pg_sleep(0.1)`))
      if (ms < 100) await expect(asked).rejects.toMatchObject({ code: '57014' })
      else expect(await asked).toHaveLength(1)
    }
    expect(reading.idleCount).toBe(all.length)
    await expect(within(reading, 1_000, row(sql`1 / (random() * 0)::int`))).rejects.toMatchObject({ code: '22012' })
    await sleep(0)
    expect(reading.idleCount).toBe(all.length - 1)
    // What was set for it ended with it.
    const { rows } = await reading.query('show statement_timeout')
    expect(rows).toEqual([{ statement_timeout: '15s' }])
  })

  test.each(['case_picture', 'picture'])('that cannot read %s knows nothing, and fails nobody', async (table) => {
    const { deciding, reading } = node.database
    await offer(deciding, { listingId: 'L', sellerId: 'bad', outcome: 'hold' })
    await openCase(deciding, 'C', 'L')
    await showInCase(deciding, 'C', [picture('own')])
    const unlock = await locked(table)
    const told: unknown[][] = []
    try {
      const ask = shownAt([{ listingId: 'L', revision: 1 }])
      const officials = () => Promise.reject(new Error('it was asked'))
      const options = { times: { first: 30, each: 30, all: 100 }, notKnown: (...all: unknown[]) => told.push(all) }
      const look = await lookAhead(reading, ask, officials, options)
      expect(look).toEqual({ ...NOT_LOOKED, elsewhere: [], lookedUp: [] })
    } finally {
      await unlock()
    }
    expect(told.map((one) => one.slice(0, 2))).toEqual([[1, 1]])
  })

  test('reads little of what others show that is not near', async () => {
    const { deciding } = node.database
    await offer(deciding, {
      listingId: 'honest',
      sellerId: 'rival',
      shown: shownSet('honest', [hash('theirs', 5)]),
      at: new Date('2020-01-01'),
    })
    await offer(deciding, { listingId: 'L', sellerId: 'bad', outcome: 'hold' })
    await openCase(deciding, 'C', 'L')
    const names = ['theirs', ...Array.from({ length: 11 }, (_, i) => `own ${i}`)]
    await showInCase(
      deciding,
      'C',
      names.map((name) => picture(name, { hash: hex(name), variants: [] })),
    )
    await sql`
      insert into shown_set (listing_id, digest, hash, keys)
      select 'x' || i, 'd', h, ${oldKeysOf(sql`h`)}
      from (select i, md5('a' || i) || md5('b' || i) as h from generate_series(1, 6000) i) x`.execute(queries(deciding))
    await deciding.query('analyze')
    const frames = names.map((name) => ({
      listingId: 'L',
      caseId: 'C',
      sha256: picture(name).sha256,
      frame: 0,
      hashes: [hex(name)],
    }))
    const { text, values } = compiled(shownElsewhere(frames), () => undefined)
    const { rows } = await deciding.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `explain (analyze, format json) ${text}`,
      [...values],
    )
    const read = readOf(rows[0]?.['QUERY PLAN'][0].Plan)
    // Of 12 pictures; by keys of 16 bits it would be sixteen times as many by chance.
    expect(read('shown_set')).toBeLessThan(8)
    const found = await deciding.query<{ isElsewhere: boolean }>(text, [...values])
    expect(found.rows.filter((one) => one.isElsewhere)).toHaveLength(1)
  })
})

interface Plan {
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Join Filter'?: number
  readonly Plans?: readonly Plan[]
}

/** How many rows of a table were looked at. */
function readOf(plan: Plan | undefined): (table: string) => number {
  const all = (one: Plan): Plan[] => [one, ...(one.Plans ?? []).flatMap(all)]
  const nodes = plan === undefined ? [] : all(plan)
  return (table) =>
    nodes
      .filter((one) => one['Relation Name'] === table)
      .reduce((sum, one) => sum + (one['Actual Rows'] + (one['Rows Removed by Filter'] ?? 0)) * one['Actual Loops'], 0)
}
