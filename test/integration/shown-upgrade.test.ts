// What listings show, across an upgrade. Real: PostgreSQL, the migrations, the stores' statements; the old process: its statements.
import type { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { lookAhead } from '../../src/adapters/postgres/look-ahead.ts'
import { shownAt } from '../../src/adapters/postgres/of-case.ts'
import { picture } from '../contracts/store-banks.ts'
import { storeBefore } from '../support/old-store.ts'
import { openCase, showInCase, shownSet } from './case-pictures.ts'

const before = () => storeBefore('what listings show, by what was decided on it')

/** As a process of the version before writes it: what is shown first, then the decision, which names nothing. */
const oldProcess = (pool: Pool) => ({
  async notes(listingId: string, revision: number, names: readonly string[], at: string) {
    for (const name of names)
      await pool.query(
        `insert into shown_picture (listing_id, hash, revision, keys, at) values ($1, $2, $3,
           array(select (part << 16) + ('x' || substr($2, part * 4 + 1, 4))::bit(16)::int from generate_series(0, 15) part), $4)
         on conflict (listing_id, hash) do update set revision = excluded.revision
           where shown_picture.revision < excluded.revision`,
        [listingId, picture(name).hash, revision, at],
      )
  },
  async decides(listingId: string, revision: number, outcome: string, at: string) {
    await pool.query(
      `insert into listing (listing_id, seller_id, revision, sequence, outcome) values ($1, $1, $2, $2, $3)
       on conflict (listing_id) do update set revision = excluded.revision, sequence = excluded.sequence`,
      [listingId, revision, outcome],
    )
    await pool.query(
      `insert into decision (listing_id, revision, sequence, decision_id, stage, outcome, risk, decided_at, body)
       values ($1, $2, $2, gen_random_uuid(), 'screening', $3, 0.5, $4, '{}')`,
      [listingId, revision, outcome, at],
    )
  },
})

/** Which pictures of the case of the listing `fake` another listing showed before. */
async function elsewhere(pool: Pool, names: readonly string[]): Promise<string[]> {
  const pictures = names.map((name) => picture(name))
  await openCase(pool, 'C', 'fake')
  await showInCase(pool, 'C', pictures)
  const { elsewhere: found } = await lookAhead(pool, shownAt([{ listingId: 'fake', revision: 1 }]), undefined)
  const sha256s = found?.map(({ sha256 }) => sha256)
  return names.filter((name) => sha256s?.includes(picture(name).sha256))
}

describe('what listings show, when the store is upgraded', () => {
  test('counts from when it was first decided, though its listing was edited since; what an edit brought, from the edit', async () => {
    const { pool, upgrade } = await before()
    const old = oldProcess(pool)
    await old.notes('honest', 1, ['theirs'], '2026-01-01')
    await old.decides('honest', 1, 'allow', '2026-01-01')
    await old.decides('fake', 1, 'hold', '2026-02-01')
    await old.notes('honest', 2, ['theirs', 'copied'], '2026-03-01')
    await old.decides('honest', 2, 'allow', '2026-03-01')
    await upgrade()
    expect(await elsewhere(pool, ['theirs', 'copied', 'else'])).toEqual(['theirs'])
  })

  test('counts as the revision that stands showed it, by one name for old and new; what was noted of another revision does not', async () => {
    const { pool, upgrade } = await before()
    const old = oldProcess(pool)
    await old.decides('honest', 2, 'allow', '2026-01-01')
    await old.decides('edited', 2, 'allow', '2026-01-01')
    await old.decides('fake', 1, 'hold', '2026-01-02')
    await old.notes('honest', 2, ['theirs', 'more'], '2026-01-01')
    await old.notes('honest', 99, ['raised'], '2026-01-01')
    await old.notes('edited', 1, ['before'], '2026-01-01')
    await upgrade()
    expect(await elsewhere(pool, ['theirs', 'more', 'raised', 'before'])).toEqual(['theirs', 'more'])
    const { rows } = await pool.query<{ shown: Buffer }>(`select shown from decision where listing_id = 'honest'`)
    const hashes = ['theirs', 'more'].map((name) => Buffer.from(picture(name).hash, 'hex'))
    expect(rows[0]?.shown.toString('hex')).toBe(shownSet('honest', hashes).digest)
  })

  test('a process of the version before decides beside the new ones, and names nothing that its listing shows', async () => {
    const { pool, upgrade } = await before()
    const old = oldProcess(pool)
    await old.notes('honest', 1, ['theirs'], '2026-01-01')
    await old.decides('honest', 1, 'allow', '2026-01-01')
    await upgrade()
    await old.decides('fake', 1, 'hold', '2026-02-01')
    await old.decides('honest', 2, 'allow', '2026-03-01')
    expect(
      (await pool.query(`select shown is null as unsaid from decision order by listing_id, revision`)).rows,
    ).toEqual([{ unsaid: true }, { unsaid: false }, { unsaid: true }])
    expect(await elsewhere(pool, ['theirs'])).toEqual([])
  })

  test('nobody who decides waits while what is shown is taken along', async () => {
    const { pool, upgrade } = await storeBefore('since when listings have shown it')
    const old = oldProcess(pool)
    await old.decides('honest', 1, 'allow', '2026-01-01')
    await old.notes('honest', 1, ['theirs'], '2026-01-01')
    // It waits for this row, and holds what it holds.
    const [holding, deciding] = [await pool.connect(), await pool.connect()]
    await holding.query('begin')
    await holding.query(`select from decision where listing_id = 'honest' for update`)
    const upgraded = upgrade()
    try {
      const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
        and query like '%update decision%'`
      await expect.poll(async () => (await deciding.query(waiting)).rowCount, { timeout: 20_000 }).toBe(1)
      await deciding.query(`set lock_timeout = '1s'`)
      await deciding.query(
        `insert into decision (listing_id, revision, sequence, decision_id, stage, outcome, risk, decided_at, body)
         values ('other', 1, 1, gen_random_uuid(), 'screening', 'allow', 0.5, now(), '{}')`,
      )
      await deciding.query(`insert into shown_set values ('other', 'd', 'h', '{}')`)
    } finally {
      await holding.query('rollback')
      for (const client of [holding, deciding]) client.release(true)
      await upgraded
    }
    expect((await pool.query('select listing_id from shown_set order by 1')).rows).toEqual([
      { listing_id: 'honest' },
      { listing_id: 'other' },
    ])
  })
})
