// Commits that go together into one transaction of a real PostgreSQL: the same end as one after the other.
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { connect } from '../../src/adapters/postgres/connect.ts'
import { createGateStore } from '../../src/adapters/postgres/gate-store.ts'
import type { GateStore, Settlement } from '../../src/pipeline/ports.ts'
import { decide, GROUP, INPUT, listings, OUTPUTS } from '../contracts/store-samples.ts'
import { PARTITIONS, startGroups, type Groups } from './store-groups.ts'
import { startWire } from './store-wire.ts'

describe('commits in groups', () => {
  let g: Groups
  beforeEach(async () => {
    g = await startGroups()
  })
  afterEach(() => g.close())

  test('what waits goes together; an offset that has moved is left out of it', async () => {
    const results = await g.asOneGroup(() => [
      g.commit(1, listings('a', 2)),
      g.commit(2, listings('b', 3)),
      g.commit(3, listings('c', 1), { from: 7n }),
      g.commit(4, listings('d', 1)),
    ])
    expect(results.map((one) => one.status === 'fulfilled' && one.value)).toEqual([
      'committed',
      'committed',
      'moved',
      'committed',
    ])
    expect(await g.transactions()).toEqual([['a-0', 'a-1', 'b-0', 'b-1', 'b-2', 'd-0'], ['first-0']])
    expect(await g.next()).toEqual([1, 2, 3, 0, 1, 0])
    await g.expectDense()
  })

  test('each decision of a group names what was shown for it, and those without pictures nothing', async () => {
    const digestOf = (listingId: string) => Buffer.from(listingId.padEnd(32)).toString('hex')
    const naming = (settled: Settlement): Settlement => ({
      ...settled,
      shown: new Map(settled.decisions.map((one) => [one.decisionId, digestOf(one.listingId)])),
    })
    await g.asOneGroup(() => [
      g.commit(1, listings('a', 2), { change: naming }),
      g.commit(2, listings('b', 1)),
      g.commit(3, listings('c', 1), { change: naming }),
    ])
    const { rows } = await g.watch.query<{ listing_id: string; shown: string | null }>(
      `select listing_id, encode(shown, 'hex') as shown from decision order by listing_id`,
    )
    const named = ['a-0', 'a-1', 'c-0']
    expect(Object.fromEntries(rows.map((row) => [row.listing_id, row.shown]))).toEqual({
      ...Object.fromEntries(named.map((id) => [id, digestOf(id)])),
      'b-0': '',
      'first-0': '',
    })
  })

  test('two commits that name one listing: the second settles on what the first wrote', async () => {
    const results = await g.asOneGroup(() => [
      g.commit(1, [{ listingId: 'L', revision: 1 }]),
      g.commit(2, [{ listingId: 'L', revision: 2 }]),
      g.commit(3, [{ listingId: 'M', revision: 1 }]),
    ])
    expect(results.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    expect(await g.transactions()).toEqual([['L'], ['L', 'M'], ['first-0']])
    expect((await g.node.reader.history('L'))?.decisions.map((one) => [one.sequence, one.revision])).toEqual([
      [1, 1],
      [2, 2],
    ])
    await g.expectDense()
  })

  test('offsets are locked by partition whatever the order of the commits, so that no two processes wait for each other', async () => {
    const other = await g.client()
    await other.query('begin')
    await other.query('select from input_offset where part = 3 for update')
    const group = g.asOneGroup(() =>
      [5, 4, 3, 2, 1].map((partition) => g.commit(partition, listings(`p${partition}`, 1))),
    )
    await vi.waitFor(async () => expect((await g.watch.query('select from decision')).rowCount).toBe(1))
    await g.waitsForLock()
    const free = await g.watch.query<{ part: number }>(
      'select part from input_offset where part > 0 order by part for update skip locked',
    )
    await other.query('rollback')
    await other.end()
    expect((await group).map((one) => one.status === 'fulfilled' && one.value)).toEqual(Array(5).fill('committed'))
    expect(free.rows).toEqual([{ part: 4 }, { part: 5 }])
  })

  test('a commit that waits for somebody else’s lock does not keep the others of its process from committing', async () => {
    await g.admin.query('begin')
    await g.admin.query('select from input_offset where part = 0 for update')
    const stuck = g.commit(0, listings('first', 1))
    expect(await Promise.all([g.commit(1, listings('a', 1)), g.commit(2, listings('b', 1))])).toEqual([
      'committed',
      'committed',
    ])
    await g.admin.query('rollback')
    expect(await stuck).toBe('committed')
  })

  test('a commit takes two round trips, however many go together, and one that has moved two as well', async () => {
    const wire = await startWire(g.shared.url)
    const database = await connect(wire.url)
    try {
      const store = await createGateStore({ pool: database.deciding, outputs: OUTPUTS })
      const taken = async (work: () => Promise<unknown>): Promise<number> => {
        const before = wire.roundTrips
        await work()
        return wire.roundTrips - before
      }
      expect(await taken(() => g.commit(1, listings('a', 3), { store }))).toBe(2)
      expect(await taken(() => g.commit(1, listings('a', 3), { store }))).toBe(2)
      const four = (): Promise<unknown> =>
        Promise.all([2, 3, 4, 5].map((partition) => g.commit(partition, listings(`p${partition}`, 20), { store })))
      // The first one alone, the others together.
      expect(await taken(four)).toBe(4)
    } finally {
      await wire.close()
      await database.close()
    }
  })

  test('two processes that commit the same partitions and listings at once: no deadlock, nothing twice, nothing lost', async () => {
    const nodes = [g.node, await g.shared.node(), await g.shared.node()]
    const all = listings('shared', 24)
    const lane = async (store: GateStore, partition: number, turn: number): Promise<void> => {
      for (;;) {
        const from = await store.place(GROUP, INPUT, partition, 0n)
        if (from >= 12n) return
        // The same two records whoever reads them: six listings that all partitions share, each in another order.
        const wanted = [0, 5].map((step) => ({
          listingId: all[(Number(from) * 5 + partition + step * turn) % 6]?.listingId ?? '',
          revision: Number(from) * PARTITIONS + partition + 1,
        }))
        await g.commit(partition, wanted, { from, store })
      }
    }
    await Promise.all(
      nodes.flatMap(({ store }, turn) =>
        Array.from({ length: PARTITIONS }, (_, partition) => lane(store, partition, turn + 1)),
      ),
    )
    expect(await g.next()).toEqual(Array.from({ length: PARTITIONS }, () => 12))
    await g.expectDense()
  })

  test('whatever comes at once: the same listings are decided as one after the other', async () => {
    const span = fc.record({ partition: fc.nat(PARTITIONS - 1), count: fc.integer({ min: 0, max: 4 }) })
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(span, { maxLength: 24 }), async (spans) => {
        run += 1
        const group = `run-${run}`
        const expected: string[] = []
        const lanes = Array.from({ length: PARTITIONS }, async (_, partition) => {
          let from = await g.node.store.place(group, INPUT, partition, 0n)
          for (const [i, { count }] of [...spans.entries()].filter(([, one]) => one.partition === partition)) {
            const wanted = listings(`${group}/${partition}/${i}`, count)
            expected.push(...wanted.map((one) => one.listingId))
            const to = from + BigInt(count + 1)
            const result = await g.node.store.commit(
              { group, topic: INPUT, partition, from, next: to },
              wanted,
              (known) => decide(wanted, known),
            )
            expect(result).toBe('committed')
            from = to
          }
        })
        await Promise.all(lanes)
        const { rows } = await g.admin.query<{ listing_id: string }>(
          'select listing_id from decision where starts_with(listing_id, $1)',
          [`${group}/`],
        )
        expect(rows.map((row) => row.listing_id).toSorted()).toEqual(expected.toSorted())
      }),
      { numRuns: 15 },
    )
    await g.expectDense()
  })
})
