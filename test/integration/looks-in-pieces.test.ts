// What a look before verdicts knows when not all of it ends: pieces, turns, what is named. Real: PostgreSQL, the statements of the stores; invented: hashes, listings.
import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { lookAhead } from '../../src/adapters/postgres/look-ahead.ts'
import { shownAt, type PictureOfCase, type Word } from '../../src/adapters/postgres/of-case.ts'
import type { KeptFrame, KeptPicture } from '../../src/domain/kept-picture.ts'
import type { BankJoin, CaseHashes, LookForOfficials } from '../../src/pipeline/verdicts/ports.ts'
import { picture } from '../contracts/store-banks.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { joinOf, offer, openCase, showInCase, shownSet, toldOfJoins } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

/** In milliseconds: no test is about how long a look takes. */
const AMPLE = { first: 20_000, each: 20_000, all: 25_000 }
const hex = (of: string) => hash(of, 0).toString('hex')
const names = (of: string, n: number) => Array.from({ length: n }, (_, i) => `${of} ${i}`)
const frameOf = (name: string): KeptFrame => ({ hash: hex(name), quality: 90, forms: [], variants: [hex(name)] })
const moving = (name: string, others: number): KeptPicture =>
  picture(name, { frames: names(`frame of ${name}`, others).map(frameOf) })

describe('of a look before verdicts', () => {
  let node: PostgresNode
  beforeEach(async () => {
    node = await freshNode()
  })

  async function held(listingId: string, pictures: readonly KeptPicture[]) {
    await offer(node.database.deciding, { listingId, sellerId: 'bad', outcome: 'hold' })
    await openCase(node.database.deciding, `case of ${listingId}`, listingId)
    await showInCase(node.database.deciding, `case of ${listingId}`, pictures)
  }
  /** Of what was asked in which order, by how many of which listing; `fails`: which pieces cannot be compared. */
  async function looked(words: readonly Word[], fails: (one: CaseHashes) => boolean = () => false) {
    const asked: string[][] = []
    const officials: LookForOfficials = (pieces) => {
      asked.push(pieces.map(({ sha256, frame }) => `${sha256} ${frame}`))
      if (pieces.some(fails)) return Promise.reject(new Error('cannot compare this'))
      return Promise.resolve({
        change: BigInt(9 - asked.length),
        looked: pieces.map(({ sha256, frame = 0 }) => ({ sha256, frame })),
        near: [],
      })
    }
    const told: number[][] = []
    const notKnown = (...all: [number, number, unknown]) => told.push(all.slice(0, 2) as number[])
    const look = await lookAhead(node.database.reading, shownAt(words), officials, { times: AMPLE, notKnown })
    return { asked, told, look }
  }
  async function confirmed(
    listingId: string,
    look: Awaited<ReturnType<typeof looked>>['look'],
    more: Partial<BankJoin> = {},
  ) {
    const join = joinOf({ listingId, caseId: `case of ${listingId}`, ...more })
    return (await toldOfJoins(node.database.deciding, [join], look))?.[0]
  }
  const entries = async () => (await node.banks.images('confirmed-nike', { limit: 999 })).map((one) => one.hash)
  const word = (listingId: string): Word => ({ listingId, revision: 1, brandId: 'nike' })
  const is = (name: string) => (one: CaseHashes) => one.sha256 === picture(name).sha256

  test('a piece that is not known takes nothing from the others of its listing', async () => {
    const own = names('own', 30)
    await held(
      'L',
      own.map((name) => picture(name)),
    )
    const { look, told } = await looked([word('L')], is('own 20'))
    expect([look.lookedUp?.length, look.looked.length, told]).toEqual([18, 18, [[1, 1]]])
    expect(await confirmed('L', look)).toMatchObject({ joined: 18, notLookedUp: 12 })
    // As the first that was compared, not as the last.
    expect(look.change).toBe(6n)
  })

  test('listings take turns, those with few pictures first, by their order in each', async () => {
    const of = { many: 30, few: 2, some: 14 }
    for (const [name, n] of Object.entries(of))
      await held(
        name,
        names(name, n).map((one) => picture(one)),
      )
    const { asked, look } = await looked(Object.keys(of).map(word))
    const piece = (name: string, from: number, to: number) =>
      names(name, 99)
        .slice(from, to)
        .map((one) => `${picture(one).sha256} 0`)
        .toSorted()
    expect(asked.map((pictures) => pictures.toSorted())).toEqual([
      piece('few', 0, 2),
      piece('some', 0, 12),
      piece('many', 0, 12),
      piece('some', 12, 14),
      piece('many', 12, 24),
      piece('many', 24, 30),
    ])
    expect(look.lookedUp).toHaveLength(46)
  })

  test('of a batch with many listings, where it cannot be read what some show, the others are looked up', async () => {
    await held('L', [picture('own')])
    const words = [word('L'), ...names('none', 30).map(word)]
    const lots = shownAt(words)
    expect(lots.map((one) => one.listings)).toEqual([24, 7])
    const broken = { listings: 5, pictures: sql<PictureOfCase>`select 1 / (random() * 0)::int` }
    const told: number[][] = []
    const notKnown = (...all: [number, number, unknown]) => told.push(all.slice(0, 2) as number[])
    const look = await lookAhead(node.database.reading, [broken, ...lots], undefined, { times: AMPLE, notKnown })
    expect(look.lookedUp).toEqual([{ listingId: 'L', sha256: picture('own').sha256, frame: 0 }])
    expect(told).toEqual([[5, 36]])
  })

  test('what pictures show themselves comes before other frames, and of these each piece joins that is known', async () => {
    const film = moving('film', 30)
    await held('L', [film, picture('still')])
    const { asked, look, told } = await looked(
      [word('L')],
      ({ sha256, frame }) => sha256 === film.sha256 && frame === 20,
    )
    // What fails is tried twice.
    expect(asked.map((frames) => frames.length)).toEqual([2, 12, 12, 6, 12])
    expect([look.lookedUp?.length, told]).toEqual([20, [[1, 1]]])
    expect(await confirmed('L', look)).toMatchObject({ joined: 2, notLookedUp: 0 })
    const of = film.frames?.map((frame) => frame.hash) ?? []
    const joined = await entries()
    expect(of.map((one, i) => (joined.includes(one) ? i + 1 : 0)).filter(Boolean)).toEqual([
      ...Array.from({ length: 12 }, (_, i) => i + 1),
      ...Array.from({ length: 6 }, (_, i) => i + 25),
    ])
  })

  test('an animation of which only the picture is known, which others sell, is not known, and lets nothing in', async () => {
    const film = moving('film', 3)
    const shown = shownSet('honest', [Buffer.from(film.hash, 'hex')])
    await offer(node.database.deciding, { listingId: 'honest', sellerId: 'rival', shown, at: new Date('2020-01-01') })
    await held('L', [film])
    const { look } = await looked([word('L')], ({ frame }) => frame !== 0)
    expect(look.elsewhere).toEqual([{ listingId: 'L', sha256: film.sha256, frame: 0 }])
    expect(await confirmed('L', look)).toMatchObject({ joined: 0, elsewhere: 0, notLookedUp: 1 })
    // Named all of its frames join, looked up or not.
    expect(await confirmed('L', look, { verdictId: 'V-n', pictures: [film.sha256] })).toMatchObject({ joined: 1 })
    expect(await entries()).toHaveLength(4)
  })

  test('a verdict that names pictures has those looked up alone, of whatever revision', async () => {
    await held(
      'L',
      names('own', 3).map((name) => picture(name)),
    )
    await showInCase(
      node.database.deciding,
      'case of L',
      names('later', 3).map((name) => picture(name)),
      2,
    )
    await openCase(node.database.deciding, 'case of L', 'L', 2)
    const pictures = ['own 1', 'later 2'].map((name) => picture(name).sha256)
    const { asked } = await looked([{ ...word('L'), revision: 2, pictures }])
    expect(asked.map((one) => one.toSorted())).toEqual([pictures.map((sha256) => `${sha256} 0`).toSorted()])
    expect((await looked([{ ...word('L'), pictures: [] }])).asked).toEqual([])
  })
})
