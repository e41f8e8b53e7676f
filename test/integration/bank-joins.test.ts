// What a verdict does to the banks, on a real PostgreSQL: its statements run in a transaction as the settlement's do.
import { beforeEach, describe, expect, test } from 'vitest'
import type { BankJoin } from '../../src/pipeline/verdicts/ports.ts'
import { confirmedBank } from '../../src/domain/bank.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { joinOf, settleJoins, showInCase, toldOfJoins } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

describe('pictures of confirmed cases', () => {
  let node: PostgresNode
  let banks: BankStore
  beforeEach(async () => {
    node = await freshNode()
    banks = node.banks
  })

  const join = (verdictId: string, more: Partial<BankJoin> = {}) => joinOf({ verdictId, revision: 2, ...more })
  const commit = (joins: readonly BankJoin[], leaves: readonly string[] = []) =>
    settleJoins(node.database.deciding, joins, leaves)
  const head = () => node.reference.change()

  const show = (caseId: string, revision: number, pictures: ReturnType<typeof picture>[]) =>
    showInCase(node.database.deciding, caseId, pictures, revision)

  test('a case without pictures makes no bank and moves no number; neither does a blank one or a later revision', async () => {
    await show('C-1', 3, [picture('later')])
    await show('C-2', 2, [picture('plain', { blank: true })])
    await commit([join('V-1'), join('V-2', { caseId: 'C-2' })], ['V-0'])
    expect(await banks.banks('all')).toEqual([])
    expect(await head()).toBe(0n)
  })

  test('what became of each picture of a case is told by the transaction in which they joined', async () => {
    const told = (joins: readonly BankJoin[]) => toldOfJoins(node.database.deciding, joins)
    await banks.upsertBank(bank('official', { kind: 'genuine', brandId: 'nike' }), 'ann', 'all')
    await banks.addImages('official', [{ picture: picture('official'), source: { kind: 'api' } }], 'ann', 'all')
    await show('C-1', 2, [picture('official'), picture('own'), picture('plain', { blank: true }), picture('own')])
    await show('C-1', 3, [picture('of another revision')])
    await show('C-2', 1, [picture('x'), picture('y')])
    const listing = (listingId: string, revision: number, images: unknown) =>
      node.database.deciding.query("insert into revision values ($1, $2, '', now(), $3)", [
        listingId,
        revision,
        JSON.stringify({ title: 'T', ...(images === undefined ? {} : { images }) }),
      ])
    await listing(
      'L-1',
      2,
      Array.from({ length: 7 }, () => ({ url: 'https://seller.example/a.jpg' })),
    )
    await listing('L-2', 1, undefined)
    // Of one that is gone another was kept since.
    await node.database.deciding.query("insert into case_picture_gone values ('C-1', 2, 3, '{}'), ('C-1', 2, 5, '{}')")
    const joins = [join('V-1'), join('V-2', { caseId: 'C-2', listingId: 'L-2', revision: 1, brandId: null })]
    const none = {
      limited: 0,
      earlier: 0,
      goneEarlier: 0,
      official: 0,
      elsewhere: 0,
      notLookedUp: 0,
      unnamed: 0,
      blank: 0,
      repeated: 0,
      gone: 0,
      leftOutWhich: [],
    }
    expect(await told(joins)).toEqual([
      {
        bankId: 'confirmed-nike',
        joined: 1,
        which: [{ revision: 2, ordinal: 1, sha256: picture('own').sha256 }],
        limited: 0,
        earlier: 0,
        goneEarlier: 0,
        official: 1,
        elsewhere: 0,
        notLookedUp: 0,
        unnamed: 0,
        blank: 1,
        repeated: 1,
        gone: 1,
        kept: 4,
        listed: 7,
        leftOutWhich: [{ revision: 2, ordinal: 0, sha256: picture('official').sha256, why: 'official' }],
      },
      {
        bankId: 'confirmed',
        joined: 2,
        which: ['x', 'y'].map((of, ordinal) => ({ revision: 1, ordinal, sha256: picture(of).sha256 })),
        ...none,
        kept: 2,
        listed: 0,
      },
    ])
    expect((await banks.images('confirmed-nike', { limit: 9 })).map((i) => i.sha256)).toEqual([picture('own').sha256])
    expect(await told([join('V-3', { caseId: 'C-none' })])).toEqual([
      { bankId: 'confirmed-nike', joined: 0, which: [], ...none, kept: 0, listed: 7 },
    ])
  })

  test('a photograph of the maker does not join: it says nothing about the goods', async () => {
    await banks.upsertBank(bank('official', { kind: 'genuine', brandId: 'nike' }), 'ann', 'all')
    await banks.addImages('official', [{ picture: picture('official'), source: { kind: 'api' } }], 'ann', 'all')
    await show('C-1', 2, [picture('official'), picture('own')])
    await commit([join('V-1')])
    expect((await banks.images('confirmed-nike', { limit: 9 })).map((i) => i.sha256)).toEqual([picture('own').sha256])
  })

  test('neither does one that is like it, as far as its bank calls them the same; nor one like an allowed picture', async () => {
    const official = (bankId: string, more: Parameters<typeof bank>[1], name: string) =>
      banks
        .upsertBank(bank(bankId, more), 'ann', 'all')
        .then(() => banks.addImages(bankId, [{ picture: picture(name), source: { kind: 'api' } }], 'ann', 'all'))
    await official('of-nike', { kind: 'genuine', brandId: 'nike', maxDistance: 20 }, 'nike')
    await official('of-gap', { kind: 'genuine', brandId: 'gap' }, 'gap')
    await official('of-us', { kind: 'genuine' }, 'ours')
    await official('charts', { kind: 'allowed', brandId: 'gap' }, 'chart')
    await official('logos', { kind: 'logo', brandId: 'nike' }, 'logo')
    const like = (of: string, bits: number) =>
      picture(`${of} again, ${bits}`, { hash: hash(`hash of ${of}`, bits).toString('hex') })
    const shown = [
      like('nike', 20),
      like('nike', 21),
      like('gap', 3),
      like('ours', 31),
      like('chart', 31),
      like('chart', 32),
      like('logo', 1),
      // Halved by the shop, or brightened and halved.
      picture('half', { hash: hash('half of ours', 31).toString('hex') }),
      picture('bright', { hash: hash('brightened half of chart', 31).toString('hex') }),
      picture('far', { hash: hash('half of ours', 32).toString('hex') }),
    ]
    await show('C-1', 2, shown)
    await commit([join('V-1')])
    const joined = async (bankId: string) =>
      new Set((await banks.images(bankId, { limit: 20 })).map((i) => shown.findIndex((p) => p.sha256 === i.sha256)))
    expect(await joined('confirmed-nike')).toEqual(new Set([1, 2, 5, 6, 9]))
    // Another brand’s photograph spares what lies in a case about that brand too, and nothing else, whoever confirms it.
    await commit([join('V-2', { brandId: null })])
    expect(await joined('confirmed')).toEqual(new Set([1, 2, 5, 6, 9]))
    await commit([join('V-4', { brandId: 'adidas', brandIds: ['nike', 'gap', 'adidas'] })])
    expect(await joined('confirmed-adidas')).toEqual(new Set([1, 5, 6, 9]))
    // A quarantined or removed one spares nothing.
    const [removed] = await banks.images('charts', { limit: 1 })
    await banks.removeImage('charts', removed?.imageId ?? '', 'ann', 'all')
    await commit([join('V-3')])
    expect(await joined('confirmed-nike')).toEqual(new Set([1, 2, 4, 5, 6, 8, 9]))
  })

  test('pictures join with their provenance, once, and those who follow hear of one change', async () => {
    const told = Promise.withResolvers<void>()
    const stop = await banks.onChange(told.resolve)
    await show('C-1', 2, [picture('a'), picture('b'), picture('a')])
    await commit([join('V-1')])
    await told.promise
    await stop()
    await commit([join('V-1')])
    expect(await head()).toBe(1n)
    expect(await banks.banks('all')).toEqual([
      { ...confirmedBank('nike'), images: 2, quarantined: 0, alerted: 0, limited: 0 },
    ])
    const { images } = await banks.changesSince(0n, 10)
    expect(images.map((i) => 'source' in i && [i.source, i.addedBy])).toEqual(
      Array.from({ length: 2 }, () => [
        { kind: 'verdict', verdictId: 'V-1', caseId: 'C-1', listingId: 'L-1', brandIds: ['nike'], revision: 2 },
        'ann',
      ]),
    )
    expect(new Set(images.map((i) => 'forms' in i && i.forms.join()))).toEqual(
      new Set([picture('a'), picture('b')].map(({ forms }) => forms.join())),
    )
    const seenBy = (brandId: string) => node.keptPictures.body(picture('a').sha256, { brandIds: [brandId] })
    expect(await seenBy('nike')).toEqual(picture('a').body)
    expect(await seenBy('gap')).toBeUndefined()
  })

  test('of a case only the pictures join that the verdict names, and of those not the official ones', async () => {
    await banks.upsertBank(bank('official', { kind: 'genuine', brandId: 'nike' }), 'ann', 'all')
    await banks.addImages('official', [{ picture: picture('a'), source: { kind: 'api' } }], 'ann', 'all')
    await show('C-1', 2, [picture('a'), picture('b'), picture('c')])
    await commit([join('V-1', { pictures: [picture('a').sha256, picture('c').sha256] }), join('V-2', { pictures: [] })])
    expect((await banks.images('confirmed-nike', { limit: 9 })).map((i) => [i.sha256, i.source.verdictId])).toEqual([
      [picture('c').sha256, 'V-1'],
    ])
  })

  test('an undone verdict takes its own pictures back, in whatever bank, and no others', async () => {
    await show('C-1', 2, [picture('a')])
    await commit([join('V-1'), join('V-2', { brandId: null }), join('V-3')])
    expect(await head()).toBe(1n)
    await commit([], ['V-1', 'V-2'])
    expect(await head()).toBe(2n)
    expect(await banks.images('confirmed', { limit: 9 })).toEqual([])
    expect((await banks.images('confirmed-nike', { limit: 9 })).map((i) => i.source.verdictId)).toEqual(['V-3'])
    const { images } = await banks.changesSince(1n, 10)
    expect(images).toEqual([
      { imageId: expect.any(String), removed: true },
      { imageId: expect.any(String), removed: true },
    ])
    await commit([], ['V-1'])
    expect(await head()).toBe(2n)
  })

  test('a verdict that is recorded and undone in one transaction leaves nothing that matches', async () => {
    await show('C-1', 2, [picture('a')])
    await commit([join('V-1')], ['V-1'])
    expect(await banks.banks('all')).toMatchObject([{ images: 0 }])
  })

  test('joins and additions by hand at once take numbers of their own, and nobody waits crosswise', async () => {
    await banks.upsertBank(bank('b'), 'ann', 'all')
    const pictures = Array.from({ length: 20 }, (_, i) => picture(`p${i}`))
    await show('C-1', 2, pictures)
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => [
        commit([join(`V-${i}`)]),
        banks.addImages('b', [{ picture: pictures[i] ?? picture('x'), source: { kind: 'api' } }], 'ann', 'all'),
      ]).flat(),
    )
    expect(await head()).toBe(21n)
    expect(await banks.banks('all')).toMatchObject([{ images: 10 }, { images: 200 }])
  })
})
