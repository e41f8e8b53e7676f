// Which pictures of a case that was carried over edits join a bank. Real: PostgreSQL, the statements of the stores; invented: hashes and listings.
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { lookAhead } from '../../src/adapters/postgres/look-ahead.ts'
import { shownAt, shownInCase, type SpokenOf } from '../../src/adapters/postgres/of-case.ts'
import type { Outcome } from '../../src/domain/policy.ts'
import type { JoinedPictures, BankJoin } from '../../src/pipeline/verdicts/ports.ts'
import { picture } from '../contracts/store-banks.ts'
import { joinOf, offer, openCase, settleJoins, showInCase, shownSet, toldOfJoins } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

/** In milliseconds: no test is about how long a look takes. */
const AMPLE = { first: 60_000, each: 60_000, all: 120_000 }

describe('of a case that was carried over edits', () => {
  let node: PostgresNode
  beforeEach(async () => {
    node = await freshNode()
  })
  const query = (text: string, values: unknown[] = []) => node.database.deciding.query(text, values)

  /** The next revision of the listing of the case, with these pictures. */
  async function revised(revision: number, names: string[], outcome: Outcome = 'hold', brandIds = ['nike']) {
    await offer(node.database.deciding, { listingId: 'L', sellerId: 'bad', revision, outcome })
    await openCase(node.database.deciding, 'C', 'L', revision)
    await showInCase(
      node.database.deciding,
      'C',
      names.map((name) => picture(name)),
      revision,
    )
    await query(`update case_picture set brand_ids = $1 where revision = $2`, [brandIds, revision])
  }
  /** What is told of the pictures of the case at that revision, by the names of the pictures. */
  async function confirmed(
    revision: number,
    more: Partial<BankJoin> = {},
    names = ['F', 'G', 'H', 'Y'],
    spoken: (joins: readonly BankJoin[]) => SpokenOf[] = shownAt,
  ) {
    const join = joinOf({ verdictId: `V-${revision}`, caseId: 'C', listingId: 'L', revision, ...more })
    const look = await lookAhead(node.database.reading, spoken([join]), undefined, { times: AMPLE })
    const [told] = (await toldOfJoins(node.database.deciding, [join], look)) as [JoinedPictures]
    const { which, earlier, unnamed, elsewhere, goneEarlier, joined, limited, notLookedUp } = told
    expect(which).toHaveLength(joined)
    const nameOf = new Map(names.map((name) => [picture(name).sha256, name]))
    const of = which.map((one) => `${nameOf.get(one.sha256)}${one.revision}`)
    return { of, earlier, unnamed, elsewhere, goneEarlier, limited, notLookedUp }
  }
  const NONE = { earlier: 0, unnamed: 0, elsewhere: 0, goneEarlier: 0, limited: 0, notLookedUp: 0 }
  /** Whose word each of them joined as, by the revision that showed it. */
  async function wordsOf(verdictId: string, bankId = 'confirmed-nike') {
    const entries = await node.banks.images(bankId, { limit: 99 })
    const own = entries.filter(({ source }) => source.verdictId === verdictId)
    return Object.fromEntries(own.map(({ source }) => [source.revision, source.by ?? 'who looked']))
  }
  const openedWith = (revision: number) => query(`update review_case set opened_revision = $1`, [revision])
  const said = (revision: number, verdict: string, more: object = {}) =>
    query(`insert into verdict (verdict_id, listing_id, revision, body) values ($1, 'L', $2, $3)`, [
      `said of ${revision}`,
      revision,
      JSON.stringify({ verdict, ...more }),
    ])

  test('what it showed before joins too, with its revision, once; and leaves with the verdict', async () => {
    await revised(1, ['F', 'G'], 'block')
    await revised(2, ['G', 'F', 'G'])
    await revised(3, ['H'])
    await showInCase(node.database.deciding, 'C', [picture('plain', { blank: true })], 0)
    await openedWith(1)
    expect(await confirmed(3)).toEqual({ ...NONE, of: ['H3', 'G2', 'F2'] })
    const entries = await node.banks.images('confirmed-nike', { limit: 9 })
    expect(entries.map(({ source }) => `${source.verdictId} ${source.revision}`).toSorted()).toEqual([
      'V-3 2',
      'V-3 2',
      'V-3 3',
    ])
    await settleJoins(node.database.deciding, [], ['V-3'])
    expect(await node.banks.images('confirmed-nike', { limit: 9 })).toEqual([])
  })

  test('an edit to a picture that others sell keeps the fake in, and theirs out', async () => {
    await revised(1, ['F'], 'block')
    const shown = shownSet('honest', [Buffer.from(picture('Y').hash, 'hex')])
    await offer(node.database.deciding, { listingId: 'honest', sellerId: 'rival', shown, at: new Date('2026-01-01') })
    await revised(2, ['Y'], 'block')
    expect(await confirmed(2)).toEqual({ ...NONE, of: ['F1'], elsewhere: 1 })
  })

  test('an edit without pictures keeps it in as well', async () => {
    await revised(1, ['F'], 'block')
    await revised(2, [], 'block')
    expect(await confirmed(2)).toEqual({ ...NONE, of: ['F1'] })
  })

  test('what was on sale in between, or before, stays out and is counted; named it joins', async () => {
    await revised(1, ['F'])
    await revised(2, ['G'], 'allow')
    await revised(3, ['H'])
    await revised(4, ['Y'])
    expect(await confirmed(4)).toEqual({ ...NONE, of: ['Y4', 'H3'], earlier: 2, limited: 1 })
    const named = await confirmed(4, { verdictId: 'V-n', pictures: [picture('F').sha256, picture('Y').sha256] })
    expect(named).toEqual({ ...NONE, of: ['Y4', 'F1'], unnamed: 2 })
    expect(await confirmed(4, { verdictId: 'V-0', pictures: [] })).toEqual({ ...NONE, of: [], unnamed: 4 })
  })

  test.each([
    ['rejected', {}, []],
    ['confirmed', {}, []],
    ['confirmed', { brandId: 'nike' }, []],
    ['rejected', { brandId: 'gap' }, ['F1']],
    ['cannot-tell', {}, ['F1']],
  ])('of a revision of which somebody said %s %j, his word decides', async (verdict, more, of) => {
    await revised(1, ['F'])
    await said(1, verdict, more)
    await revised(2, ['H'])
    expect(await confirmed(2)).toEqual({ ...NONE, of: ['H2', ...of], earlier: 1 - of.length })
  })

  test('of a revision that named other brands nothing joins for this one, and a rights holder is not told of it', async () => {
    await revised(1, ['F'], 'hold', ['gap'])
    await revised(2, ['G'], 'hold', [])
    await revised(3, ['H'], 'hold', ['gap', 'nike'])
    expect(await confirmed(3)).toEqual({ ...NONE, of: ['H3', 'G2'], earlier: 1, limited: 1 })
    expect(await confirmed(3, { verdictId: 'V-b', byBrand: true })).toEqual({ ...NONE, of: ['H3'] })
    expect(await confirmed(3, { verdictId: 'V-all', brandId: null })).toEqual({
      ...NONE,
      of: ['H3', 'G2', 'F1'],
      limited: 1,
    })
  })

  test('what another brand calls genuine joins as a rights holder’s word alone, until that is taken back', async () => {
    await revised(1, ['F'], 'hold', ['nike', 'gap'])
    await revised(2, ['H'], 'hold', ['nike', 'gap'])
    await said(2, 'rejected', { brandId: 'gap' })
    const wordsAs = async (verdictId: string, byBrand: boolean) => {
      await confirmed(2, { verdictId, byBrand })
      return wordsOf(verdictId)
    }
    expect(await wordsAs('V-b', true)).toEqual({ 1: 'who looked', 2: 'brand' })
    expect(await wordsAs('V-a', false)).toEqual({ 1: 'who looked', 2: 'who looked' })
    await query(`insert into verdict (verdict_id, listing_id, revision, body) values ('undo', 'L', 2, $1)`, [
      JSON.stringify({ verdict: 'cannot-tell', brandId: 'gap', supersedes: 'said of 2' }),
    ])
    expect(await wordsAs('V-c', true)).toEqual({ 1: 'who looked', 2: 'who looked' })
  })

  test.each([false, true])(
    'what only a revision in between showed joins as nobody’s word, until it is named; by a brand: %s',
    async (byBrand) => {
      await revised(1, ['F'])
      await revised(2, ['F', 'G'])
      await revised(3, ['H', 'Y'])
      await revised(4, ['Y'])
      // What it was opened with stays that, however long it was shown, and so does what it shows now.
      expect(await confirmed(4, { byBrand })).toEqual({ ...NONE, of: ['Y4', 'H3', 'F2', 'G2'], limited: 2 })
      expect(await wordsOf('V-4')).toMatchObject({ 4: 'who looked', 3: 'nobody' })
      const entries = await node.banks.images('confirmed-nike', { limit: 9 })
      const wordOn = (name: string) => entries.find(({ sha256 }) => sha256 === picture(name).sha256)?.source.by
      expect([wordOn('F'), wordOn('G'), wordOn('H'), wordOn('Y')]).toEqual([undefined, 'nobody', 'nobody', undefined])
      expect(await node.banks.banks('all')).toMatchObject([{ images: 4, limited: 2 }])
      expect(await node.banks.images('confirmed-nike', { limit: 9, state: 'limited' })).toHaveLength(2)

      const named = { verdictId: 'V-n', byBrand, pictures: [picture('G').sha256] }
      expect(await confirmed(4, named)).toMatchObject({ of: ['G2'], limited: 0 })
      expect(await wordsOf('V-n')).toEqual({ 2: 'who looked' })
      const [waits] = await node.banks.images('confirmed-nike', { limit: 1, state: 'limited' })
      expect(await node.banks.vouch('confirmed-nike', waits?.imageId ?? '', 'ann')).toBe(true)
      expect(await node.banks.banks('all')).toMatchObject([{ images: 5, limited: 1 }])
    },
  )

  test('where what it was opened with had no pictures, or was on sale, no edit takes its place', async () => {
    await revised(2, ['F'])
    await revised(3, ['H'])
    // A version from before has not said what it was opened with: what it has of it.
    expect(await confirmed(3, { verdictId: 'V-old' })).toMatchObject({ limited: 0 })
    await openedWith(1)
    expect(await confirmed(3)).toMatchObject({ of: ['H3', 'F2'], limited: 1 })
    expect(await wordsOf('V-3')).toEqual({ 3: 'who looked', 2: 'nobody' })
    await openedWith(2)
    expect(await confirmed(3, { verdictId: 'V-2' })).toMatchObject({ limited: 0 })
    // Said of a revision before that: nothing of a later one joins.
    await openedWith(3)
    expect(await confirmed(2, { verdictId: 'V-early' })).toEqual({ ...NONE, of: ['F2'] })
  })

  test('of a case that is edited without end what it was opened with is read all the same', async () => {
    await revised(1, ['F'])
    await revised(2, ['G'])
    await query(
      `insert into case_picture (case_id, revision, ordinal, sha256, brand_ids)
       select 'C', 2, n, $1, '{nike}' from generate_series(1, 1100) n`,
      [picture('G').sha256],
    )
    await revised(3, ['H'])
    expect(await confirmed(3)).toEqual({ ...NONE, of: ['H3', 'G2', 'F1'], limited: 1 })
    expect(await wordsOf('V-3')).toEqual({ 3: 'who looked', 2: 'nobody', 1: 'who looked' })
    expect((await confirmed(3, { verdictId: 'V-n', pictures: [picture('F').sha256] })).of).toEqual(['F1'])
  })

  test('all that it was opened with joins, however many those are and whatever its seller puts in their place', async () => {
    const names = Array.from({ length: 80 }, (_, i) => `e${i}`)
    await revised(1, names.slice(0, 40))
    await openedWith(1)
    await revised(2, ['G', ...names.slice(40)])
    await revised(3, ['H'])
    const { of, earlier, limited } = await confirmed(3)
    expect([of.length, earlier, limited]).toEqual([1 + 24 + 40, 17, 24])
    expect(of.filter((one) => one.endsWith('1'))).toHaveLength(40)
    expect(of).toEqual(expect.arrayContaining(['H3', 'G2']))
  })

  /** The two ways in which what a case shows is looked up before a verdict. */
  const looks = {
    'from the log': shownAt,
    'of a person': ([join]: readonly BankJoin[]) => shownInCase(sql<boolean>`c.case_id = 'C'`, join),
    'of a rights holder': () => shownInCase(sql<boolean>`c.case_id = 'C'`, { brandIds: ['nike', 'adidas'] }),
  }
  const hundred = (name: string) => Array.from({ length: 100 }, (_, i) => `${name}${i}`)

  test.each(['from the log', 'of a person', 'of a rights holder'] as const)(
    'what the gate stopped is looked up, whatever was on sale before and its seller shows since: a verdict %s',
    async (way) => {
      await revised(1, hundred('a'), 'allow')
      for (const revision of [2, 3, 4]) await revised(revision, hundred(`r${revision} `))
      await openedWith(2)
      const { of, limited, notLookedUp } = await confirmed(4, {}, [], looks[way])
      const joinedOf = (revision: number) => of.filter((one) => one.endsWith(`undefined${revision}`)).length
      expect([1, 2, 3, 4].map(joinedOf)).toEqual([0, 100, 24, 100])
      expect([limited, notLookedUp]).toEqual([24, 0])
    },
  )

  test.each(['from the log', 'of a person', 'of a rights holder'] as const)(
    'no pictures of other brands take the place of those that may join: a verdict %s',
    async (way) => {
      await revised(1, hundred('o'))
      await revised(2, ['G'])
      for (const revision of [3, 4]) await revised(revision, hundred(`r${revision} `), 'hold', ['gap'])
      await revised(5, ['H'])
      await openedWith(1)
      const { of, ...told } = await confirmed(5, {}, undefined, looks[way])
      expect([of.length, of.slice(0, 2)]).toEqual([102, ['H5', 'G2']])
      expect(told).toEqual({ ...NONE, earlier: 200, limited: 1 })
    },
  )

  test.each(['from the log', 'of a person', 'of a rights holder'] as const)(
    'of a case of several brands those of the one that is spoken for are looked up: a verdict %s',
    async (way) => {
      await revised(1, ['F'])
      await revised(2, ['G'])
      // Newer, and more than one word joins of what nobody has seen.
      await revised(3, hundred('o'), 'hold', ['gap'])
      await query(`update review_case set brand_ids = '{gap,nike}', opened_revision = 1`)
      await revised(4, ['H'])
      const { of, notLookedUp, limited } = await confirmed(4, {}, undefined, looks[way])
      expect([of, notLookedUp, limited]).toEqual([['H4', 'G2', 'F1'], 0, 1])
    },
  )

  test.each(['from the log', 'of a rights holder'] as const)(
    'nor do those of which no brand is known, of which a rights holder has nothing: its word %s',
    async (way) => {
      await revised(1, ['F'])
      await revised(2, ['G'])
      await revised(3, hundred('o'), 'hold', [])
      await revised(4, ['H'])
      const { of, notLookedUp } = await confirmed(4, { byBrand: true }, undefined, looks[way])
      expect([of, notLookedUp]).toEqual([['H4', 'G2', 'F1'], 0])
    },
  )

  test('of an endless number of edits what it began with joins and the last, and of none that is not kept any more anything', async () => {
    await revised(1, ['F'])
    const names = Array.from({ length: 120 }, (_, i) => `e${i}`)
    await revised(2, names.slice(0, 60))
    await revised(3, names.slice(60))
    await query(
      `insert into case_picture_gone values ('C', 1, 7, '{nike}'), ('C', 1, 8, '{gap}'), ('C', 1, 0, '{nike}')`,
    )
    const { of, earlier, goneEarlier } = await confirmed(3)
    // Its own sixty, what it began with, and 24 of the others.
    expect([of.length, earlier, goneEarlier]).toEqual([85, 36, 1])
    await revised(4, ['G', 'H'])
    await revised(5, ['Y'])
    const last = await confirmed(5, { verdictId: 'V-5' })
    expect([last.of.length, last.earlier]).toEqual([26, 98])
    expect(last.of).toEqual(expect.arrayContaining(['Y5', 'G4', 'H4', 'F1']))
    expect((await confirmed(3, { verdictId: 'V-n', pictures: [picture('F').sha256] })).of).toEqual(['F1'])
  })
})
