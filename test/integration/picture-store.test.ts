// Kept pictures and listings that wait to be tried again, on a real PostgreSQL; time passes by hand.
import { beforeEach, describe, expect, test } from 'vitest'
import { createPictureStore } from '../../src/adapters/postgres/picture-store.ts'
import { createRescreenStore } from '../../src/adapters/postgres/rescreen-store.ts'
import type { PictureStore } from '../../src/pipeline/pictures/ports.ts'
import type { RescreenStore } from '../../src/pipeline/rescreening/ports.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { commitAll, NOTHING, OUTPUTS } from '../contracts/store-samples.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

let node: PostgresNode
let pictures: PictureStore
let rescreens: RescreenStore
beforeEach(async () => {
  node = await freshNode()
  pictures = createPictureStore(node.database.reading)
  rescreens = createRescreenStore({ pool: node.database.deciding, outputs: OUTPUTS })
})

const query = async (sql: string, values: unknown[] = []) =>
  (await node.database.deciding.query<Record<string, unknown>>(sql, values)).rows
const kept = async () => (await query('select sha256 from picture order by sha256')).map((row) => row['sha256'])

describe('kept pictures', () => {
  /** A case that was closed so many days ago, or is open, with one picture of this name. */
  async function show(caseId: string, name: string, closedDays?: number) {
    await query(
      `insert into review_case (case_id, listing_id, revision, state, risk, brand_ids, opened_at, closed_at)
       values ($1, $1, 1, $2, 0.5, '{}', now(), now() - $3::int * interval '1 day')`,
      [caseId, closedDays === undefined ? 'open' : 'resolved', closedDays ?? null],
    )
    await query('insert into case_picture values ($1, 1, 0, $2)', [caseId, picture(name).sha256])
  }
  const age = (days: number) => query(`update picture set at = now() - $1::int * interval '1 day'`, [days])
  async function pruneAll(days: number) {
    while ((await pictures.prune(days)) > 0);
  }

  test('stay while their case is open, for the days after it closed, and as long as a bank holds them', async () => {
    const all = ['open', 'lately', 'long-ago', 'in-a-bank', 'shared', 'of-nobody']
    await pictures.put(all.map((name) => picture(name)))
    await show('C-1', 'open')
    await show('C-2', 'lately', 9)
    await show('C-3', 'long-ago', 11)
    await show('C-4', 'in-a-bank', 11)
    await show('C-5', 'shared', 11)
    await show('C-6', 'shared')
    const banks = node.banks
    await banks.upsertBank(bank('b'), 'test', 'all')
    await banks.addImages('b', [{ picture: picture('in-a-bank'), source: { kind: 'api' } }], 'test', 'all')
    await age(12)
    await pruneAll(10)
    const stay = ['open', 'lately', 'in-a-bank', 'shared'].map((name) => picture(name).sha256)
    expect(await kept()).toEqual(stay.toSorted())
    expect((await query('select case_id from case_picture order by 1')).map((row) => row['case_id'])).toEqual([
      'C-1',
      'C-2',
      'C-6',
    ])
    const [held] = await banks.images('b', { limit: 1 })
    await banks.removeImage('b', held?.imageId ?? '', 'test', 'all')
    await pruneAll(10)
    expect(await kept()).not.toContain(picture('in-a-bank').sha256)
  })

  test('that are gone leave word with their case how many they were, to those who could see them', async () => {
    await commitAll(node.store, [{ listingId: 'C-1', revision: 1 }])
    await pictures.put(['a', 'b', 'c'].map((name) => picture(name)))
    await show('C-1', 'a', 11)
    await query(`update review_case set brand_ids = '{nike,gap}'`)
    await query(`update case_picture set brand_ids = '{gap}'`)
    await query(`insert into case_picture values ('C-1', 1, 1, $1, '{nike}'), ('C-1', 2, 0, $2, '{nike,gap}')`, [
      picture('b').sha256,
      picture('c').sha256,
    ])
    const found = async (...brandIds: string[]) => {
      const reader = { subject: 's', brandIds: brandIds.length === 0 ? undefined : brandIds }
      const one = await node.cases.find('C-1', reader)
      return [one?.pictures.length, one?.noLongerKept]
    }
    expect(await found()).toEqual([3, []])
    await pruneAll(10)
    const gone = (first: number) => [
      { revision: 2, pictures: 1 },
      { revision: 1, pictures: first },
    ]
    expect(await found()).toEqual([0, gone(2)])
    expect(await found('nike')).toEqual([0, gone(1)])
    // Kept anew, as where its case was opened again: it is there.
    await query(`insert into case_picture values ('C-1', 2, 0, $1, '{nike,gap}')`, [picture('c').sha256])
    expect(await found('gap')).toEqual([1, [{ revision: 1, pictures: 1 }]])
  })

  test('that were put or found a moment ago are left alone, though nothing refers to them yet', async () => {
    await pictures.put([picture('fresh'), picture('found'), picture('old')])
    await age(3)
    await pictures.put([picture('fresh')])
    const known = await pictures.known([picture('found').sha256, picture('never').sha256])
    expect([...known]).toEqual([picture('found').sha256])
    await pruneAll(10)
    expect(await kept()).toEqual([picture('fresh').sha256, picture('found').sha256].toSorted())
  })

  test('stand in for bytes that are not stored: those of the case and the revision that stand, and only whole ones', async () => {
    await commitAll(node.store, [{ listingId: 'C-1', revision: 1 }])
    await query(`update listing set case_id = 'C-1' where listing_id = 'C-1'`)
    await pictures.put([picture('a'), picture('b'), picture('other')])
    const shown = (caseId: string, revision: number, ordinal: number, name: string, whole: boolean) => ({
      caseId,
      revision,
      ordinal,
      sha256: picture(name).sha256,
      brandIds: [],
      whole,
    })
    const from = await node.store.place('g', 'shown', 0, 0n)
    await node.store.commit({ group: 'g', topic: 'shown', partition: 0, from, next: from + 1n }, [], () => ({
      ...NOTHING,
      casePictures: [
        shown('C-1', 1, 0, 'a', true),
        shown('C-1', 1, 1, 'other', false),
        shown('C-1', 1, 3, 'b', true),
        shown('C-1', 2, 2, 'other', true),
        shown('C-2', 1, 4, 'other', true),
      ],
    }))
    const found = await pictures.standIns('C-1', 1)
    expect([...found].toSorted(([x], [y]) => x - y).map(([place, one]) => [place, one.sha256, [...one.body]])).toEqual([
      [0, picture('a').sha256, [...picture('a').body]],
      [3, picture('b').sha256, [...picture('b').body]],
    ])
    // Another revision stands by now.
    expect((await pictures.standIns('C-1', 2)).size).toBe(0)
  })

  test('by many at once, in whatever order, are no deadlock', async () => {
    const some = Array.from({ length: 20 }, (_, i) => picture(`p-${i}`))
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const mine = i % 2 === 0 ? some : some.toReversed()
        await pictures.put(mine)
        await pictures.known(mine.map((one) => one.sha256))
      }),
    )
    expect(await kept()).toHaveLength(20)
  })
})

describe('listings to be tried again', () => {
  const pauses = (...after: number[]) => ({ after, beforeDeadline: 900 })
  const waiting = () => query('select listing_id, revision, attempts from rescreen order by 1')
  const due = () => query('update rescreen set due_at = now()')
  async function degraded(listingId: string, revision: number, inline?: (string | null)[]) {
    const from = await node.store.place('g', 'degraded', 0, 0n)
    await node.store.commit(
      { group: 'g', topic: 'degraded', partition: 0, from, next: from + 1n },
      [{ listingId, revision }],
      () => ({ ...NOTHING, rescreens: [{ listingId, revision, seen: ['a', null], ...(inline && { inline }) }] }),
    )
  }

  test('are claimed when they are due and by one only, later and later', async () => {
    await commitAll(node.store, [{ listingId: 'A', revision: 1 }])
    await degraded('A', 1)
    expect(await rescreens.claim(10, pauses(100), 0n)).toEqual([])
    await due()
    const claims = await Promise.all([1, 2, 3].map(() => rescreens.claim(10, pauses(100, 1_000), 0n)))
    expect(claims.flat().map(({ listing, attempts }) => [listing.listingId, listing.revision, attempts])).toEqual([
      ['A', 1, 1],
    ])
    const pause = `select round(extract(epoch from due_at - now())) as seconds from rescreen`
    expect(Number((await query(pause))[0]?.['seconds'])).toBeGreaterThan(90)
    for (const attempts of [2, 3]) {
      await due()
      expect(await rescreens.claim(10, pauses(100, 1_000), 0n)).toMatchObject([{ attempts }])
      expect(Number((await query(pause))[0]?.['seconds'])).toBeGreaterThan(900)
    }
  })

  test('are tried a last time shortly before their hold ends', async () => {
    await commitAll(node.store, [{ listingId: 'A', revision: 1 }])
    await degraded('A', 1)
    const hold = (end: string) => query(`update listing set hold_until = now() + interval '${end}'`)
    const next = async () => {
      await due()
      await rescreens.claim(10, pauses(100, 7_200), 0n)
      const [row] = await query(`select round(extract(epoch from due_at - now())) as seconds from rescreen`)
      return Number(row?.['seconds'])
    }
    await hold('1 hour')
    expect(await next()).toBe(100)
    // Two hours would reach beyond the end of the hold: a quarter of an hour before it.
    expect(await next()).toBe(2_700)
    await hold('1 day')
    // The pauses are used up.
    expect(await next()).toBe(86_400 - 900)
    await hold('10 minutes')
    expect(await next()).toBe(7_200)
  })

  test('know which bytes were seen before, and learn of others', async () => {
    await commitAll(node.store, [{ listingId: 'A', revision: 1 }])
    await degraded('A', 1)
    await due()
    expect(await rescreens.claim(10, pauses(100), 0n)).toMatchObject([{ seen: ['a', null] }])
    const waits = (revision: number, seen: string[]) =>
      rescreens.settle(['A'], () => ({
        settlement: NOTHING,
        ended: [],
        waiting: [{ listingId: 'A', revision, seen }],
      }))
    await waits(1, ['a', 'b'])
    // Of another revision: that one has a row of its own by now.
    await waits(2, ['x', 'y'])
    await due()
    expect(await rescreens.claim(10, pauses(100), 0n)).toMatchObject([{ seen: ['a', 'b'] }])
    await degraded('A', 1)
    await due()
    expect(await rescreens.claim(10, pauses(100), 0n)).toMatchObject([{ seen: ['a', null] }])
  })

  test('have beside them what came inline, as much as is claimed at once, until they need not be tried any more', async () => {
    const ids = ['A', 'B', 'C', 'D', 'E', 'F']
    await commitAll(
      node.store,
      ids.map((listingId) => ({ listingId, revision: 1 })),
    )
    const large = 'A'.repeat(4 << 20)
    for (const id of ids) await degraded(id, 1, [null, `${id}${large}`])
    await due()
    const claims = [await rescreens.claim(10, pauses(100), 0n), await rescreens.claim(10, pauses(100), 0n)]
    expect(claims.map((some) => some.length)).toEqual([4, 2])
    for (const { listing, inline } of claims.flat()) expect(inline).toEqual([null, `${listing.listingId}${large}`])
    // An older process puts another revision into the row and knows nothing of them.
    await query(`update rescreen set revision = 2, due_at = now() where listing_id = 'A'`)
    await commitAll(node.store, [{ listingId: 'A', revision: 2 }])
    const [newer] = await rescreens.claim(10, pauses(100), 0n)
    expect([newer?.listing.revision, newer?.inline]).toEqual([2, undefined])
    const ended = ids.map((listingId) => ({ listingId, revision: 2, afterChange: 0n }))
    await rescreens.settle(ids, () => ({ settlement: NOTHING, ended, waiting: [] }))
    expect(await waiting()).toEqual([])
  })

  test('begin anew with a newer revision, which an older try does not end', async () => {
    await commitAll(node.store, [{ listingId: 'A', revision: 1 }])
    await degraded('A', 1)
    await due()
    await rescreens.claim(10, pauses(100), 0n)
    await commitAll(node.store, [{ listingId: 'A', revision: 2 }])
    await degraded('A', 2)
    expect(await waiting()).toEqual([{ listing_id: 'A', revision: 2, attempts: 0 }])
    let known: readonly [number, number[]] | undefined
    await rescreens.settle(['A'], (subjects) => {
      const subject = subjects.get('A')
      known = [subject?.standing.revision ?? 0, subject?.decisions.map((d) => d.revision) ?? []]
      return { settlement: NOTHING, waiting: [], ended: [{ listingId: 'A', revision: 1, afterChange: 0n }] }
    })
    expect(known).toEqual([2, [2]])
    expect(await waiting()).toHaveLength(1)
    await rescreens.settle(['A'], () => ({
      settlement: NOTHING,
      waiting: [],
      ended: [{ listingId: 'A', revision: 2, afterChange: 0n }],
    }))
    expect(await waiting()).toEqual([])
  })
})
