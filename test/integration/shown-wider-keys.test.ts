// What is shown, while processes of the version before look and write beside new ones. Real: PostgreSQL, the migrations, the stores' statements; the old process: its statements.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { queries } from '../../src/adapters/postgres/connect.ts'
import { lookAhead } from '../../src/adapters/postgres/look-ahead.ts'
import { shownAt } from '../../src/adapters/postgres/of-case.ts'
import { createPictureStore } from '../../src/adapters/postgres/picture-store.ts'
import { widenShown } from '../../src/adapters/postgres/shown-widening.ts'
import { picture } from '../contracts/store-banks.ts'
import { storeBefore } from '../support/old-store.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { offer, openCase, showInCase, shownSet } from './case-pictures.ts'

const before = () => storeBefore('what listings show, by its sets alone')
const near = (name: string) => hash(name, 6)
const shot = (name: string) => picture(name, { hash: hash(name).toString('hex'), variants: [] })

/** The keys as the version before computes them. */
const OLD_KEYS = (of: string) =>
  `array(select (part << 16) + ('x' || substr(${of}, part * 4 + 1, 4))::bit(16)::int from generate_series(0, 15) part)`

/** What a worker of the version before writes: what is shown, then the decision that names it. */
async function oldOffer(pool: Pool, listingId: string, hashed: Buffer) {
  const { digest } = shownSet(listingId, [hashed])
  await pool.query(
    `insert into shown_set as s (listing_id, digest, hash, keys)
     select x.listing_id, decode(x.digest, 'hex'), x.hash, ${OLD_KEYS('x.hash')}
     from unnest($1::text[], $2::text[], $3::text[]) x (listing_id, digest, hash)
     on conflict (listing_id, digest, hash) do update set at = now() where s.at < now() - 30 * interval '1 day'`,
    [[listingId], [digest], [hashed.toString('hex')]],
  )
  await pool.query(
    `insert into listing (listing_id, seller_id, revision, outcome, withdrawn_revision) values ($1, $1, 1, 'allow', 0)`,
    [listingId],
  )
  await pool.query(
    `insert into decision (listing_id, revision, sequence, decision_id, stage, outcome, risk, decided_at, shown, body)
     values ($1, 1, 1, gen_random_uuid(), 'screening', 'allow', 0.5, '2020-01-01', decode($2, 'hex'), '{}')`,
    [listingId, digest],
  )
}

/** Which listings an API of the version before finds near a picture. */
const oldLook = async (pool: Pool, name: string) =>
  (
    await pool.query<{ listing_id: string }>(
      `select n.listing_id from (select $1::text as hash, ${OLD_KEYS('$1::text')} as keys) h
       cross join lateral (select n.listing_id from shown_set n where
         n.keys && h.keys and bit_count(('x' || n.hash)::bit(256) # ('x' || h.hash)::bit(256)) <= 31 offset 0) n order by 1`,
      [hash(name).toString('hex')],
    )
  ).rows.map((row) => row.listing_id)

/** Of which of these pictures of a case a look of this version finds that others show them. */
async function newLook(pool: Pool, names: readonly string[]): Promise<string[]> {
  await offer(pool, { listingId: 'fake', sellerId: 'bad', outcome: 'hold' })
  await openCase(pool, 'C', 'fake')
  await showInCase(pool, 'C', names.map(shot))
  const times = { first: 9_000, each: 9_000, all: 9_000 }
  const { elsewhere } = await lookAhead(pool, shownAt([{ listingId: 'fake', revision: 1 }]), undefined, { times })
  const found = elsewhere?.map(({ sha256 }) => sha256)
  return names.filter((name) => found?.includes(shot(name).sha256))
}

const lacking = async (pool: Pool) =>
  (await pool.query<{ hash: string }>('select hash from shown_set where wide_keys is null')).rows.map((row) => row.hash)
const reached = async (pool: Pool) => (await pool.query('select missed from shown_widening')).rows

describe('while processes of the version before are about', () => {
  test('they find what new ones write, and new ones what they wrote before the upgrade and write after it', async () => {
    const { pool, upgrade } = await before()
    await oldOffer(pool, 'there', near('there'))
    await upgrade()
    await oldOffer(pool, 'old', near('old'))
    await offer(pool, {
      listingId: 'new',
      sellerId: 'new',
      shown: shownSet('new', [near('new')]),
      at: new Date('2020-01-01'),
    })
    for (const name of ['there', 'old', 'new']) expect(await oldLook(pool, name)).toEqual([name])
    expect(await newLook(pool, ['there', 'old', 'new', 'else'])).toEqual(['there', 'old', 'new'])
  })

  test('the upgrade touches no row: who writes what is shown does not wait for it; the janitor fills them in, and looks go on', async () => {
    const { pool, upgrade } = await before()
    await oldOffer(pool, 'there', near('there'))
    await pool.query(`insert into shown_set values ('odd', 'd', 'no hash', '{}')`)
    const { rows: was } = await pool.query('select listing_id, ctid::text from shown_set order by 1')
    await upgrade()
    expect((await pool.query('select listing_id, ctid::text from shown_set order by 1')).rows).toEqual(was)
    expect(await lacking(pool)).toHaveLength(2)
    const pictures = createPictureStore(pool)
    while ((await pictures.prune(180)) > 0);
    expect([await lacking(pool), await reached(pool)]).toEqual([[], []])
    // By its new keys alone.
    await pool.query(`update shown_set set keys = '{}'`)
    expect(await newLook(pool, ['there', 'else'])).toEqual(['there'])
  })

  test('goes on in steps, leaves out what somebody holds, and ends when the next pass has met all of them', async () => {
    const { pool, upgrade } = await before()
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) await oldOffer(pool, name, near(name))
    await upgrade()
    const step = async () => (await widenShown(2).execute(queries(pool))).rows.length
    const holding = await pool.connect()
    try {
      await holding.query('begin')
      await holding.query(`select from shown_set where listing_id = 'b' for update`)
      expect([await step(), await step(), await step()]).toEqual([2, 2, 0])
      expect([await lacking(pool), await reached(pool)]).toEqual([[near('b').toString('hex')], [{ missed: false }]])
    } finally {
      await holding.query('rollback')
      holding.release()
    }
    expect(await newLook(pool, ['a', 'b'])).toEqual(['a', 'b'])
    expect([await step(), await step(), await step()]).toEqual([2, 2, 0])
    expect([await lacking(pool), await reached(pool)]).toEqual([[], []])
    expect(await step()).toBe(0)
  })

  test('two janitors do not wait for each other, and what is written anew brings its keys along', async () => {
    const { pool, upgrade } = await before()
    await oldOffer(pool, 'a', near('a'))
    await oldOffer(pool, 'b', near('b'))
    await upgrade()
    const other = await pool.connect()
    try {
      await other.query('begin')
      await other.query('select from shown_widening for update')
      expect((await widenShown(9).execute(queries(pool))).rows).toEqual([])
      expect(await lacking(pool)).toHaveLength(2)
    } finally {
      await other.query('rollback')
      other.release()
    }
    await sql`update shown_set set at = at - interval '31 days'`.execute(queries(pool))
    await createPictureStore(pool).noteShown([shownSet('b', [near('b')])])
    expect(await lacking(pool)).toEqual([near('a').toString('hex')])
  })
})
