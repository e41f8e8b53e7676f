// An upgrade beside those who work on. Real: PostgreSQL, the migrations, several connections.
import { expect, test } from 'vitest'
import { storeBefore } from '../support/old-store.ts'

const INDEXES = `select indexname from pg_indexes where tablename in ('bank_image', 'review_case') and
  indexname in ('bank_image_limited', 'bank_image_unvouched', 'review_case_closed') order by indexname`

test('who has read the banks and then writes them while their index is exchanged neither fails nor makes the upgrade fail', async () => {
  const { pool, upgrade } = await storeBefore('pictures of banks that no word was about')
  const writer = await pool.connect()
  let upgraded: Promise<string[]>
  try {
    await writer.query('begin')
    await writer.query('select from bank_image')
    upgraded = upgrade()
    const waiting = `select from pg_locks where relation = 'bank_image'::regclass and not granted`
    await expect.poll(async () => (await pool.query(waiting)).rowCount, { timeout: 20_000 }).toBe(1)
    await writer.query(
      `insert into bank_image (image_id, bank_id, sha256, hash, quality, state, source, added_by, change)
       values (gen_random_uuid(), 'b', 'a', 'h', 100, 'active', '{}', 'ann', 1)`,
    )
    await writer.query('commit')
  } finally {
    writer.release()
  }
  expect(await upgraded).toContain('the index of pictures that a word was about is gone')
  const { rows } = await pool.query<{ indexname: string }>(INDEXES)
  expect(rows.map(({ indexname }) => indexname)).toEqual(['bank_image_limited', 'review_case_closed'])
})

test('several processes that start at once upgrade once', async () => {
  const { upgrade } = await storeBefore('pictures of banks that no word was about')
  const applied = await Promise.all(Array.from({ length: 4 }, upgrade))
  const names = applied.flat()
  expect(names).toHaveLength(new Set(names).size)
  expect(names).toEqual(
    expect.arrayContaining(['cases by when they were closed', 'the training that runs or ran last']),
  )
  expect(await upgrade()).toEqual([])
})
