// The outbox in ranges on a real PostgreSQL: who may publish what, what is read, and marks that move by compare-and-set.
import { beforeEach, describe, expect, test } from 'vitest'
import { createOutbox } from '../../src/adapters/postgres/outbox.ts'
import { createRangeOutbox } from '../../src/adapters/postgres/outbox-ranges.ts'
import type { RangeOutbox } from '../../src/pipeline/publishing/ports.ts'
import {
  commitAll,
  DEAD_LETTERS,
  DECISIONS,
  GROUP,
  INPUT,
  listings,
  NOTHING,
  utf8,
} from '../contracts/store-samples.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

describe('the outbox in ranges', () => {
  let node: PostgresNode
  const topics = [DECISIONS, DEAD_LETTERS]
  beforeEach(async () => {
    node = await freshNode()
  })
  const ranges = (owner: string, courtesyMs = 500): Promise<RangeOutbox> =>
    createRangeOutbox({ pool: node.database.deciding, topics, owner, courtesyMs })
  const sql = (text: string) => node.database.deciding.query(text)
  /** The clock of the database goes on. */
  const pass = (ms: number) => sql(`update outbox_lease set until = until - ${ms} * interval '1 ms'`)

  test('a range has one owner while its lease lasts, and another epoch whenever it was not held without a break', async () => {
    const [one, two] = [await ranges('one'), await ranges('two')]
    const first = await one.lease('0')
    expect(first?.validMs).toBeLessThan(3_000)
    expect(await two.lease('0')).toBeUndefined()
    expect((await one.lease('0'))?.epoch).toBe(first?.epoch)
    await pass(4_000)
    expect((await one.lease('0'))?.epoch).toBe((first?.epoch ?? 0n) + 1n)
    await pass(4_000)
    expect((await two.lease('0'))?.epoch).toBe((first?.epoch ?? 0n) + 2n)
    expect(await one.lease('0')).toBeUndefined()
    await one.release('0')
    expect(await one.lease('0')).toBeUndefined()
    await two.release('0')
    expect((await one.lease('0'))?.epoch).toBe((first?.epoch ?? 0n) + 3n)
  })

  test('two that ask at once for a range that nobody ever had: one gets it', async () => {
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => ranges(owner)))
    const leases = await Promise.all(all.map((one) => one.lease('2')))
    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1)
  })

  test('whoever has ranges leaves a free one to others for a moment, and takes it when nobody comes', async () => {
    const [one, two] = [await ranges('one'), await ranges('two')]
    expect(await one.lease('0')).toBeDefined()
    expect(await one.lease('1')).toBeUndefined()
    expect(await two.lease('1')).toBeDefined()
    expect(await two.lease('2')).toBeUndefined()
    await sql(`update outbox_lease set until = until - interval '600 ms' where name like '%2'`)
    expect(await two.lease('2')).toBeDefined()
    // It has two now, so it owes the next one more time.
    await one.release('0')
    await sql(`update outbox_lease set until = until - interval '600 ms' where name like '%0'`)
    expect(await two.lease('0')).toBeUndefined()
    await sql(`update outbox_lease set until = until - interval '600 ms' where name like '%0'`)
    expect(await two.lease('0')).toBeDefined()
  })

  test('rows come in order from where each place stands, a long backlog starves nobody, and large rows come fewer at a time', async () => {
    const one = await ranges('one')
    await node.store.place(GROUP, INPUT, 0, 0n)
    const rows = Array.from({ length: 300 }, (_, i) => ({
      topic: DECISIONS,
      key: utf8('one-key'),
      value: new Uint8Array(i < 3 ? 1_500_000 : 10),
      headers: {},
      marketplace: null,
    }))
    await node.store.commit({ group: GROUP, topic: INPUT, partition: 0, from: 0n, next: 1n }, [], () => ({
      ...NOTHING,
      outbox: rows,
    }))
    await commitAll(node.store, listings('L', 40))
    const from = one.places.map((place) => ({ ...place, position: 0n }))
    const read = await one.after(from, 200)
    expect(read.length).toBeLessThanOrEqual(200)
    expect(new Set(read.map((row) => `${row.topic}/${row.partition}`)).size).toBe(4)
    for (const some of Map.groupBy(read, (row) => row.partition).values())
      expect(some.map((row) => row.position)).toEqual(some.map((_, i) => BigInt(i + 1)))
    const large = read.filter((row) => (row.value?.length ?? 0) > 1_000_000)
    expect(large).toHaveLength(1)
    const [first] = large
    const rest = await one.after([{ topic: DECISIONS, partition: first?.partition ?? 0, position: 3n }], 50)
    expect(rest.map((row) => row.position)).toEqual(Array.from({ length: 50 }, (_, i) => BigInt(i + 4)))
  })

  test('a position that is missing is never passed over', async () => {
    await commitAll(node.store, listings('L', 40))
    const one = await ranges('one')
    const from = one.places.map((place) => ({ ...place, position: 0n }))
    await sql('delete from outbox where part = 1 and pos = 2')
    await expect(one.after(from, 1_000)).rejects.toThrow('has a hole')
    await sql('delete from outbox where part = 1')
    await expect(one.after(from, 1_000)).rejects.toThrow('has a hole')
  })

  test('marks move all or none, back too, and rows are kept until they are old', async () => {
    await commitAll(node.store, listings('L', 40))
    const one = await ranges('one')
    const marks = await one.marks(one.places)
    const moves = marks
      .filter((mark) => mark.head > 0n)
      .map(({ topic, partition, head, tail }) => ({ topic, partition, from: tail, to: head }))
    const [first] = moves
    if (first === undefined) throw new Error('nothing waits')
    expect(await one.mark(moves.map((move, i) => (i === 1 ? { ...move, from: 1n } : move)))).toBe(false)
    expect(await one.marks(one.places)).toEqual(marks)
    expect((await one.backlog()).rows).toBe(40)
    expect(await one.mark(moves)).toBe(true)
    expect(await one.mark(moves)).toBe(false)
    expect((await one.backlog()).rows).toBe(0)
    expect(await one.mark([{ ...first, from: first.to, to: first.from }])).toBe(true)
    expect((await one.backlog()).rows).toBe(Number(first.to))
    await createOutbox({ pool: node.database.deciding }).prune(0)
    expect((await one.marks([first]))[0]?.floor).toBe(0n)
    expect(await one.after([{ ...first, position: 0n }], 1_000)).toHaveLength(Number(first.to))
  })

  test('a mark waits for whoever is moving one of its tails, and goes by what that one left: all or none', async () => {
    const one = await ranges('one')
    const [a, b] = one.places
    if (a === undefined || b === undefined) throw new Error('no places')
    const tails = async () => (await one.marks([a, b])).map((mark) => mark.tail)
    for (const { from, moved } of [
      { from: 3n, moved: true },
      { from: 0n, moved: false },
    ]) {
      await sql('update outbox_tail set pos = 0')
      const other = await node.database.reading.connect()
      await other.query('begin')
      await other.query('update outbox_tail set pos = 3 where topic = $1 and part = $2', [a.topic, a.partition])
      const mark = one.mark([
        { ...b, from: 0n, to: 2n },
        { ...a, from, to: 5n },
      ])
      for (let waits = 0; waits === 0;) waits = (await sql(WAITING)).rowCount ?? 0
      await other.query('commit')
      other.release()
      expect(await mark).toBe(moved)
      expect(await tails()).toEqual(moved ? [5n, 2n] : [3n, 0n])
    }
  })

  test('marks of the same tails in another order never wait for each other crosswise, and one of two wins', async () => {
    const one = await ranges('one')
    for (let round = 0n; round < 20n; round++) {
      const moves = one.places.map((place) => ({ ...place, from: round, to: round + 1n }))
      const four = [moves, moves.toReversed(), moves, moves.toReversed()].map((some) => one.mark(some))
      expect((await Promise.all(four)).filter(Boolean)).toHaveLength(1)
    }
  })

  test('what waits for topics of another prefix is nobody of ours to publish, and not counted', async () => {
    await commitAll(node.store, listings('L', 40))
    const ours = await createRangeOutbox({ pool: node.database.deciding, topics: [DEAD_LETTERS], owner: 'one' })
    expect(await ours.backlog()).toEqual({ rows: 0, seconds: 0 })
    expect((await (await ranges('all')).backlog()).rows).toBe(40)
  })

  test('a store keeps its name, and no two have the same', async () => {
    const pool = (await freshNode()).database.deciding
    const ids = [
      (await ranges('a')).storeId,
      (await ranges('b')).storeId,
      (await createRangeOutbox({ pool, topics })).storeId,
    ]
    expect(ids[0]).toBe(ids[1])
    expect(ids[2]).not.toBe(ids[0])
  })
})

const WAITING = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
