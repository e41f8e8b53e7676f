// Which pictures of a confirmed case join by themselves. Real: PostgreSQL, the statements of the stores; invented: hashes and listings.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bankJoins } from '../../src/adapters/postgres/bank-joins.ts'
import { createBankStore } from '../../src/adapters/postgres/bank-store.ts'
import { lookAhead, shownAt } from '../../src/adapters/postgres/official-pictures.ts'
import { writePictures } from '../../src/adapters/postgres/picture-rows.ts'
import { createPictureStore } from '../../src/adapters/postgres/picture-store.ts'
import { inTransaction } from '../../src/adapters/postgres/transaction.ts'
import type { KeptFrame, KeptPicture } from '../../src/domain/kept-picture.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
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

  /** A listing that shows these hashes, and stands as it is said. */
  async function offered(listingId: string, sellerId: string, hashes: string[], more: object = {}) {
    const { outcome, revision, withdrawn } = { outcome: 'allow', revision: 1, withdrawn: 0, ...more }
    const store = createPictureStore(node.database.deciding)
    await store.noteShown(hashes.map((one) => ({ listingId, revision: 1, hash: one })))
    await query(
      `insert into listing (listing_id, seller_id, revision, outcome, withdrawn_revision) values ($1, $2, $3, $4, $5)`,
      [listingId, sellerId, revision, outcome, withdrawn],
    )
  }
  /** The case of a listing of the seller `bad`, opened now. */
  async function held(pictures: readonly KeptPicture[]) {
    await offered('L', 'bad', [], { outcome: 'hold' })
    await query(
      `insert into review_case (case_id, listing_id, revision, state, risk, brand_ids, opened_at)
       values ('C', 'L', 1, 'open', 0.9, '{nike}', clock_timestamp())`,
    )
    await inTransaction(node.database.deciding, () =>
      Promise.resolve({ done: undefined, last: writePictures(pictures) }),
    )
    for (const [ordinal, { sha256 }] of pictures.entries())
      await query(`insert into case_picture (case_id, revision, ordinal, sha256) values ('C', 1, $1, $2)`, [
        ordinal,
        sha256,
      ])
  }
  /** What joined, by the hashes of its entries. */
  async function confirmed(verdictId = 'V', pictures: string[] | null = null) {
    const look = await lookAhead(node.database.reading, shownAt([{ listingId: 'L', revision: 1 }]), undefined)
    const join = { verdictId, caseId: 'C', listingId: 'L', revision: 1, brandId: 'nike', brandIds: ['nike'] }
    await inTransaction(node.database.deciding, () =>
      Promise.resolve({ done: undefined, last: bankJoins([{ ...join, pictures, by: 'ann' }], [], look) }),
    )
    const all = await banks.images('confirmed-nike', { limit: 99 })
    return all
      .filter(({ source }) => source.verdictId === verdictId)
      .map((one) => one.hash)
      .toSorted()
  }
  const hashesOf = (...names: string[]) => names.map((name) => hex(name)).toSorted()

  test('those that another seller on sale showed before do not join by themselves, as they are or changed a little', async () => {
    await offered('honest', 'rival', [hex('theirs', 15)])
    await offered('own', 'bad', [hex('mine')])
    await offered('stopped', 'other', [hex('stopped')], { outcome: 'hold' })
    await offered('edited', 'other', [hex('edited')], { revision: 2 })
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

  test('what was shown is forgotten after its time', async () => {
    await offered('honest', 'rival', [hex('old'), hex('new')])
    await query(`update shown_picture set at = now() - interval '91 days' where hash = $1`, [hex('old')])
    expect(await createPictureStore(node.database.deciding).prune(180)).toBe(1)
    expect((await query('select hash from shown_picture')).rows).toEqual([{ hash: hex('new') }])
  })
})
