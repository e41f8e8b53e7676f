// Real: how partitions are placed, handed over and taken back. The fetching and the brokers' ranges are the test's.
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { RawMessage } from '../../../../src/adapters/kafka-log/internals.ts'
import { createPartitions } from '../../../../src/adapters/kafka-log/subscription-partitions.ts'
import { createRanges } from '../../../../src/adapters/kafka-log/subscription-range.ts'
import type { Batch, Consumer } from '../../../../src/pipeline/log/ports.ts'

const logger = pino({ level: 'silent' })
const messages = (from: number, count: number): RawMessage[] =>
  Array.from({ length: count }, (_, i) => ({
    offset: String(from + i),
    timestamp: '1700000000000',
    key: null,
    value: Buffer.alloc(10),
    headers: {},
    isControlRecord: false,
  }))
const fetch = (from: number, count: number) => ({
  from: BigInt(from),
  next: BigInt(from + count),
  end: 1_000n,
  messages: messages(from, count),
})
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

function start(consumer: Partial<Consumer> = {}, limits: { maxRecords?: number; concurrency?: number } = {}) {
  const range = { low: 0n, high: 1_000n }
  const fetching: string[] = []
  const failures: unknown[] = []
  const handled: Batch[] = []
  const partitions = createPartitions({
    options: { topic: 't', group: 'g', maxRecords: 10, maxBytes: 10_000, concurrency: 4, ...limits },
    consumer: {
      place: async (_t, _p, low) => low,
      handle: async (batch) => (handled.push(batch), 'committed'),
      ...consumer,
    },
    ranges: createRanges('t', async () => [0, 1, 2].map((partition) => ({ partition, ...range })), logger),
    logger,
    patienceMs: 50,
    fetching: {
      pause: (partition) => fetching.push(`pause ${partition}`),
      resume: (partition) => fetching.push(`resume ${partition}`),
      place: (partition, offset) => fetching.push(`place ${partition}@${offset}`),
    },
    mayHand: () => true,
    fail: (error) => failures.push(error),
  })
  return { partitions, fetching, failures, handled, range }
}

test('a fetch that did not begin where it should is never handed over: the partition is placed anew', async () => {
  const { partitions, fetching, handled, failures } = start()
  partitions.give([0])
  await until(() => fetching.includes('place 0@0'))
  partitions.fetched(0, fetch(5, 3))
  await until(() => fetching.filter((each) => each === 'place 0@0').length === 2)
  partitions.fetched(0, fetch(0, 3))
  await until(() => handled.length === 1)
  expect(handled[0]?.from).toBe(0n)
  expect(failures).toEqual([])
})

test('where the log no longer holds the offset, a fetch from elsewhere ends the reading; so does one of control records behind a gap', async () => {
  for (const isSkip of [false, true]) {
    const { partitions, fetching, handled, failures, range } = start()
    partitions.give([0])
    await until(() => fetching.includes('place 0@0'))
    range.low = 5n
    if (isSkip) partitions.skipped(0, 5n, 8n, 1_000n)
    else partitions.fetched(0, fetch(5, 3))
    await until(() => failures.length > 0)
    expect(failures).toMatchObject([{ code: 'offset-out-of-range' }])
    expect(handled).toEqual([])
  }
})

test('control records behind a gap that is no loss move the offset over both', async () => {
  const { partitions, fetching, handled, failures } = start()
  partitions.give([0])
  await until(() => fetching.includes('place 0@0'))
  partitions.skipped(0, 5n, 8n, 1_000n)
  await until(() => handled.length === 1)
  expect(handled.map(({ from, next, records }) => [from, next, records.length])).toEqual([[0n, 8n, 0]])
  expect(fetching.at(-1)).toBe('place 0@8')
  expect(failures).toEqual([])
})

test('control records from before the position place it anew and move nothing', async () => {
  const { partitions, fetching, handled } = start({ place: async () => 20n })
  partitions.give([0])
  await until(() => fetching.includes('place 0@20'))
  partitions.skipped(0, 5n, 8n, 1_000n)
  await until(() => fetching.filter((each) => each === 'place 0@20').length === 2)
  expect(handled).toEqual([])
})

test('an end that lies behind for a moment after an election is looked at again', async () => {
  const state = start({ place: async () => 20n })
  state.range.high = 10n
  state.partitions.give([0])
  setTimeout(() => (state.range.high = 30n), 100)
  await until(() => state.fetching.includes('place 0@20'))
  expect(state.failures).toEqual([])
})

test('fetching stands still while a batch waits behind one in hand, and goes on when there is room', async () => {
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  const { partitions, fetching } = start({ handle: async () => (await gate, 'committed') })
  partitions.give([0])
  await until(() => fetching.includes('place 0@0'))
  fetching.length = 0
  partitions.fetched(0, fetch(0, 10))
  expect(fetching).toEqual([])
  partitions.fetched(0, fetch(10, 10))
  expect(fetching).toEqual(['pause 0'])
  release()
  await until(() => fetching.length > 1)
  expect(fetching).toEqual(['pause 0', 'resume 0'])
})

test('what was taken away is told so, its later batches are dropped, and a slow one holds the others up no longer than they wait', async () => {
  const told: string[] = []
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  const { partitions, fetching } = start(
    {
      handle: async (batch, lost) => {
        told.push(`${batch.from} begins`)
        lost.addEventListener('abort', () => told.push(`${batch.from} lost`))
        await gate
        return 'committed'
      },
    },
    { maxRecords: 5 },
  )
  partitions.give([0])
  await until(() => fetching.includes('place 0@0'))
  partitions.fetched(0, fetch(0, 5))
  partitions.fetched(0, fetch(5, 5))
  await partitions.revoke()
  expect(told).toEqual(['0 begins', '0 lost'])
  expect(partitions.held()).toEqual([])
  // Given back while the old batch is still in hand: never two of one partition.
  partitions.give([0])
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(fetching.filter((each) => each.startsWith('place'))).toEqual(['place 0@0'])
  release()
  await until(() => fetching.filter((each) => each.startsWith('place')).length === 2)
  expect(told).toEqual(['0 begins', '0 lost'])
})

test('whoever is moved again and again does not ask without a pause, and a commit ends that', async () => {
  const asked: number[] = []
  let moves = 0
  const { partitions, fetching } = start({
    place: async () => (asked.push(performance.now()), 0n),
    handle: async () => ((moves += 1) <= 3 ? 'moved' : 'committed'),
  })
  partitions.give([0])
  for (let i = 1; i <= 4; i += 1) {
    await until(() => fetching.filter((each) => each === 'place 0@0').length === i)
    partitions.fetched(0, fetch(0, 1))
  }
  await until(() => moves === 4)
  const gaps = asked.slice(1).map((at, i) => at - (asked[i] ?? 0))
  expect(gaps[1]).toBeGreaterThan(90)
  expect(gaps[2]).toBeGreaterThan(190)
})

test('what cannot be read fails when everything before it is committed, and is fetched no more until then', async () => {
  const release = Promise.withResolvers<void>()
  let result: 'committed' | 'moved' = 'moved'
  const refusal = new Error('unreadable')
  const { partitions, fetching, failures } = start({ handle: async () => (await release.promise, result) })
  partitions.give([0])
  await until(() => fetching.includes('place 0@0'))
  partitions.fetched(0, fetch(0, 25))
  partitions.unreadable(0, 25n, refusal)
  expect(fetching.at(-1)).toBe('pause 0')
  release.resolve()
  // Not committed: the store says where to go on, and what cannot be read is met again there, or not.
  await until(() => fetching.filter((each) => each === 'place 0@0').length === 2)
  expect(failures).toEqual([])
  result = 'committed'
  fetching.length = 0
  partitions.fetched(0, fetch(0, 25))
  partitions.unreadable(0, 25n, refusal)
  await until(() => failures.length > 0)
  expect([failures[0], partitions.handled.get(0)]).toEqual([refusal, 25n])
  expect(fetching.filter((each) => each !== 'pause 0')).toEqual([])
})

test('what cannot be read elsewhere than where reading goes on fails nothing: the partition is placed anew', async () => {
  const { partitions, fetching, failures } = start()
  partitions.give([0])
  await until(() => fetching.includes('place 0@0'))
  partitions.unreadable(0, 5n, new Error('unreadable'))
  await until(() => fetching.filter((each) => each === 'place 0@0').length === 2)
  expect(failures).toEqual([])
})
