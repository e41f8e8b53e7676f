// Listings that a picture stopped are queued when it leaves its bank, on a real PostgreSQL: none is lost, whoever is first.
import { beforeEach, describe, expect, test } from 'vitest'
import { createRescreenStore } from '../../src/adapters/postgres/rescreen-store.ts'
import type { Decision } from '../../src/domain/decision.ts'
import type { Settlement } from '../../src/pipeline/ports.ts'
import type { RescreenStore } from '../../src/pipeline/rescreening/ports.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { decide, NOTHING, OUTPUTS, type Sample, type Wanted } from '../contracts/store-samples.ts'
import { settleJoins } from './case-pictures.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

let node: PostgresNode
let banks: BankStore
let rescreens: RescreenStore
beforeEach(async () => {
  node = await freshNode()
  banks = node.banks
  rescreens = createRescreenStore({ pool: node.database.deciding, outputs: OUTPUTS })
  await banks.upsertBank(bank('b'), 'test', 'all')
})

const PAUSES = { after: [100], beforeDeadline: 900 }
const query = async (sql: string, values: unknown[] = []) =>
  (await node.database.reading.query<Record<string, unknown>>(sql, values)).rows
const marks = () => query('select image_id, change::int from bank_departure')
const queued = () => query('select listing_id, revision, after_change::int from rescreen order by listing_id')
const head = async () => await node.reference.change()

/** A picture that joined with this verdict; its id. */
async function join(verdictId: string, name = verdictId): Promise<string> {
  const source = { kind: 'verdict', verdictId } as const
  const { added } = await banks.addImages('b', [{ picture: picture(name), source }], 'test', 'all')
  return added[0]?.imageId ?? ''
}
const undo = (...verdictIds: string[]) => settleJoins(node.database.deciding, [], verdictIds)

const evidence = (imageId: string, kind = 'counterfeit'): Decision['signals'] => [
  {
    name: 'image-hash',
    version: '1',
    state: 'scored',
    score: 0.9,
    contribution: 2,
    evidence: { matches: [{ image: 0, sha256: 'a', bankId: 'b', kind, imageId }] },
    durationMs: 1,
  },
]

/** These listings are decided so, and their evidence names the picture. */
async function decided(
  wanted: readonly Wanted[],
  imageId: string,
  sample: Sample & { kind?: string } = {},
  partition = 0,
) {
  const from = await node.store.place('g', 'in', partition, 0n)
  const end = await node.store.commit(
    { group: 'g', topic: 'in', partition, from, next: from + 1n },
    wanted,
    (standings): Settlement => {
      const settlement = decide(wanted, standings, { outcome: 'hold', ...sample })
      const decisions = settlement.decisions.map((d) => ({ ...d, signals: evidence(imageId, sample.kind) }))
      return { ...settlement, decisions }
    },
  )
  expect(end).toBe('committed')
}
const listing = (listingId: string, revision = 1): Wanted[] => [{ listingId, revision }]
async function queueAll(limit = 100): Promise<number[]> {
  const bites: number[] = []
  for (let done; (done = await rescreens.queueDeparted(limit)) > 0;) bites.push(done)
  return bites
}

describe('a picture that leaves its bank', () => {
  test('queues all that it stopped, in bites, once, and then is done', async () => {
    const imageId = await join('V-1')
    const all = Array.from({ length: 250 }, (_, i) => ({ listingId: `L-${i}`, revision: 1 }))
    await decided(all, imageId)
    await decided(listing('other'), await join('V-2'))
    expect(await rescreens.queueDeparted(100)).toBe(0)
    await undo('V-1')
    expect(await marks()).toEqual([{ image_id: imageId, change: Number(await head()) }])
    // With the last of them its mark.
    expect(await queueAll()).toEqual([100, 100, 51])
    expect((await queued()).map((row) => row['listing_id'])).toEqual(all.map((one) => one.listingId).toSorted())
    expect(await marks()).toEqual([])
    expect(await query('select listing_id from bank_match')).toEqual([{ listing_id: 'other' }])
  })

  test('queues nothing that does not stand as it decided, or that a person decided', async () => {
    const imageId = await join('V-1')
    for (const id of ['held', 'sold', 'withdrawn', 'edited', 'edited-again', 'judged', 'freed'])
      await decided(listing(id), imageId, { outcome: id === 'sold' ? 'allow' : id === 'held' ? 'block' : 'hold' })
    await decided(listing('allowed-picture'), imageId, { kind: 'allowed' })
    await query(`update listing set withdrawn_revision = 1 where listing_id = 'withdrawn'`)
    await decided(listing('edited', 2), await join('V-2'))
    await decided(listing('edited-again', 2), imageId)
    await query(
      `insert into decision select listing_id, revision, 2, gen_random_uuid(), 'review', 'block', risk, now(), body
       from decision where listing_id = 'judged'`,
    )
    await query(`update listing set outcome = 'allow' where listing_id = 'freed'`)
    await undo('V-1')
    await queueAll()
    expect((await queued()).map((row) => [row['listing_id'], row['revision']])).toEqual([
      ['edited-again', 2],
      ['held', 1],
    ])
    // What nobody needs any more is forgotten with it.
    expect(await query('select listing_id from bank_match')).toEqual([{ listing_id: 'edited' }])
  })

  test('queues nothing while it is in quarantine, and everything when it is removed by hand', async () => {
    const imageId = await join('V-1')
    await decided(listing('L'), imageId)
    await banks.quarantine('b', imageId, 'watch', true, 'all')
    expect([await queueAll(), await queued()]).toEqual([[], []])
    expect(await banks.removeImage('b', imageId, 'ann', { brandIds: ['nobody'] })).toBe(false)
    expect(await marks()).toEqual([])
    await banks.removeImage('b', imageId, 'ann', 'all')
    await queueAll()
    expect(await queued()).toEqual([{ listing_id: 'L', revision: 1, after_change: Number(await head()) }])
  })

  test('is found by a decision that is written while it leaves, whichever of the two is first', async () => {
    const [one, two] = [await join('V-1'), await join('V-2')]
    const client = await node.database.deciding.connect()
    const waits = async (what: RegExp) => {
      for (let i = 0; i < 500; i++) {
        const [row] = await query(`select query from pg_stat_activity where wait_event_type = 'Lock'`)
        if (what.test(String(row?.['query']))) return
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      throw new Error(`nobody waits with ${what}`)
    }
    try {
      // The decision is in its transaction, and the undo comes.
      await client.query('begin')
      await client.query(`insert into listing (listing_id, revision, sequence, outcome) values ('early', 1, 1, 'hold')`)
      await client.query(`insert into bank_match values ($1, 'early', 1)`, [one])
      await client.query('select from bank_image where image_id = $1 for share', [one])
      const undone = undo('V-1')
      await waits(/bank_image.*for update/s)
      await client.query('commit')
      await undone
      await queueAll()
      expect((await queued()).map((row) => row['listing_id'])).toEqual(['early'])

      // The undo is in its transaction, and a worker that knows the picture still decides.
      await client.query('begin')
      await client.query(`update bank_image set state = 'removed', change = 77 where image_id = $1`, [two])
      const late = decided(listing('late'), two)
      await waits(/bank_image.*for share/s)
      await client.query('commit')
      await late
      expect(await marks()).toEqual([{ image_id: two, change: 77 }])
      await queueAll()
      expect((await queued()).map((row) => [row['listing_id'], row['after_change']])).toEqual([
        ['early', Number(await head())],
        ['late', 77],
      ])
    } finally {
      client.release(true)
    }
  })

  test('keeps its mark for a listing that somebody is just writing', async () => {
    const imageId = await join('V-1')
    await decided([...listing('busy'), ...listing('free')], imageId)
    await undo('V-1')
    const client = await node.database.deciding.connect()
    try {
      await client.query('begin')
      await client.query(`select from listing where listing_id = 'busy' for update`)
      expect(await queueAll()).toEqual([1])
      expect((await queued()).map((row) => row['listing_id'])).toEqual(['free'])
      expect(await marks()).toHaveLength(1)
      await client.query('commit')
    } finally {
      client.release()
    }
    await queueAll()
    expect((await queued()).map((row) => row['listing_id'])).toEqual(['busy', 'free'])
  })

  test('loses no listing among many workers that decide, undo and queue at once', async () => {
    const images = await Promise.all(Array.from({ length: 4 }, (_, i) => join(`V-${i}`)))
    const work = images.flatMap((imageId, i) => [
      ...Array.from({ length: 6 }, (_, j) => () => decided(listing(`L-${i}-${j}`), imageId, {}, i * 6 + j)),
      () => undo(`V-${i}`),
      () => rescreens.queueDeparted(3),
    ])
    // 11 and 32 have no divisor in common: each is met once, far from its neighbours.
    await Promise.all(work.map(async (_, i) => await work[(i * 11) % work.length]?.()))
    await queueAll(5)
    expect(await queued()).toHaveLength(24)
    expect([await marks(), await query('select from bank_match')]).toEqual([[], []])
  })
})

describe('a queued listing', () => {
  test('waits until the banks in memory know that the picture left', async () => {
    const imageId = await join('V-1')
    await decided(listing('L'), imageId)
    await undo('V-1')
    await queueAll()
    const change = await head()
    expect(await rescreens.claim(10, PAUSES, change - 1n)).toEqual([])
    expect(await rescreens.claim(10, PAUSES, change)).toMatchObject([{ attempts: 1, afterChange: change }])
    // Another departure while it is being tried: that try does not end it.
    const again = await join('V-2')
    await query(`insert into bank_match values ($1, 'L', 1)`, [again])
    await undo('V-2')
    await queueAll()
    const end = (afterChange: bigint) =>
      rescreens.settle(['L'], () => ({
        settlement: NOTHING,
        ended: [{ listingId: 'L', revision: 1, afterChange }],
        waiting: [],
      }))
    await end(change)
    expect(await rescreens.claim(10, PAUSES, change)).toEqual([])
    expect(await rescreens.claim(10, PAUSES, await head())).toMatchObject([{ attempts: 1, afterChange: change + 2n }])
    await end(change + 2n)
    expect(await queued()).toEqual([])
  })

  test('is bound to the bytes that its case shows, or that were seen when it began to wait', async () => {
    const imageId = await join('V-1')
    await decided([...listing('shown'), ...listing('waits')], imageId)
    await query(`update listing set case_id = 'C-' || listing_id`)
    await query(`insert into case_picture (case_id, revision, ordinal, sha256) values
      ('C-shown', 1, 1, 'b'), ('C-shown', 1, 3, 'd'), ('C-shown', 2, 0, 'newer'), ('C-waits', 1, 0, 'swapped')`)
    await query(`insert into rescreen (listing_id, revision, attempts, due_at, seen)
      values ('waits', 1, 5, now() + interval '1 day', '["first", null]')`)
    await undo('V-1')
    await queueAll()
    const due = await rescreens.claim(10, PAUSES, await head())
    expect(new Map(due.map((one) => [one.listing.listingId, [one.attempts, one.seen]]))).toEqual(
      new Map([
        ['shown', [1, [null, 'b', null, 'd']]],
        ['waits', [1, ['first', null]]],
      ]),
    )
  })
})
