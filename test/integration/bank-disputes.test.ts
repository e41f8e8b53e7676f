// What a brand's rejection makes of what another brand's word put into a bank. Real: PostgreSQL and the stores; invented: hashes.
import { beforeEach, describe, expect, test } from 'vitest'
import type { BankDispute, BankJoin } from '../../src/pipeline/verdicts/ports.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { joinOf, settleJoins, showInCase } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

describe('a brand that calls genuine what another one confirmed', () => {
  let node: PostgresNode
  let banks: BankStore
  beforeEach(async () => {
    node = await freshNode()
    banks = node.banks
  })

  /** A confirmed verdict as it is recorded, and its pictures in the bank. */
  async function confirm(verdictId: string, role: 'brand' | 'analyst', more: Partial<BankJoin> = {}): Promise<void> {
    const byBrand = role === 'brand'
    const join = joinOf({ verdictId, byBrand, brandIds: ['nike', 'gucci'], ...more })
    const { listingId, revision, brandId } = join
    const body = { verdictId, listingId, revision, brandId, verdict: 'confirmed', by: { subject: 'x', role } }
    await node.database.deciding.query(
      'insert into verdict (verdict_id, listing_id, revision, body) values ($1, $2, $3, $4)',
      [verdictId, listingId, revision, JSON.stringify(body)],
    )
    await settleJoins(node.database.deciding, [join])
  }
  const reject = (more: Partial<BankDispute> = {}) =>
    settleJoins(node.database.deciding, [], [], undefined, [
      { listingId: 'L-1', revision: 1, brandId: 'gucci', ...more },
    ])
  const show = (revision = 1, caseId = 'C-1', name = 'a') =>
    showInCase(node.database.deciding, caseId, [picture(name)], revision)
  const head = () => node.reference.change()
  const limitedIn = async (bankId = 'confirmed-nike') =>
    (await banks.images(bankId, { limit: 9, state: 'limited' })).map(({ source }) => [source.verdictId, source.by])

  test('it counts as that brand’s word alone from then on, once; those who follow hear of it', async () => {
    await show()
    await confirm('V-1', 'brand')
    expect([await limitedIn(), await head()]).toEqual([[], 1n])
    await reject()
    expect([await limitedIn(), await head()]).toEqual([[['V-1', 'brand']], 2n])
    const { images } = await banks.changesSince(1n, 9)
    const source = {
      kind: 'verdict',
      by: 'brand',
      verdictId: 'V-1',
      brandIds: ['nike', 'gucci'],
      listingId: 'L-1',
      revision: 1,
    }
    expect(images).toMatchObject([{ source }])
    await reject()
    expect(await head()).toBe(2n)
  })

  test('nothing else is: of another listing or revision, its own word, an analyst’s, in or out of quarantine', async () => {
    await show()
    await show(12)
    await show(1, 'C-2')
    await confirm('V-other', 'brand', { listingId: 'L-2', caseId: 'C-2' })
    await confirm('V-later', 'brand', { revision: 12 })
    await confirm('V-own', 'brand', { brandId: 'gucci' })
    await confirm('V-analyst', 'analyst')
    await confirm('V-all', 'analyst', { brandId: null })
    await banks.upsertBank(bank('by-hand', { brandId: 'nike' }), 'ann', 'all')
    const file = { kind: 'import', file: '"revision":1, \ud800' } as const
    await banks.addImages('by-hand', [{ picture: picture('x'), source: file }], 'ann', 'all')
    const before = await head()
    await reject()
    expect(await head()).toBe(before)
    expect(await limitedIn('confirmed')).toEqual([])

    await confirm('V-1', 'brand')
    const one = (await banks.images('confirmed-nike', { limit: 9 })).find(({ source }) => source.verdictId === 'V-1')
    await banks.quarantine('confirmed-nike', one?.imageId ?? '', 'nike', true, { brandIds: ['nike'] })
    await reject()
    // Letting it out is no vouch.
    await banks.quarantine('confirmed-nike', one?.imageId ?? '', 'nike', false, { brandIds: ['nike'] })
    expect(await limitedIn()).toEqual([['V-1', 'brand']])
  })

  test('an analyst who has vouched, before or after, has said more', async () => {
    await show()
    await confirm('V-1', 'brand')
    const [one] = await banks.images('confirmed-nike', { limit: 1 })
    await reject()
    await banks.vouch('confirmed-nike', one?.imageId ?? '', 'ann')
    await reject({ brandId: 'adidas' })
    expect(await limitedIn()).toEqual([])

    await show(1, 'C-2', 'b')
    await confirm('V-2', 'brand', { caseId: 'C-2' })
    const other = (await banks.images('confirmed-nike', { limit: 9 })).find(({ source }) => source.verdictId === 'V-2')
    await banks.vouch('confirmed-nike', other?.imageId ?? '', 'ann')
    await reject()
    expect(await limitedIn()).toEqual([])
    // That it was is told.
    const images = await banks.images('confirmed-nike', { limit: 9 })
    expect(images.map(({ source }) => source.vouched)).toEqual([true, true])
  })

  test('in one transaction with what joins and what leaves', async () => {
    await show()
    await confirm('V-1', 'brand')
    await confirm('V-2', 'brand')
    const join = joinOf({ verdictId: 'V-3', brandId: null })
    const dispute = { listingId: 'L-1', revision: 1, brandId: 'gucci' }
    await settleJoins(node.database.deciding, [join], ['V-2'], undefined, [dispute])
    expect(await limitedIn()).toEqual([['V-1', 'brand']])
    expect((await banks.images('confirmed', { limit: 9 })).map(({ source }) => source.by)).toEqual([undefined])
    expect(await banks.images('confirmed-nike', { limit: 9 })).toHaveLength(1)
  })
})
