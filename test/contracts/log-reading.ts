// Contract of the log, part two: what a batch is, where it begins and ends, and how large it may be.
import { expect, test } from 'vitest'
import type { Batch, BatchResult } from '../../src/pipeline/log/ports.ts'
import { client, createLedger, eventually, follow, record, text, topicOf, type LogHarness } from './log-support.ts'

export function reading(harness: () => LogHarness): void {
  test('place is called before the first batch of a partition, and reading begins where it says', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 2)
    await log.append(
      topic,
      Array.from({ length: 40 }, (_, i) => record(`k${i}`, String(i))),
    )
    const ranges = await log.ranges(topic)
    const ledger = createLedger(new Map(ranges.map((r) => [r.partition, 3n])))
    const placed: [string, number, bigint][] = []
    const early: Batch[] = []
    follow(
      log,
      { topic },
      {
        place: async (name, partition, low) => {
          placed.push([name, partition, low])
          return ledger.place(name, partition, low)
        },
        handle: async (batch) => {
          if (!placed.some(([, partition]) => partition === batch.partition)) early.push(batch)
          return ledger.commit(batch, 'me')
        },
      },
    )
    await ledger.until(() => ledger.records().length >= 34)
    expect(early).toEqual([])
    expect(placed.sort((a, b) => a[1] - b[1])).toEqual([
      [topic, 0, 0n],
      [topic, 1, 0n],
    ])
    for (const { partition } of ranges)
      expect(ledger.batches.find((b) => b.batch.partition === partition)?.batch.from).toBe(3n)
    expect(ledger.records()).toHaveLength(34)
  })

  test('moved leads to a new place, and reading goes on from there', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    await log.append(
      topic,
      Array.from({ length: 10 }, (_, i) => record('k', String(i))),
    )
    // Somebody else moved the offset to 6 while the first batch was worked on.
    const positions = [0n, 6n]
    const places: bigint[] = []
    const froms: bigint[] = []
    const batches: Batch[] = []
    follow(
      log,
      { topic, maxRecords: 4 },
      {
        place: async () => {
          const position = positions.shift() ?? 99n
          places.push(position)
          return position
        },
        handle: async (batch) => {
          froms.push(batch.from)
          if (batch.from < 6n) return 'moved'
          batches.push(batch)
          return 'committed'
        },
      },
    )
    await eventually(() => batches.length === 1)
    expect(places).toEqual([0n, 6n])
    expect(froms).toEqual([0n, 6n])
    expect(batches[0]?.records.map((r) => r.offset)).toEqual([6n, 7n, 8n, 9n])
  })

  test('a batch says where its fetch began, where the next begins and where the log ends', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    await log.append(
      topic,
      Array.from({ length: 25 }, (_, i) => record('k', String(i))),
    )
    const ledger = createLedger()
    follow(log, { topic, maxRecords: 10 }, ledger)
    await ledger.until(() => ledger.records().length >= 25)
    for (const { batch } of ledger.batches) {
      expect(batch.records.length).toBeLessThanOrEqual(10)
      expect([batch.topic, batch.partition, batch.end]).toEqual([topic, 0, 25n])
      expect(batch.records[0]?.offset).toBe(batch.from)
      expect(batch.next).toBe((batch.records.at(-1)?.offset ?? -9n) + 1n)
    }
    expect(ledger.records().map((r) => Number(r.offset))).toEqual(Array.from({ length: 25 }, (_, i) => i))
  })

  test('holes are passed: from is where the fetch began, next lies beyond a hole at the end', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    await harness().leaveHole(topic, 0)
    await log.append(topic, [record('k', 'a')])
    await harness().leaveHole(topic, 0)
    await log.append(topic, [record('k', 'b')])
    await harness().leaveHole(topic, 0)
    const [range] = await log.ranges(topic)
    const ledger = createLedger()
    follow(log, { topic }, ledger)
    await ledger.until(() => ledger.batches.at(-1)?.batch.next === range?.high)
    expect(ledger.values()).toEqual(['a', 'b'])
    let position = 0n
    for (const { batch } of ledger.batches) {
      expect(batch.from).toBe(position)
      position = batch.next
    }
    // What is appended behind the hole is read from where the hole ended.
    await log.append(topic, [record('k', 'c')])
    await ledger.until(() => ledger.values().length === 3)
    expect(ledger.values()).toEqual(['a', 'b', 'c'])
  })

  test('batches keep to maxBytes, and a larger record comes alone', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    const sizes = [300, 300, 300, 5_000, 300, 900, 900, 20_000, 20_000, 100]
    await log.append(
      topic,
      sizes.map((size) => ({ key: text('k'), value: new Uint8Array(size), headers: {} })),
    )
    const ledger = createLedger()
    follow(log, { topic, maxBytes: 1_000 }, ledger)
    await ledger.until(() => ledger.records().length === sizes.length)
    expect(ledger.records().map((r) => r.value?.length)).toEqual(sizes)
    for (const { batch } of ledger.batches) {
      const bytes = batch.records.reduce((sum, r) => sum + (r.value?.length ?? 0), 0)
      if (batch.records.length > 1) expect(bytes).toBeLessThanOrEqual(1_000)
    }
    const large = ledger.batches.filter(({ batch }) => batch.records.some((r) => (r.value?.length ?? 0) > 1_000))
    expect(large.map(({ batch }) => batch.records.length)).toEqual([1, 1, 1])
  })

  test('no more partitions are worked on at once than asked, and never two batches of one', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 6)
    await log.append(
      topic,
      Array.from({ length: 120 }, (_, i) => record(`key-${i}`, String(i))),
    )
    const ledger = createLedger()
    const busy: number[] = []
    let [most, twice] = [0, 0]
    follow(
      log,
      { topic, maxRecords: 5, concurrency: 2 },
      {
        place: ledger.place,
        handle: async (batch) => {
          if (busy.includes(batch.partition)) twice += 1
          busy.push(batch.partition)
          most = Math.max(most, busy.length)
          await new Promise((resolve) => setTimeout(resolve, 2))
          busy.splice(busy.indexOf(batch.partition), 1)
          return ledger.commit(batch, 'me')
        },
      },
    )
    await ledger.until(() => ledger.records().length === 120)
    expect([most, twice]).toEqual([2, 0])
  })

  test('a partition whose batch hangs does not hold up the others', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 3)
    await log.append(
      topic,
      Array.from({ length: 60 }, (_, i) => record(`key-${i}`, String(i))),
    )
    const expected = (await log.ranges(topic))
      .filter((r) => r.partition !== 0)
      .reduce((sum, r) => sum + Number(r.high), 0)
    const ledger = createLedger()
    let release = (): void => undefined
    const hanging = new Promise<void>((resolve) => (release = resolve))
    follow(
      log,
      { topic, maxRecords: 5, concurrency: 2 },
      {
        place: ledger.place,
        handle: async (batch) => {
          if (batch.partition === 0) await hanging
          return ledger.commit(batch, 'me')
        },
      },
    )
    await ledger.until(() => ledger.records().length === expected)
    expect(ledger.values(0)).toEqual([])
    release()
    await ledger.until(() => ledger.records().length === 60)
  })

  test('a batch that waits takes no lane, and the next of its partition is handed over; after moved all are ended before it is placed again', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 2)
    await log.append(
      topic,
      Array.from({ length: 40 }, (_, i) => record(`key-${i}`, String(i))),
    )
    const inHand = new Map<number, bigint[]>([
      [0, []],
      [1, []],
    ])
    const placedWith: number[] = []
    const working: number[] = []
    let most = 0
    const moved = Promise.withResolvers<BatchResult>()
    let isMoved = false
    const ledger = createLedger()
    follow(
      log,
      { topic, maxRecords: 2, concurrency: 1 },
      {
        place: async (name, partition, low) => {
          placedWith.push(inHand.get(partition)?.length ?? -1)
          return ledger.place(name, partition, low)
        },
        handle: async (batch, _lost, waits) => {
          const { partition, from } = batch
          working.push(partition)
          most = Math.max(most, working.length)
          await new Promise((resolve) => setTimeout(resolve, 2))
          working.splice(working.indexOf(partition), 1)
          if (isMoved) return ledger.commit(batch, 'me')
          const own = inHand.get(partition) ?? []
          own.push(from)
          // The third of each partition gives no way: nothing comes behind it.
          if (own.length < 3) waits?.()
          const result = await moved.promise
          // Not all at once: the last one still is in hand when the others have ended.
          await new Promise((resolve) => setTimeout(resolve, own.indexOf(from) * 30))
          own.splice(own.indexOf(from), 1, -1n)
          if (own.every((one) => one === -1n)) own.length = 0
          return result
        },
      },
    )
    const waiting = () => [...inHand.values()].map((own) => own.length).toSorted((a, b) => a - b)
    // The lane is held by whichever came third; the other partition has had its turns between.
    await eventually(() => waiting().includes(3))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(waiting()[1]).toBe(3)
    for (const own of inHand.values()) expect(own).toEqual([0n, 2n, 4n].slice(0, own.length))
    isMoved = true
    moved.resolve('moved')
    await ledger.until(() => ledger.records().length === 40)
    expect(placedWith).toEqual(placedWith.map(() => 0))
    expect(placedWith.length).toBeGreaterThan(2)
    expect(most).toBe(1)
  })

  test('retention moves low; reading goes on above it, and read begins at the first record that is left', async () => {
    const log = await client(harness())
    const topic = await topicOf(log, 1)
    await log.append(
      topic,
      Array.from({ length: 10 }, (_, i) => record('k', String(i))),
    )
    await harness().expire(topic, 0, 4n)
    expect(await log.ranges(topic)).toEqual([{ partition: 0, low: 4n, high: 10n }])
    const places: bigint[] = []
    const ledger = createLedger()
    follow(
      log,
      { topic },
      {
        place: async (name, partition, low) => (places.push(low), ledger.place(name, partition, low)),
        handle: ledger.handle,
      },
    )
    await ledger.until(() => ledger.records().length === 6)
    expect(places).toEqual([4n])
    await harness().expire(topic, 0, 10n)
    expect(await log.ranges(topic)).toEqual([{ partition: 0, low: 10n, high: 10n }])
    // An emptied partition goes on counting.
    expect(await log.append(topic, [record('k', 'next')])).toEqual([{ partition: 0, offset: 10n }])
    await ledger.until(() => ledger.records().length === 7)
  })
}
