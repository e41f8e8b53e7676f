// What a verdict left out of the bank is named, with who shows it. Real: PostgreSQL, the stores and reviewing; invented: hashes, listings, times.
import { beforeEach, describe, expect, test } from 'vitest'
import { nameListings } from '../../src/adapters/postgres/name-listings.ts'
import { prepareOutputs } from '../../src/adapters/postgres/outputs.ts'
import { createReviewStore } from '../../src/adapters/postgres/review-store.ts'
import type { Caller } from '../../src/domain/access.ts'
import type { KeptPicture } from '../../src/domain/kept-picture.ts'
import type { CaseLook, JoinedPictures } from '../../src/pipeline/verdicts/ports.ts'
import { analyst, holder, reviewWorld } from '../contracts/review-world.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { OUTPUTS, VERDICTS } from '../contracts/store-samples.ts'
import { hash } from '../unit/pipeline/banks/samples.ts'
import { joinOf, offer, openCase, showInCase, shownSet, toldOfJoins, type Offer } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

const hex = (of: string) => hash(of, 0).toString('hex')
const shot = (name: string, more: Partial<KeptPicture> = {}) =>
  picture(name, { hash: hex(name), variants: [], ...more })
/** No machine is too slow for it. */
const AMPLE = { first: 9_000, each: 9_000, all: 9_000 }

describe('what a verdict left out of the bank', () => {
  let node: PostgresNode
  beforeEach(async () => {
    node = await freshNode()
  })

  let clock = Date.parse('2020-01-01T00:00:00Z')
  /** Another seller's listing on sale with these pictures, decided after those before it and long before the case. */
  const offered = (listingId: string, names: string[], more: Partial<Offer> = {}) =>
    offer(node.database.deciding, {
      listingId,
      sellerId: `seller of ${listingId}`,
      shown: shownSet(
        listingId,
        names.map((name) => hash(name)),
      ),
      at: new Date((clock += 1_000)),
      ...more,
    })

  /** A held listing about nike with these pictures. */
  async function held(pictures: readonly KeptPicture[]) {
    const pool = node.database.deciding
    const review = createReviewStore({
      pool,
      outputs: await prepareOutputs(pool, { ...OUTPUTS, [VERDICTS]: 2 }),
      elsewhere: { times: AMPLE },
    })
    const world = reviewWorld({ ...node, review }, 0)
    await world.screen('L-1', 1, { brandIds: ['nike'] })
    const caseId = await world.caseOf('L-1')
    await showInCase(pool, caseId, pictures)
    return async (as: Caller, more: object = {}) => {
      const answer = await world.review.verdict(caseId, as, { verdict: 'confirmed', ...more })
      if (answer?.kind !== 'recorded' || answer.pictures === undefined) throw new Error('it joined nothing')
      return { caseId, ...answer.pictures }
    }
  }

  test('is named, to who sees all with the listings that had it before: ten that were decided last, of other sellers and on sale', async () => {
    await offered('oldest', ['theirs'])
    for (let n = 1; n <= 10; n++) await offered(`ring-${n}`, ['fake too', 'theirs'])
    await offered('stopped', ['theirs'], { outcome: 'hold' })
    await offered('withdrawn', ['theirs'], { withdrawn: 1 })
    await offered('its own', ['theirs'], { sellerId: 'S-1' })
    const said = await held([shot('fake'), shot('theirs'), shot('fake too')])
    await offered('later', ['theirs'], { at: new Date('2099-01-01') })
    const { which, leftOutWhich, leftOut } = await said(analyst)
    const listings = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((n) => `ring-${n}`)
    expect(which).toEqual([{ revision: 1, ordinal: 0, sha256: shot('fake').sha256 }])
    expect(leftOut).toMatchObject({ elsewhere: 2 })
    expect(leftOutWhich).toEqual([
      { revision: 1, ordinal: 1, sha256: shot('theirs').sha256, why: 'elsewhere', listings },
      { revision: 1, ordinal: 2, sha256: shot('fake too').sha256, why: 'elsewhere', listings },
    ])
  })

  test('names no listing of others to a rights holder', async () => {
    await offered('honest', ['theirs'])
    const said = await held([shot('fake'), shot('theirs')])
    expect((await said(holder('nike'))).leftOutWhich).toEqual([
      { revision: 1, ordinal: 1, sha256: shot('theirs').sha256, why: 'elsewhere' },
    ])
  })

  test('joins by one word that names it beside all that had joined', async () => {
    await offered('accomplice', ['theirs'])
    const said = await held([shot('fake'), shot('theirs')])
    const first = await said(analyst, { verdictId: 'V-1' })
    const pictures = [...first.which, ...first.leftOutWhich].map(({ sha256 }) => sha256)
    const second = await said(analyst, { supersedes: 'V-1', pictures })
    expect(second).toMatchObject({ joined: 2, limited: 0, leftOutWhich: [] })
    expect((await node.banks.images(second.bankId, { limit: 9 })).map((one) => one.hash).toSorted()).toEqual(
      [hex('fake'), hex('theirs')].toSorted(),
    )
  })

  test('is named without listings where these are not known in time, by all frames of what moves', async () => {
    const frame = (name: string) => ({ hash: hex(name), quality: 90, forms: [], variants: [hex(name)] })
    await offered('first', ['still'])
    await offered('second', ['moved'])
    const moving = shot('still', { frames: [frame('moved')] })
    const said = await held([moving, shot('fake')])
    const { caseId, leftOutWhich } = await said(analyst)
    const named = { revision: 1, ordinal: 0, sha256: moving.sha256, why: 'elsewhere' as const }
    expect(leftOutWhich).toEqual([{ ...named, listings: ['second', 'first'] }])

    const told = { leftOutWhich: [named] } as unknown as JoinedPictures
    const elsewhere = [0, 1].map((at) => ({ listingId: 'L-1', sha256: moving.sha256, frame: at }))
    const look = { elsewhere } as unknown as CaseLook
    expect(await nameListings(node.database.reading, told, caseId, look, 0)).toBe(told)
    expect((await nameListings(node.database.reading, told, caseId, look, 9_000)).leftOutWhich).toEqual(leftOutWhich)
  })

  test('says of each why, of an endless case the newest', async () => {
    await node.banks.upsertBank(bank('photos', { kind: 'genuine' }), 'ann', 'all')
    await node.banks.addImages('photos', [{ picture: shot('photo'), source: { kind: 'api' } }], 'ann', 'all')
    const pool = node.database.deciding
    const revised = async (revision: number, pictures: KeptPicture[], outcome: Offer['outcome'] = 'hold') => {
      await offer(pool, { listingId: 'L', sellerId: 'bad', revision, outcome })
      await openCase(pool, 'C', 'L', revision)
      await showInCase(pool, 'C', pictures, revision)
      await pool.query(`update case_picture set brand_ids = '{nike}' where revision = $1`, [revision])
    }
    for (let n = 1; n <= 30; n++) await revised(n, [shot(`before ${n}`)], 'allow')
    await revised(31, [shot('opened with')])
    await pool.query(`update review_case set opened_revision = 31`)
    await revised(32, [shot('between')])
    await revised(33, [shot('theirs'), shot('fake'), shot('photo'), shot('unknown'), shot('plain', { blank: true })])
    const frames = ['theirs', 'fake', 'photo', 'opened with', 'between'].map((name) => ({
      listingId: 'L',
      sha256: shot(name).sha256,
      frame: 0,
    }))
    const look: CaseLook = { change: 0n, looked: [], near: [], elsewhere: frames.slice(0, 1), lookedUp: frames }
    const confirmed = async (more: object) => {
      const join = joinOf({ caseId: 'C', listingId: 'L', revision: 33, ...more })
      const [told] = (await toldOfJoins(pool, [join], look)) as [JoinedPictures]
      return told
    }
    const nameOf = (all: JoinedPictures['leftOutWhich']) =>
      all.map((one) => `${one.revision}.${one.ordinal} ${one.why}`)
    const newest = Array.from({ length: 24 }, (_, n) => 30 - n)

    const all = await confirmed({ verdictId: 'V-1' })
    expect(all.which.map(({ revision, by }) => [revision, by])).toEqual([
      [33, undefined],
      [32, 'nobody'],
      [31, undefined],
    ])
    expect(nameOf(all.leftOutWhich)).toEqual([
      '33.0 elsewhere',
      '33.2 official',
      '33.3 notLookedUp',
      ...newest.map((n) => `${n}.0 earlier`),
    ])
    expect(all).toMatchObject({
      limited: 1,
      elsewhere: 1,
      official: 1,
      notLookedUp: 1,
      earlier: 30,
      unnamed: 0,
      blank: 1,
    })

    const named = await confirmed({ verdictId: 'V-2', pictures: ['fake', 'photo'].map((name) => shot(name).sha256) })
    expect(nameOf(named.leftOutWhich)).toEqual([
      '33.0 unnamed',
      '33.2 official',
      '33.3 unnamed',
      // Those in between and that it was opened with are earlier ones too.
      ...[32, 31, ...newest].slice(0, 24).map((n) => `${n}.0 unnamed`),
    ])
    expect(named).toMatchObject({ joined: 1, official: 1, unnamed: 34, earlier: 0 })
  })
})
