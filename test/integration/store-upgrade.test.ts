// What a newer version finds in the tables of an older one. Real: PostgreSQL, the migrations and the store.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createBankStore } from '../../src/adapters/postgres/bank-store.ts'
import { createGateStore } from '../../src/adapters/postgres/gate-store.ts'
import { createPictureStore } from '../../src/adapters/postgres/picture-store.ts'
import { groupNames } from '../../src/apps/ground.ts'
import { topicNames } from '../../src/events/topics.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { storeBefore } from '../support/old-store.ts'
import { joinOf, settleJoins } from './case-pictures.ts'

test('offsets of the group that had one name for every prefix are taken along, so that no listing is read twice', async () => {
  const { pool, upgrade } = await storeBefore('groups named after the topics')
  const old = await createGateStore({ pool, outputs: {} })
  const prefixes = ['touchstone', 'shop.v1', 'a_b-c']
  const partitions = [0, 1]
  for (const [i, prefix] of prefixes.entries())
    for (const partition of partitions)
      await old.place('touchstone-gate', topicNames(prefix).listings, partition, BigInt(100 * (i + 1) + partition))

  await upgrade()
  const store = await createGateStore({ pool, outputs: {} })
  const places = (group: (prefix: string) => string) =>
    Promise.all(
      prefixes.flatMap((prefix) =>
        partitions.map((partition) => store.place(group(prefix), topicNames(prefix).listings, partition, 0n)),
      ),
    )
  const reached = [100n, 101n, 200n, 201n, 300n, 301n]
  expect(await places((prefix) => groupNames(prefix).listings)).toEqual(reached)
  // For a process of the version before that is still about.
  expect(await places(() => 'touchstone-gate')).toEqual(reached)
})

test('pictures that were kept without their turned forms are there, are compared as they are, and new ones beside them in full', async () => {
  const { pool, listener, upgrade } = await storeBefore('what kept pictures are when they are turned and mirrored')
  const official = picture('official')
  const old = { own: picture('own'), copy: picture('copy', { hash: official.hash }) }
  for (const [ordinal, one] of Object.values(old).entries()) {
    await pool.query(
      `insert into picture (sha256, hash, quality, blank, forms, width, height, body) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [one.sha256, one.hash, one.quality, one.blank, one.forms, one.width, one.height, one.body],
    )
    await pool.query(`insert into case_picture (case_id, revision, ordinal, sha256) values ('C', 1, $1, $2)`, [
      ordinal,
      one.sha256,
    ])
  }

  await upgrade()
  const banks = createBankStore({ pool, listener })
  await banks.upsertBank(bank('of-nike', { kind: 'genuine', brandId: 'nike' }), 'ann', 'all')
  await banks.addImages('of-nike', [{ picture: official, source: { kind: 'api' } }], 'ann', 'all')
  const mirrored = picture('mirrored', { variants: [picture('mirrored').hash, official.hash] })
  await createPictureStore(pool).put([mirrored])
  await pool.query(`insert into case_picture (case_id, revision, ordinal, sha256) values ('C', 1, 2, $1)`, [
    mirrored.sha256,
  ])
  await settleJoins(pool, [joinOf({ caseId: 'C', listingId: 'L' })])
  expect((await banks.images('confirmed-nike', { limit: 9 })).map(({ sha256 }) => sha256)).toEqual([old.own.sha256])
  const formsOf = async ({ sha256 }: typeof official) =>
    (await pool.query('select forms, variants from picture where sha256 = $1', [sha256])).rows
  expect(await formsOf(old.own)).toEqual([{ forms: old.own.forms, variants: [] }])
  expect(await formsOf(official)).toEqual([{ forms: official.forms, variants: official.variants }])
})

test('listings that a picture had stopped before are found when it leaves its bank, or when it has left already', async () => {
  const { pool, upgrade } = await storeBefore('listings that a picture of a bank stopped')
  const [here, left] = [randomUUID(), randomUUID()]
  await pool.query(
    `insert into bank_image (image_id, bank_id, sha256, hash, quality, state, source, added_by, change)
     values ($1, 'b', 'a', 'h', 100, 'active', '{}', 'ann', 3), ($2, 'b', 'c', 'h', 100, 'removed', '{}', 'ann', 7)`,
    [here, left],
  )
  /** The last decision of a listing, which names these; strangers may have put escaped U+0000 and quotes into it. */
  const stopped = async (listingId: string, outcome: string, stage: string, ...imageIds: string[]) => {
    const text = `\u0000 "imageId":"${randomUUID()}"`
    const body = { evidence: { text, matches: imageIds.map((imageId) => ({ bankId: 'b', imageId })) } }
    await pool.query(`insert into listing (listing_id, revision, sequence, outcome) values ($1, 4, 2, $2)`, [
      listingId,
      outcome,
    ])
    for (const sequence of [1, 2])
      await pool.query(
        `insert into decision (listing_id, revision, sequence, decision_id, stage, outcome, risk, decided_at, body)
         values ($1, 4, $2, gen_random_uuid(), $3, $4, 0.5, now(), $5)`,
        [listingId, sequence, sequence === 1 ? 'rescreen' : stage, outcome, JSON.stringify(sequence === 1 ? {} : body)],
      )
  }
  await stopped('held', 'hold', 'screening', here, here)
  await stopped('blocked', 'block', 'deadline', here, left)
  await stopped('judged', 'block', 'review', here)
  await stopped('sold', 'allow', 'screening', here)

  await upgrade()
  const { rows } = await pool.query(
    'select image_id, listing_id, revision from bank_match order by listing_id, image_id',
  )
  expect(rows).toEqual([
    ...[here, left].toSorted().map((image_id) => ({ image_id, listing_id: 'blocked', revision: 4 })),
    { image_id: here, listing_id: 'held', revision: 4 },
  ])
  expect((await pool.query('select image_id, change from bank_departure')).rows).toEqual([
    { image_id: left, change: '7' },
  ])
})

test('what an old verdict put into a bank knows the brands of its case from then on, and those who follow hear of it', async () => {
  const { pool, listener, upgrade } = await storeBefore('the brands of what verdicts put into banks')
  const entries = [
    ['of the case', 'V-1', '{"kind":"verdict","listingId":"L"}', 'active'],
    ['nobody kept', 'V-1', '{"kind":"verdict","listingId":"L"}', 'active'],
    ['it knows', 'V-1', '{"kind":"verdict","brandIds":["gap"]}', 'active'],
    ['by hand', null, '{"kind":"api"}', 'active'],
    ['gone', 'V-1', '{"kind":"verdict"}', 'removed'],
  ] as const
  await pool.query(`insert into bank values ('b', 1, $1, 1, now(), 'ann')`, [bank('b')])
  for (const [sha256, verdictId, source, state] of entries)
    await pool.query(
      `insert into bank_image (image_id, bank_id, sha256, hash, quality, state, source, verdict_id, added_by, change)
       values (gen_random_uuid(), 'b', $1, $1, 90, $4, $3, $2, 'ann', 1)`,
      [sha256, verdictId, source, state],
    )
  await pool.query(
    `insert into review_case (case_id, listing_id, revision, state, risk, brand_ids, opened_at)
     values ('C', 'L', 1, 'resolved', 0.5, array['nike', 'omega'], now())`,
  )
  await pool.query('update reference_head set change = 1')
  await pool.query(`insert into verdict (verdict_id, listing_id, revision, body) values ('V-1', 'L', 1, '{}')`)
  for (const [ordinal, sha256] of ['of the case', 'it knows', 'by hand', 'gone'].entries())
    await pool.query(
      `insert into case_picture (case_id, revision, ordinal, sha256, brand_ids) values ('C', 1, $1, $2, $3)`,
      [ordinal, sha256, ['nike', 'omega']],
    )
  const { change } = await createBankStore({ pool, listener }).census()

  await upgrade()
  const banks = createBankStore({ pool, listener })
  const brandsOf = Object.fromEntries(
    (await banks.images('b', { limit: 9 })).map(({ sha256, source }) => [sha256, source.brandIds]),
  )
  expect(brandsOf).toEqual({
    'of the case': ['nike', 'omega'],
    'nobody kept': undefined,
    'it knows': ['gap'],
    'by hand': undefined,
  })
  expect((await banks.changesSince(change, 9)).images).toMatchObject([{ source: { brandIds: ['nike', 'omega'] } }])
})

test('a case that a withdrawal of a later revision had taken along is about the last one that was decided, and nothing else moves', async () => {
  const { pool, upgrade } = await storeBefore('cases of withdrawn listings are about what was decided')
  const open = `insert into review_case (case_id, listing_id, revision, state, risk, brand_ids, opened_at)
    values ($1, $2, $3, $4, 0.9, '{}', now())`
  for (const [id, revision, state] of [
    ['gone', 7, 'withdrawn'],
    ['fine', 2, 'withdrawn'],
    ['never', 4, 'withdrawn'],
    ['open', 2, 'open'],
  ] as const)
    await pool.query(open, [id, id, revision, state])
  await pool.query(
    `insert into decision (listing_id, revision, sequence, decision_id, stage, outcome, risk, decided_at, body)
     select l.id, x.revision, x.revision, gen_random_uuid(), 'screening', 'hold', 0.5, now(), '{}'
     from unnest($1::text[]) l (id), unnest($2::int[]) x (revision)`,
    [
      ['gone', 'fine', 'open'],
      [1, 2, 8],
    ],
  )
  await upgrade()
  const { rows } = await pool.query<{ name: string }>(
    `select case_id || ' ' || revision as name from review_case order by case_id collate "C"`,
  )
  expect(rows.map(({ name }) => name)).toEqual(['fine 2', 'gone 2', 'never 4', 'open 2'])
})
