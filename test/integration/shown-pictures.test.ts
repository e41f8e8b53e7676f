// Which pictures of a confirmed case join by themselves. Real: PostgreSQL, the statements of the stores; invented: hashes and listings.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bankEffects, bankJoins } from '../../src/adapters/postgres/bank-joins.ts'
import { createBankStore } from '../../src/adapters/postgres/bank-store.ts'
import { lookAhead, shownAt } from '../../src/adapters/postgres/official-pictures.ts'
import { writePictures } from '../../src/adapters/postgres/picture-rows.ts'
import { createPictureStore } from '../../src/adapters/postgres/picture-store.ts'
import { inTransaction } from '../../src/adapters/postgres/transaction.ts'
import type { KeptFrame, KeptPicture } from '../../src/domain/kept-picture.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import type { BankJoin } from '../../src/pipeline/verdicts/ports.ts'
import { shownBy } from '../../src/pipeline/pictures/shown.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { seenPicture } from '../unit/seen-picture.ts'
import { startPostgresStore } from './store-on-postgres.ts'
import type { PostgresNode, PostgresStore } from './store-on-postgres.ts'

const hex = (of: string, bits = 0) => hash(of, bits).toString('hex')
const shot = (name: string, more: Partial<KeptPicture> = {}) =>
  picture(name, { hash: hex(name), variants: [], ...more })

describe('of the pictures of a confirmed case', () => {
  let shared: PostgresStore
  let node: PostgresNode
  let banks: BankStore
  beforeEach(async () => {
    shared = await startPostgresStore()
    node = await shared.node()
    banks = createBankStore({ pool: node.database.reading, listener: node.database.listener })
  })
  afterEach(() => shared.close())
  const query = (text: string, values: unknown[] = []) => node.database.deciding.query(text, values)

  /** Instants of decisions, in order. */
  let clock = Date.parse('2026-01-01T00:00:00Z')

  /** A record with these pictures was tried, whoever sent it and whatever came of it. */
  async function tried(listingId: string, hashes: string[]): Promise<string> {
    const set = shownBy(
      listingId,
      hashes.map((one) => ({ ...seenPicture('a'), hash: { bytes: Buffer.from(one, 'hex'), quality: 100 } })),
    )
    if (set === undefined) return ''
    await createPictureStore(node.database.deciding).noteShown([set])
    return set.digest
  }
  /** A listing that was decided with these hashes, and stands as it is said. */
  async function offered(listingId: string, sellerId: string, hashes: string[], more: object = {}) {
    const { outcome, revision, withdrawn } = { outcome: 'allow', revision: 1, withdrawn: 0, ...more }
    await query(
      `insert into listing (listing_id, seller_id, revision, outcome, withdrawn_revision) values ($1, $2, $3, $4, $5)
       on conflict (listing_id) do update set revision = excluded.revision`,
      [listingId, sellerId, revision, outcome, withdrawn],
    )
    const digest = await tried(listingId, hashes)
    await query(
      `insert into decision (listing_id, revision, sequence, decision_id, stage, outcome, risk, decided_at, shown, body)
       values ($1, $2, $2, gen_random_uuid(), 'screening', $3, 0.5, $4, nullif(decode($5, 'hex'), ''), '{}')`,
      [listingId, revision, outcome, new Date((clock += 1000)), digest],
    )
  }
  /** The case of a listing of the seller `bad`: opened, or carried over to the next revision of it. */
  async function held(pictures: readonly KeptPicture[], revision = 1) {
    const hashes = pictures.map((one) => one.hash)
    await offered('L', 'bad', hashes, { outcome: 'hold', revision })
    await query(
      `insert into review_case (case_id, listing_id, revision, state, risk, brand_ids, opened_at)
       values ('C', 'L', $1, 'open', 0.9, '{nike}', $2) on conflict (case_id) do update set revision = $1`,
      [revision, new Date(clock)],
    )
    await inTransaction(node.database.deciding, () =>
      Promise.resolve({ done: undefined, last: writePictures(pictures) }),
    )
    for (const [ordinal, { sha256 }] of pictures.entries())
      await query(`insert into case_picture (case_id, revision, ordinal, sha256) values ('C', $3, $1, $2)`, [
        ordinal,
        sha256,
        revision,
      ])
  }
  /** What joined, by the hashes of its entries; and what the verdict is told. */
  async function said(verdictId = 'V', more: Partial<BankJoin> = {}) {
    const { rows } = await query(`select revision from listing where listing_id = 'L'`)
    const { revision } = rows[0] as { revision: number }
    const look = await lookAhead(node.database.reading, shownAt([{ listingId: 'L', revision }]), undefined)
    const about = { verdictId, caseId: 'C', listingId: 'L', revision, brandId: 'nike', brandIds: ['nike'] }
    const join = { ...about, pictures: null, by: 'ann', byBrand: false, ...more }
    const { statements, accounts } = bankEffects([join], [], look)
    const told = await inTransaction<unknown>(node.database.deciding, () =>
      Promise.resolve({
        done: undefined,
        last: statements,
        heard: (answers) => accounts && answers[statements.indexOf(accounts)]?.rows[0],
      }),
    )
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
    await inTransaction(node.database.deciding, () =>
      Promise.resolve({ done: undefined, last: writePictures([shot('fake')]) }),
    )
    expect(await confirmed('V-2')).toEqual(hashesOf('fake'))
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
    await inTransaction(node.database.deciding, () => Promise.resolve({ done: undefined, last: bankJoins([], ['V']) }))
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
    expect(await confirmed()).toEqual([hex('fake'), hex('fake too', 5)].toSorted())
    // Of what is not noted (forgotten, beyond so many, a later frame) the case still says since when it had the very picture.
    await query(`delete from shown_set where listing_id = 'L'`)
    expect(await confirmed('V-2')).toEqual(hashesOf('fake'))
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
    const { by: _, ...whole } = entry?.source ?? { kind: 'api' }
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
