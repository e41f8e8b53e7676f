// Pictures that meet too many sellers, as several processes see it. Real: PostgreSQL, two nodes of the store, the banks in memory, the watch; made up: pictures and listings.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBankStore } from '../../src/adapters/postgres/bank-store.ts'
import { followBanks, type LiveBanks } from '../../src/pipeline/bank-index.ts'
import { createBankWatch } from '../../src/pipeline/banks/quarantine.ts'
import type { SnapshotFile } from '../../src/pipeline/banks/snapshot.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { storeBefore } from '../support/old-store.ts'
import { seen } from '../unit/pipeline/banks/samples.ts'
import { startPostgresStore } from './store-on-postgres.ts'
import type { PostgresNode, PostgresStore } from './store-on-postgres.ts'

const PER_HOUR = 3

describe('a picture that meets too many sellers', () => {
  let shared: PostgresStore
  let nodes: PostgresNode[]
  let stores: BankStore[]
  let one: BankStore
  let two: BankStore
  const following: LiveBanks[] = []
  const telemetry = createTelemetry({ level: 'silent' })
  beforeEach(async () => {
    shared = await startPostgresStore()
    nodes = [await shared.node(), await shared.node()]
    stores = nodes.map(({ banks }) => banks)
    ;[one, two] = stores as [BankStore, BankStore]
    await one.upsertBank(bank('b', { brandId: 'nike' }), 'ann', 'all')
  })
  afterEach(async () => {
    for (const live of following.splice(0)) await live.stop()
    await shared.close()
  })

  const follow = async (store: BankStore, snapshot?: SnapshotFile) => {
    const live = await followBanks(store, telemetry, snapshot === undefined ? {} : { snapshot, snapshotAfter: 1 })
    following.push(live)
    return live
  }
  const add = async (...names: string[]) => {
    const images = names.map((name) => ({ picture: picture(name), source: { kind: 'import' as const } }))
    return (await one.addImages('b', images, 'ann', 'all')).added.map(({ imageId }) => imageId)
  }
  const addOne = async (name = 'x') => (await add(name))[0] ?? ''
  const met = (marketplace: string | null, more: object = {}) => ({
    marketplace,
    sellers: 101,
    newSellers: 0,
    seconds: 60,
    enough: true,
    ...more,
  })
  const alarm = (store: BankStore, imageId: string, marketplace: string | null, more: object = {}) =>
    store.alarm('b', imageId, met(marketplace, more), PER_HOUR)
  const listed = (state?: 'active' | 'quarantined' | 'alerted') => two.images('b', { limit: 100, state })
  const query = async (text: string): Promise<Record<string, string>[]> =>
    (await nodes[0]?.database.deciding.query<Record<string, string>>(text))?.rows ?? []
  const head = () => query('select change from reference_head')
  /** For which of these it matches. */
  const matches = (live: LiveBanks, name = 'x', of: readonly (string | null)[] = ['a', 'b', 'c', null]) =>
    of.filter((m) => live.current().match(seen(Buffer.from(picture(name).hash, 'hex')), m).length > 0)
  async function within(milliseconds: number, what: () => boolean): Promise<void> {
    const start = performance.now()
    while (!what()) {
      if (performance.now() - start > milliseconds) throw new Error(`not within ${milliseconds} ms`)
      await sleep(5)
    }
  }
  const everywhere = (live: readonly LiveBanks[], of: readonly (string | null)[]) =>
    within(1_900, () => live.every((each) => JSON.stringify(matches(each)) === JSON.stringify(of)))

  test('matches nothing there and matches on elsewhere, in every worker within 2 s; three that say so are believed for all', async () => {
    const imageId = await addOne()
    const live = [await follow(one), await follow(two)]
    await everywhere(live, ['a', 'b', 'c', null])
    expect(await alarm(one, imageId, null)).toBe('quarantined')
    await everywhere(live, ['a', 'b', 'c'])
    expect(await alarm(two, imageId, 'a')).toBe('quarantined')
    await everywhere(live, ['b', 'c'])
    // What is told twice is known.
    expect(await alarm(one, imageId, 'a')).toBeUndefined()
    expect(await one.banks('all')).toMatchObject([{ images: 0, quarantined: 1, alerted: 0 }])
    expect(await alarm(one, imageId, 'b')).toBe('quarantined-for-all')
    await everywhere(live, [])
    expect(await alarm(two, imageId, 'c')).toBeUndefined()
    expect(await one.quarantine('b', imageId, 'ann', false, 'all')).toBe(true)
    await everywhere(live, ['a', 'b', 'c', null])
    expect(await listed()).toMatchObject([{ state: 'active' }])
    expect((await listed())[0]).not.toHaveProperty('alerts')
  })

  test('is listed with since when, why, for whom, and how many sellers in which time', async () => {
    const imageId = await addOne()
    const before = Date.now()
    await alarm(one, imageId, 'a', { sellers: 130, newSellers: 4, seconds: 17 })
    const [image] = await listed('quarantined')
    expect(image).toMatchObject({
      imageId,
      state: 'quarantined',
      quarantine: { scope: ['a'], by: 'quarantine', why: 'too-many-sellers' },
      alerts: [{ marketplace: 'a', result: 'quarantined', sellers: 130, newSellers: 4, seconds: 17 }],
    })
    for (const at of [image?.quarantine?.since, image?.alerts?.[0]?.firstAt, image?.alerts?.[0]?.lastAt])
      expect(Math.abs(Date.parse(at ?? '') - before)).toBeLessThan(60_000)
    expect(await two.image('b', imageId, 'all')).toEqual(image)
  })

  test('among two thousand of one attack: a few go, for that marketplace alone, and each has its alert', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `n${i}`)
    const ids = await add(...names)
    const live = await follow(two)
    const watches = stores.map((store) => createBankWatch(store, telemetry, { limit: 10, perHour: PER_HOUR }))
    for (const watch of watches)
      for (let seller = 0; seller < 11; seller++)
        watch.saw(
          { marketplace: 'evil', sellerId: `S-${seller}` },
          ids.map((imageId) => ({ imageId, bankId: 'b', kind: 'counterfeit' })),
        )
    for (const watch of watches) await watch.stop()
    expect(await one.banks('all')).toMatchObject([{ images: 57, quarantined: PER_HOUR, alerted: 57 }])
    expect((await listed('alerted')).every(({ alerts }) => alerts?.[0]?.result === 'bound')).toBe(true)
    const still = (m: string) => names.filter((name) => matches(live, name, [m]).length > 0).length
    await within(1_900, () => still('evil') === 57)
    expect(still('demo')).toBe(60)
    // The bound of one is not that of another.
    expect(await alarm(one, ids.at(-1) ?? '', 'demo')).toBe('quarantined')
    expect(await alarm(one, ids.at(-2) ?? '', 'evil')).toBe('bound')
    await query(`update bank_alert set quarantined_at = quarantined_at - interval '1 hour'`)
    expect(await alarm(one, ids.at(-2) ?? '', 'evil')).toBe('quarantined')
  })

  test('two processes at once keep one bound, and one picture goes once', async () => {
    const ids = await add('p', 'q', 'r', 's', 't', 'u')
    const results = await Promise.all(ids.flatMap((id) => stores.map((store) => alarm(store, id, 'a'))))
    expect(results.filter((result) => result === 'quarantined')).toHaveLength(PER_HOUR)
    expect(await one.banks('all')).toMatchObject([{ images: 3, quarantined: PER_HOUR, alerted: 3 }])
  })

  test('for all has a bound as well: beyond, each marketplace is spared by itself', async () => {
    const ids = await add('p', 'q', 'r', 's')
    // The last word is each time another's, so that it is not the bound of one marketplace.
    for (const [i, id] of ids.entries())
      for (const of of ['a', 'b', 'c', 'a', 'b'].slice(i % 3, (i % 3) + 3)) {
        await alarm(one, id, of)
        await query(
          `update bank_alert set quarantined_at = quarantined_at - interval '1 hour' where result = 'quarantined'`,
        )
      }
    const scopes = new Map((await listed()).map(({ imageId, quarantine }) => [imageId, quarantine?.scope]))
    expect(ids.map((id) => scopes.get(id))).toEqual(['all', 'all', 'all', ['a', 'b', 'c']])
  })

  test('with too many new accounts matches on, with an alert that an analyst answers and a rights holder does not', async () => {
    const imageId = await addOne()
    const change = await head()
    expect(await alarm(one, imageId, 'a', { newSellers: 90, enough: false })).toBe('new-sellers')
    expect(await alarm(two, imageId, 'a', { newSellers: 95, enough: false })).toBe('new-sellers')
    expect(await head()).toEqual(change)
    expect(await listed('alerted')).toMatchObject([{ state: 'active', alerts: [{ newSellers: 95 }] }])
    expect([await listed('quarantined'), (await listed('active')).length]).toEqual([[], 1])
    const nike = { brandIds: ['nike'] }
    expect(await one.quarantine('b', imageId, 'nike', false, nike)).toBe(false)
    expect(await one.banks(nike)).toMatchObject([{ images: 1, alerted: 1 }])
    expect(await one.quarantine('b', imageId, 'ann', false, 'all')).toBe(true)
    expect(await one.banks('all')).toMatchObject([{ images: 1, alerted: 0 }])
    expect(await one.quarantine('b', imageId, 'ann', false, 'all')).toBe(false)
  })

  test('that was let out does not go back for sellers that another worker had counted before', async () => {
    const imageId = await addOne()
    await alarm(one, imageId, 'a')
    await one.quarantine('b', imageId, 'ann', false, 'all')
    expect(await alarm(two, imageId, 'a', { seconds: 3_600 })).toBeUndefined()
    expect(await listed()).toMatchObject([{ state: 'active' }])
    await query(`update bank_image set released_at = released_at - interval '2 hours'`)
    expect(await alarm(two, imageId, 'a', { seconds: 3_600 })).toBe('quarantined')
  })

  test('goes for all by hand, and is then still what the deployment stopped: its owner does not let it out', async () => {
    const imageId = await addOne()
    const nike = { brandIds: ['nike'] }
    await alarm(one, imageId, 'a')
    expect(await two.quarantine('b', imageId, 'nike', true, nike)).toBe(true)
    expect(await listed()).toMatchObject([{ quarantine: { scope: 'all', by: 'nike', why: 'by-hand' } }])
    await expect(two.quarantine('b', imageId, 'nike', false, nike)).rejects.toMatchObject({ code: 'forbidden' })
    expect(await two.quarantine('b', imageId, 'ann', true, 'all')).toBe(false)
    expect(await two.quarantine('b', imageId, 'ann', false, 'all')).toBe(true)
  })

  test('alerts go with their picture, and after a week that nobody answered; not those of what is in quarantine', async () => {
    const ids = await add('gone', 'old', 'held', 'new')
    for (const id of ids) await alarm(one, id, 'a', { enough: id === ids[2] })
    await query(`update bank_alert set last_at = last_at - interval '8 days' where image_id <> '${ids[3]}'`)
    await one.removeImage('b', ids[0] ?? '', 'ann', 'all')
    await two.purge(60, 100)
    const left = await query('select image_id from bank_alert')
    expect(new Set(left.map((row) => row['image_id']))).toEqual(new Set([ids[2], ids[3]]))
    expect(await alarm(one, ids[0] ?? '', 'a')).toBeUndefined()
  })

  test('is as it was when a process begins from its snapshot', async () => {
    const imageId = await addOne()
    await alarm(one, imageId, 'a')
    let bytes: Uint8Array | undefined
    const file: SnapshotFile = {
      read: () => Promise.resolve(bytes),
      write: (written) => Promise.resolve(void (bytes = written)),
    }
    await (await follow(one, file)).stop()
    const lines: string[] = []
    const told = createTelemetry({ level: 'info', destination: { write: (line: string) => void lines.push(line) } })
    const live = await followBanks(two, told, { snapshot: file })
    following.push(live)
    expect(lines.join('')).toContain('the banks were read from their snapshot')
    expect(matches(live)).toEqual(['b', 'c', null])
    expect(await told.registry.metrics()).toContain('touchstone_quarantined_images 1\n')
    await one.quarantine('b', imageId, 'ann', false, 'all')
    await everywhere([live], ['a', 'b', 'c', null])
  })
})

test('what lay in quarantine before there were scopes lies there for all, since and by whom it did', async () => {
  const { pool, listener, upgrade } = await storeBefore('quarantine for some marketplaces, and alerts')
  await pool.query(`
    insert into bank values ('b', 1, '${JSON.stringify(bank('b'))}', 1, now(), 'ann');
    insert into bank_image (image_id, bank_id, sha256, hash, quality, state, source, added_by, change, changed_at, changed_by)
    select gen_random_uuid(), 'b', n, n, 90, case n when 'active' then n else 'quarantined' end, '{"kind":"api"}', 'ann', 1,
           '2026-01-02T03:04:05Z', n from unnest(array['active', 'quarantine', 'bob']) n`)
  await upgrade()
  const banks = createBankStore({ pool, listener })
  const images = await banks.images('b', { limit: 9 })
  const since = '2026-01-02T03:04:05.000Z'
  expect(Object.fromEntries(images.map(({ sha256, quarantine }) => [sha256, quarantine]))).toEqual({
    active: undefined,
    quarantine: { scope: 'all', since, by: 'quarantine', why: 'too-many-sellers' },
    bob: { scope: 'all', since, by: 'bob', why: 'by-hand' },
  })
  expect(await banks.banks('all')).toMatchObject([{ images: 1, quarantined: 2, alerted: 0 }])
})
