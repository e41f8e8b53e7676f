// Which pictures of a confirmed case join by themselves. Real: PostgreSQL, the statements of the stores; invented: hashes and listings.
import { beforeEach, describe, expect, test } from 'vitest'
import { lookAhead } from '../../src/adapters/postgres/look-ahead.ts'
import { shownAt } from '../../src/adapters/postgres/of-case.ts'
import type { KeptFrame, KeptPicture } from '../../src/domain/kept-picture.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import type { BankJoin } from '../../src/pipeline/verdicts/ports.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { joinOf, offer, openCase, settleJoins, showInCase, shownSet, toldOfJoins, type Offer } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

const hex = (of: string, bits = 0) => hash(of, bits).toString('hex')
const shot = (name: string, more: Partial<KeptPicture> = {}) =>
  picture(name, { hash: hex(name), variants: [], ...more })

describe('of the pictures of a confirmed case', () => {
  let node: PostgresNode
  let banks: BankStore
  beforeEach(async () => {
    node = await freshNode()
    banks = node.banks
  })
  const query = (text: string, values: unknown[] = []) => node.database.deciding.query(text, values)

  /** Instants of decisions, in order. */
  let clock = Date.parse('2026-01-01T00:00:00Z')

  const setOf = (listingId: string, hashes: string[]) =>
    shownSet(
      listingId,
      hashes.map((one) => Buffer.from(one, 'hex')),
    )
  /** A record with these pictures was tried, whoever sent it and whatever came of it. */
  const tried = (listingId: string, hashes: string[]) => node.pictures.noteShown([setOf(listingId, hashes)])
  /** A listing that was decided with these hashes, and stands as it is said. */
  const offered = (listingId: string, sellerId: string, hashes: string[], more: Partial<Offer> = {}) =>
    offer(node.database.deciding, {
      listingId,
      sellerId,
      shown: hashes.length === 0 ? undefined : setOf(listingId, hashes),
      at: new Date((clock += 1000)),
      ...more,
    })
  /** The case of a listing of the seller `bad`: opened, or carried over to the next revision of it. */
  async function held(pictures: readonly KeptPicture[], revision = 1) {
    const hashes = pictures.map((one) => one.hash)
    await offered('L', 'bad', hashes, { outcome: 'hold', revision })
    await openCase(node.database.deciding, 'C', 'L', revision, new Date(clock))
    await showInCase(node.database.deciding, 'C', pictures, revision)
  }
  /** What joined, by the hashes of its entries; and what the verdict is told. */
  async function said(verdictId = 'V', more: Partial<BankJoin> = {}) {
    const { rows } = await query(`select revision from listing where listing_id = 'L'`)
    const { revision } = rows[0] as { revision: number }
    const join = joinOf({ verdictId, caseId: 'C', listingId: 'L', revision, ...more })
    const look = await lookAhead(node.database.reading, shownAt([join]), undefined)
    const [told] = (await toldOfJoins(node.database.deciding, [join], look)) ?? []
    const all = await banks.images('confirmed-nike', { limit: 99 })
    return { told, entries: all.filter(({ source }) => source.verdictId === verdictId) }
  }
  const confirmed = async (verdictId = 'V', pictures: string[] | null = null) =>
    (await said(verdictId, { pictures })).entries.map((one) => one.hash).toSorted()
  const hashesOf = (...names: string[]) => names.map((name) => hex(name)).toSorted()

  test('those that another seller on sale showed before do not join by themselves, as they are or changed a little', async () => {
    await offered('honest', 'rival', [hex('theirs', 15)])
    await offered('own', 'bad', [hex('mine')])
    await offered('stopped', 'other', [hex('stopped')], { outcome: 'hold' })
    await offered('edited', 'other', [hex('edited')])
    await offered('edited', 'other', [], { revision: 2 })
    await offered('withdrawn', 'other', [hex('withdrawn')], { withdrawn: 1 })
    const shown = ['theirs', 'mine', 'stopped', 'edited', 'withdrawn', 'later', 'fake'].map((name) => shot(name))
    await held(shown)
    await offered('after', 'other', [hex('later')])
    const rest = ['mine', 'stopped', 'edited', 'withdrawn', 'later', 'fake']
    expect(await confirmed()).toEqual(hashesOf(...rest))
    // Named they join: somebody has looked at each.
    expect(
      await confirmed(
        'V-2',
        shown.slice(0, 2).map(({ sha256 }) => sha256),
      ),
    ).toEqual(hashesOf('theirs', 'mine'))
  })

  test('mirrored it is the same; and where the case shows nothing else all join', async () => {
    await offered('honest', 'rival', [hex('theirs'), hex('theirs too')])
    await held([shot('mirrored', { variants: [hex('mirrored'), hex('theirs', 3)] }), shot('theirs too')])
    expect(await confirmed()).toEqual(hashesOf('mirrored', 'theirs too'))
    await query(`insert into case_picture (case_id, revision, ordinal, sha256) values ('C', 1, 9, $1)`, [
      shot('fake').sha256,
    ])
    await node.pictures.put([shot('fake')])
    expect(await confirmed('V-2')).toEqual(hashesOf('fake'))
  })

  test('what others show is asked for by every form by which an entry would stop them, turned or not, and no farther', async () => {
    await offered('halved', 'rival', [hex('half', 31)])
    await offered('mirrored', 'rival', [hex('turned half', 12)])
    await offered('from before', 'rival', [hex('old half', 18)])
    // Of another picture, whose form is too plain to match anything.
    await offered('far', 'rival', [hex('far half', 32), '0'.repeat(64)])
    const withForm = (name: string, form: string, variants: string[]) =>
      shot(name, { forms: [form, '0'.repeat(64)], variants: [hex(name), ...variants] })
    await held([
      withForm('original', hex('half'), [hex('half')]),
      withForm('other', hex('other half'), [hex('other half'), hex('turned half')]),
      // As a version before kept it.
      withForm('old', hex('old half'), []),
      withForm('fake', hex('far half'), [hex('far half')]),
    ])
    expect(await confirmed()).toEqual(hashesOf('fake'))
  })

  test('every frame of an animation joins but those that are official or that others show', async () => {
    const frame = (name: string): KeptFrame => ({ hash: hex(name), quality: 90, forms: [], variants: [hex(name)] })
    await offered('honest', 'rival', [hex('victim')])
    await banks.upsertBank(bank('photos', { kind: 'genuine', brandId: 'nike' }), 'ann', 'all')
    await banks.addImages('photos', [{ picture: shot('photo'), source: { kind: 'api' } }], 'ann', 'all')
    await held([shot('victim', { frames: [frame('bad'), frame('photo'), frame('worse')] })])
    expect(await confirmed()).toEqual(hashesOf('bad', 'worse'))
    // Said again, and undone, as one.
    expect(await confirmed()).toEqual(hashesOf('bad', 'worse'))
    await settleJoins(node.database.deciding, [], ['V'])
    expect(await banks.images('confirmed-nike', { limit: 9 })).toEqual([])
  })

  test('nobody says what another’s listing shows: not that it shows something, nor that it no longer shows what it does', async () => {
    await offered('honest', 'rival', [hex('theirs')])
    await offered('fine', 'other', [hex('else')])
    // Refused, or a duplicate: no decision was made with them.
    await tried('honest', [hex('theirs'), hex('more')])
    await tried('honest', [hex('something')])
    await tried('fine', [hex('fake')])
    await tried('fine', [hex('else'), hex('fake')])
    await held([shot('theirs'), shot('fake')])
    expect(await confirmed()).toEqual(hashesOf('fake'))
  })

  test('an edit of another’s listing that still shows it, beside other pictures too, has shown it from the first', async () => {
    await offered('honest', 'rival', [hex('theirs')])
    await offered('gone', 'rival', [hex('no longer')])
    await held([shot('theirs'), shot('no longer'), shot('fake')])
    await offered('honest', 'rival', [hex('new'), hex('theirs')], { revision: 2 })
    await offered('gone', 'rival', [hex('other')], { revision: 2 })
    expect(await confirmed()).toEqual(hashesOf('no longer', 'fake'))
  })

  test('before is before the fake was decided, however late its case was opened', async () => {
    await offered('before', 'rival', [hex('theirs')])
    await held([shot('theirs'), shot('fake')])
    await offered('copied', 'friend', [hex('fake', 2)])
    await query(`update review_case set opened_at = $1`, [new Date((clock += 1000))])
    expect(await confirmed()).toEqual(hashesOf('fake'))
  })

  test('what an edit brought is as new as the edit, and what it kept or changed a little as old as it was', async () => {
    await held([shot('fake'), shot('fake too')])
    await offered('copied', 'friend', [hex('fake', 2), hex('fake too', 9)])
    await offered('honest', 'rival', [hex('theirs')])
    await held([shot('fake'), shot('fake too, again', { hash: hex('fake too', 5) }), shot('theirs')], 2)
    expect(await confirmed()).toEqual([hex('fake'), hex('fake too'), hex('fake too', 5)].toSorted())
    // Of what is not noted (forgotten, beyond so many, a later frame) the case still says since when it had the very picture.
    await query(`delete from shown_set where listing_id = 'L'`)
    expect(await confirmed('V-2')).toEqual(hashesOf('fake', 'fake too'))
  })

  test('what a rights holder confirms against others who show it on sale is its word alone, until somebody vouches', async () => {
    await offered('honest', 'rival', [hex('theirs'), hex('theirs too')])
    const shown = [shot('theirs'), shot('fake')]
    await held(shown)
    const wordsOf = ({ entries }: Awaited<ReturnType<typeof said>>) =>
      Object.fromEntries(entries.map(({ hash, source }) => [hash, source.by]))
    const pictures = shown.map(({ sha256 }) => sha256)
    const named = await said('V', { pictures, byBrand: true })
    expect(wordsOf(named)).toEqual({ [hex('theirs')]: 'brand', [hex('fake')]: undefined })
    expect(named.told).toMatchObject({ joined: 2, limited: 1, elsewhere: 0 })
    // Not named it stays out, and an analyst has looked at what others sell.
    const left = await said('V-2', { byBrand: true })
    expect(wordsOf(left)).toEqual({ [hex('fake')]: undefined })
    expect(left.told).toMatchObject({ joined: 1, limited: 0, elsewhere: 1 })
    const analyst = await said('V-3', { pictures })
    expect(wordsOf(analyst)).toEqual({ [hex('theirs')]: undefined, [hex('fake')]: undefined })
    expect(analyst.told).toMatchObject({ joined: 2, limited: 0 })

    const entry = named.entries.find(({ source }) => source.by === 'brand')
    const { change } = await banks.census()
    expect(await banks.vouch('confirmed-nike', String(entry?.imageId), 'ann')).toBe(true)
    const { by: _, ...given } = entry?.source ?? { kind: 'api' }
    const whole = { ...given, vouched: true }
    expect((await banks.changesSince(change, 9)).images).toMatchObject([{ imageId: entry?.imageId, source: whole }])
    expect((await banks.image('confirmed-nike', String(entry?.imageId), 'all'))?.source).toEqual(whole)
  })

  test('where a case shows nothing else a rights holder’s word joins it, as its word alone', async () => {
    await offered('honest', 'rival', [hex('theirs')])
    await held([shot('theirs')])
    const { entries, told } = await said('V', { byBrand: true })
    expect(entries.map(({ source }) => source.by)).toEqual(['brand'])
    expect(told).toMatchObject({ joined: 1, limited: 1, elsewhere: 0 })
  })
})
