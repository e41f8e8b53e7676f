// Real: the queue between fetches and batches, with records as kafkajs gives them.
import { expect, test } from 'vitest'
import type { RawMessage } from '../../../../src/adapters/kafka-log/internals.ts'
import { createQueue } from '../../../../src/adapters/kafka-log/subscription-queue.ts'

const message = (offset: number, size = 10): RawMessage => ({
  offset: String(offset),
  timestamp: '1700000000000',
  key: null,
  value: Buffer.alloc(size),
  headers: {},
  isControlRecord: false,
})
const messages = (from: number, count: number, size = 10): RawMessage[] =>
  Array.from({ length: count }, (_, i) => message(from + i, size))
const shape = (queue: ReturnType<typeof createQueue>): [number, number, number[]][] => {
  const all: [number, number, number[]][] = []
  for (let batch = queue.take(); batch !== undefined; batch = queue.take())
    all.push([Number(batch.from), Number(batch.next), batch.records.map((r) => Number(r.offset))])
  return all
}

test('each batch begins where the one before it ended, and the last covers the control records at the end of the fetch', () => {
  const queue = createQueue('t', 0, 100n, { maxRecords: 2, maxBytes: 1_000 })
  // Aborted records at 100 and 101, control records at 102 and 106 to 108.
  queue.add({ from: 100n, next: 109n, end: 120n, messages: messages(103, 3) })
  expect(queue.next).toBe(109n)
  expect(shape(queue)).toEqual([
    [100, 105, [103, 104]],
    [105, 109, [105]],
  ])
  expect(queue.empty).toBe(true)
})

test('nothing but control records still moves the offset, and joins what waits', () => {
  const queue = createQueue('t', 0, 5n, { maxRecords: 10, maxBytes: 1_000 })
  queue.add({ from: 5n, next: 8n, end: 8n, messages: [] })
  expect(shape(queue)).toEqual([[5, 8, []]])
  queue.add({ from: 8n, next: 10n, end: 12n, messages: messages(8, 2) })
  queue.add({ from: 10n, next: 12n, end: 12n, messages: [] })
  expect(shape(queue)).toEqual([[8, 12, [8, 9]]])
})

test('small fetches come together up to the limits, a record larger than the limit alone', () => {
  const queue = createQueue('t', 0, 0n, { maxRecords: 4, maxBytes: 100 })
  queue.add({ from: 0n, next: 1n, end: 9n, messages: messages(0, 1, 40) })
  queue.add({ from: 1n, next: 3n, end: 9n, messages: messages(1, 2, 40) })
  expect(queue.full).toBe(true)
  queue.add({ from: 3n, next: 4n, end: 9n, messages: messages(3, 1, 500) })
  queue.add({ from: 4n, next: 9n, end: 9n, messages: messages(4, 5, 1) })
  expect(shape(queue)).toEqual([
    [0, 2, [0, 1]],
    [2, 3, [2]],
    [3, 4, [3]],
    [4, 8, [4, 5, 6, 7]],
    [8, 9, [8]],
  ])
  expect(queue.full).toBe(false)
})

test('headers and keys count, and it is full at so many records too', () => {
  const queue = createQueue('t', 0, 0n, { maxRecords: 3, maxBytes: 100 })
  const heavy = {
    ...message(0, 0),
    key: Buffer.alloc(50),
    headers: { a: Buffer.alloc(30), b: [Buffer.alloc(30), null] },
  }
  queue.add({ from: 0n, next: 2n, end: 2n, messages: [heavy, message(1)] })
  expect(queue.full).toBe(true)
  expect(shape(queue)).toEqual([
    [0, 1, [0]],
    [1, 2, [1]],
  ])
  queue.add({ from: 2n, next: 4n, end: 5n, messages: messages(2, 2, 1) })
  expect(queue.full).toBe(false)
  queue.add({ from: 4n, next: 5n, end: 5n, messages: messages(4, 1, 1) })
  expect(queue.full).toBe(true)
})
