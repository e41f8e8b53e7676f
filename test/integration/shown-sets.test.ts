// How long it is remembered what listings show. Real: PostgreSQL, the statements of the stores; invented: hashes and decisions.
import { beforeEach, describe, expect, test } from 'vitest'
import { queries } from '../../src/adapters/postgres/connect.ts'
import { writeShown } from '../../src/adapters/postgres/shown-sets.ts'
import type { PictureStore } from '../../src/pipeline/pictures/ports.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { offer, shownSet } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

describe('what a listing was seen to show', () => {
  let node: PostgresNode
  let pictures: PictureStore
  beforeEach(async () => {
    node = await freshNode()
    pictures = node.pictures
  })
  const query = async (text: string, values: unknown[] = []) =>
    (await node.database.deciding.query<Record<string, unknown>>(text, values)).rows
  const pruneAll = async () => {
    while ((await pictures.prune(180)) > 0);
  }

  /** Tried, and decided where a revision is said. */
  async function shows(listingId: string, names: readonly string[], revision?: number): Promise<string> {
    const shown = shownSet(
      listingId,
      names.map((name) => hash(name)),
    )
    if (revision === undefined) await pictures.noteShown([shown])
    else await offer(node.database.deciding, { listingId, sellerId: 'S', shown, revision })
    return shown.digest
  }
  /** Time goes by for all that is remembered. */
  async function days(count: number) {
    for (const table of ['shown_set', 'shown_unproven'])
      await query(`update ${table} set at = at - $1 * interval '1 day'`, [count])
  }
  /** How many rows there are of each set. */
  const left = async () =>
    Object.fromEntries(
      (await query(`select encode(digest, 'hex') as digest, count(*)::int as n from shown_set group by 1`)).map(
        (row) => [row['digest'], row['n']],
      ),
    )

  test('is forgotten when it was not seen for as long as that may take to be written anew, and a season', async () => {
    const digest = await shows('L', ['a', 'b'], 1)
    await days(119)
    await pruneAll()
    expect(await left()).toEqual({ [digest]: 2 })
    await days(2)
    await pruneAll()
    expect(await left()).toEqual({})
  })

  test('of however many pictures all is noted, in several statements', async () => {
    const sets = ['A', 'B'].map((id) =>
      shownSet(
        id,
        [1, 2, 3].map((n) => hash(`${id} ${n}`)),
      ),
    )
    const statements = writeShown(sets, 4)
    expect(statements).toHaveLength(3)
    for (const one of statements) await one.execute(queries(node.database.deciding))
    expect(await left()).toEqual(Object.fromEntries(sets.map(({ digest }) => [digest, 3])))
  })

  test('seen again on the last day on which nothing is written, it stays for a season from then', async () => {
    const digest = await shows('L', ['a'], 1)
    await days(29)
    await shows('L', ['a'], 2)
    await days(90)
    await pruneAll()
    expect(await left()).toEqual({ [digest]: 1 })
  })

  test('is written anew a month later, and not before', async () => {
    const ages = async () => query(`select distinct extract(day from now() - at)::int as days from shown_set`)
    await shows('L', ['a', 'b'], 1)
    await days(29)
    await shows('L', ['b', 'a'], 2)
    expect(await ages()).toEqual([{ days: 29 }])
    await days(2)
    await shows('L', ['b', 'a'], 3)
    expect(await ages()).toEqual([{ days: 0 }])
  })

  test('stays for as long as a newer set of the same listing shows it, and no longer: it says since when', async () => {
    const first = await shows('L', ['kept', 'dropped'], 1)
    const others = await shows('other', ['dropped', 'else'], 1)
    await days(100)
    const second = await shows('L', ['kept', 'added'], 2)
    const newer = await shows('other', ['dropped'], 2)
    await days(30)
    await pruneAll()
    expect(await left()).toEqual({ [first]: 1, [second]: 2, [others]: 1, [newer]: 1 })
    await days(89)
    await pruneAll()
    expect(await left()).toEqual({ [first]: 1, [second]: 2, [others]: 1, [newer]: 1 })
    await days(3)
    await pruneAll()
    expect(await left()).toEqual({})
  })

  test('goes a day later where no decision names it: one listing sent with ever other pictures leaves nothing', async () => {
    const names = ['a', 'b', 'c', 'd']
    const decided = await shows('L', names, 1)
    for (const name of names)
      await shows(
        'L',
        names.filter((one) => one !== name),
      )
    // Named for another listing it is not named for this one.
    await shows('else', names)
    await days(0.9)
    await pruneAll()
    expect(Object.keys(await left())).toHaveLength(5)
    const again = await shows('L', ['a'])
    await days(0.2)
    await pruneAll()
    expect(await left()).toEqual({ [decided]: 4, [again]: 1 })
    expect(await query('select listing_id from shown_unproven')).toEqual([{ listing_id: 'L' }])
    await days(1)
    await pruneAll()
    expect(await left()).toEqual({ [decided]: 4 })
    expect(await query('select from shown_unproven')).toEqual([])
  })

  test('noted again it stays for another day: who decides it may be at it', async () => {
    const digest = await shows('L', ['a'])
    await days(0.9)
    await shows('L', ['a'])
    await days(0.9)
    await pruneAll()
    expect(await left()).toEqual({ [digest]: 1 })
  })

  test('what somebody writes just now is left to the next time: nobody waits for the other', async () => {
    await shows('L', ['a', 'b'], 1)
    await shows('M', ['c'])
    await days(121)
    const writer = await node.database.reading.connect()
    try {
      await writer.query('begin')
      await writer.query(`select from shown_set where hash = $1 for update`, [hash('a').toString('hex')])
      await writer.query(`select from shown_unproven where listing_id = 'M' for update`)
      await pruneAll()
      expect(await query('select hash from shown_set')).toEqual([{ hash: hash('a').toString('hex') }])
    } finally {
      await writer.query('rollback')
      writer.release()
    }
    await pruneAll()
    expect(await left()).toEqual({})
    expect(await query('select from shown_unproven')).toEqual([])
  })
})
