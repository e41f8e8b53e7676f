// The publisher between a real PostgreSQL and a real Kafka: once and in order, whoever dies, and bytes as they were.
import { describe, expect, it } from 'vitest'
import type { OutboxRecord } from '../../src/pipeline/publishing/ports.ts'
import { utf8 } from '../contracts/store-samples.ts'
import { consumeWithJava, produceWithJava, type ConsumedRecord } from '../support/kafka/java.ts'
import { javaOrSkip } from '../support/kafka/kafka.ts'
import { kafkaLegs } from '../support/kafka/legs.ts'
import { diesBeforeTheMark, upTo, worldsOn, type PublishingWorld } from './kafka-publisher-world.ts'

describe.each(kafkaLegs())('publishing to $name', ({ start }) => {
  const world = worldsOn(start)

  it('who dies between commit and mark is followed by one who sends nothing twice', async () => {
    const w = await world()
    await w.commit(w.many('a', 60))
    const dying = await w.process('dying', diesBeforeTheMark)
    for (const publisher of dying.publishers) await expect(publisher.publish()).rejects.toThrow('died before the mark')
    expect(await w.positions()).toEqual(upTo(await w.heads()))
    await w.commit(w.many('b', 60))
    await w.expire()
    await (await w.process('next')).drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })

  it('is held to that: one who trusts the mark of the store sends them twice', async () => {
    const w = await world()
    await w.commit(w.many('a', 60))
    const dying = await w.process('dying', diesBeforeTheMark)
    for (const publisher of dying.publishers) await expect(publisher.publish()).rejects.toThrow('died before the mark')
    await w.expire()
    const blind = await w.process('blind', ({ outbox, log }) => ({
      outbox,
      log: { fence: log.fence.bind(log), lastPublished: () => Promise.resolve([]) },
    }))
    await blind.drain()
    const doubled = (await w.positions()).flat().length
    expect(doubled).toBe(120)
  })

  it('a zombie that lost its range writes nothing that anybody sees', async () => {
    const w = await world()
    await w.commit(w.many('a', 30))
    // Frozen over the end of its lease, it still believes in it and in its writer.
    const zombie = await w.process('zombie', ({ outbox, log }) => ({
      log,
      outbox: { ...outbox, lease: () => Promise.resolve({ epoch: 1n, validMs: 600_000 }) },
    }))
    await zombie.drain()
    await w.commit(w.many('b', 30))
    const next = await w.process('next')
    await next.drain()
    await w.commit(w.many('c', 30))
    for (const publisher of zombie.publishers) await expect(publisher.publish()).rejects.toThrow('fenced')
    expect((await w.positions()).flat()).toHaveLength(60)
    await next.drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })

  it('two processes that take each range from each other at every turn', async () => {
    const w = await world()
    const processes = [await w.process('one'), await w.process('two')]
    let writing = true
    const run = processes.flatMap((process) =>
      process.publishers.map(async (publisher) => {
        while (writing) await publisher.publish().catch(() => undefined)
      }),
    )
    for (let i = 0; i < 10; i++) {
      await w.commit(w.many(`x${i}`, 25))
      await w.expire()
    }
    writing = false
    await Promise.all(run)
    await w.expire()
    await (await w.process('last')).drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
    expect((await w.heads()).reduce((sum, head) => sum + head, 0)).toBe(250)
  })

  it('bytes, tombstones, odd headers and large records come out as they went in, ours only added last', async () => {
    const w = await world()
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const large = new Uint8Array(3_000_000).fill(7)
    const hostile = {
      'touchstone-position': [utf8('999999'), utf8('888888')],
      'touchstone-store': utf8('not-ours'),
      ['__proto__']: utf8('p'),
      constructor: [utf8('c'), null],
      nothing: null,
      bytes,
    }
    await w.commit([
      { key: null, value: bytes, headers: hostile },
      { key: bytes, value: null },
      { key: utf8('large'), value: large },
      { key: utf8('k'), value: new Uint8Array(), headers: { empty: new Uint8Array() } },
    ])
    await (await w.process('one')).drain()
    const records = [...(await w.read()).values()].flat()
    expect(records).toHaveLength(4)
    const find = (key: Uint8Array | null) =>
      records.find((record) =>
        key === null ? record.key === null : record.key !== null && Buffer.from(key).equals(record.key),
      )
    const strange = find(null)
    expect(Buffer.from(strange?.value ?? [])).toEqual(Buffer.from(bytes))
    const texts = (name: string) => {
      const value = Object.getOwnPropertyDescriptor(strange?.headers ?? {}, name)?.value as unknown
      return (Array.isArray(value) ? (value as unknown[]) : [value]).map((one) =>
        one instanceof Uint8Array ? Buffer.from(one).toString() : one,
      )
    }
    expect(texts('touchstone-position')).toEqual(['999999', '888888', '1'])
    expect(texts('touchstone-store')).toEqual(['not-ours', expect.stringMatching(/^[0-9a-f-]{36}$/)])
    expect(texts('__proto__')).toEqual(['p'])
    expect(texts('constructor')).toEqual(['c', null])
    expect(texts('nothing')).toEqual([null])
    expect(find(bytes)?.value).toBeNull()
    expect(Buffer.from(find(utf8('large'))?.value ?? []).equals(Buffer.from(large))).toBe(true)
    expect(find(utf8('k'))?.value).toHaveLength(0)
    // Whoever takes over goes on where we were, not where the stranger said.
    await w.expire()
    await w.commit(w.many('a', 30))
    await (await w.process('two')).drain()
    expect(await w.positions()).toEqual(upTo(await w.heads()))
  })

  it('a store that was restored from a backup is refused, and nothing is sent', async () => {
    const w = await world()
    await w.commit(w.many('a', 60))
    await (await w.process('one')).drain()
    await w.sql.query('update touchstone.outbox_head set pos = pos - 1')
    await w.sql.query('update touchstone.outbox_tail set pos = pos - 3')
    await w.sql.query(
      'delete from touchstone.outbox o using touchstone.outbox_head h where h.part = o.part and o.pos > h.pos',
    )
    await w.expire()
    const restored = await w.process('restored')
    for (const publisher of restored.publishers)
      await expect(publisher.publish()).rejects.toMatchObject({ code: 'store-behind-log' })
    // Also when it has given the positions again, to other rows.
    await w.commit(w.many('b', 60))
    await w.expire()
    for (const publisher of (await w.process('later')).publishers)
      await expect(publisher.publish()).rejects.toMatchObject({ code: 'store-behind-log' })
    expect((await w.positions()).flat()).toHaveLength(60)
  })

  it('two stores on the same topics: the second is refused', async () => {
    const first = await world()
    await first.commit(first.many('a', 60))
    await (await first.process('one')).drain()
    const second = await world({ topic: first.topic, prefix: first.prefix })
    await second.commit(second.many('b', 60))
    for (const publisher of (await second.process('two')).publishers)
      await expect(publisher.publish()).rejects.toMatchObject({ code: 'store-foreign' })
    expect((await first.positions()).flat()).toHaveLength(60)
  })

  it.runIf(javaOrSkip())(
    "Kafka's own client sees every position once and in order, and nothing that was aborted",
    async () => {
      const w = await world()
      await w.commit(w.many('a', 60))
      // Sent and never committed: the next one aborts it.
      const half = await w.process('half', ({ outbox, log }) => ({
        outbox,
        log: {
          lastPublished: log.lastPublished.bind(log),
          fence: async (range) => {
            const writer = await log.fence(range)
            return {
              close: writer.close.bind(writer),
              write: (rows, storeId) => abandoned(w, range, rows, storeId),
            }
          },
        },
      }))
      await expect(half.publishers[0]?.publish()).rejects.toThrow('died with it open')
      await w.expire()
      await (await w.process('next')).drain()
      const read = (isolation: 'read_committed' | 'read_uncommitted') =>
        consumeWithJava({ brokers: w.brokers, topic: w.topic, isolation })
      const committed = await read('read_committed')
      const positionOf = ({ headers }: ConsumedRecord) =>
        Number(
          Buffer.from(headers.findLast(([name]) => name === 'touchstone-position')?.[1] ?? '', 'base64').toString(),
        )
      const heads = await w.heads()
      expect(
        heads.map((_, partition) => committed.filter((one) => one.partition === partition).map(positionOf)),
      ).toEqual(upTo(heads))
      expect((await read('read_uncommitted')).length).toBeGreaterThan(committed.length)
    },
  )
})

/** Sends as the writer of the range would, and dies before the commit. */
async function abandoned(
  w: PublishingWorld,
  range: string,
  rows: readonly OutboxRecord[],
  storeId: string,
): Promise<never> {
  const records = rows.map((row) => ({
    partition: row.partition,
    key: row.key,
    value: row.value,
    headers: [
      ['touchstone-position', utf8(String(row.position))],
      ['touchstone-store', utf8(storeId)],
    ] as const,
  }))
  await produceWithJava({
    brokers: w.brokers,
    topic: w.topic,
    transactional: `${w.prefix}-publisher-${range}`,
    records: ['begin', ...records, 'flush'],
  })
  throw new Error('died with it open')
}
