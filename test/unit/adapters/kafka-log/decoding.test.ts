// Real: kafkajs, as it reads an answer of the brokers. Made up: the answer, byte by byte.
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { readRecords } from '../../../../src/adapters/kafka-log/batches.ts'
import { registerCodecs } from '../../../../src/adapters/kafka-log/codecs.ts'
import { hideAborted } from '../../../../src/adapters/kafka-log/decoding.ts'
import type { RawMessage } from '../../../../src/adapters/kafka-log/internals.ts'
import { headersOf } from '../../../../src/adapters/kafka-log/records.ts'
import { refusalIn } from '../../../../src/adapters/kafka-log/unreadable.ts'

const require = createRequire(import.meta.url)
const { decode } = require('kafkajs/src/protocol/requests/fetch/v11/response')
const Decoder = require('kafkajs/src/protocol/decoder')

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

function recordAt(delta: number, headers: readonly string[] = [], value = 'v'): Buffer {
  const text = (said: string) => Buffer.from([...varint(said.length), ...Buffer.from(said)])
  const body = Buffer.concat([
    Buffer.from([0, ...varint(0), ...varint(delta), ...varint(-1)]),
    text(value),
    Buffer.from(varint(headers.length)),
    ...headers.flatMap((name) => [text(name), text('h')]),
  ])
  return Buffer.concat([Buffer.from(varint(body.length)), body])
}

/** An uncompressed batch outside of transactions. */
function batchOf(records: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(records)
  const head = Buffer.alloc(61)
  head.writeInt32BE(49 + bytes.length, 8)
  head.writeInt8(2, 16)
  head.writeInt32BE(records.length - 1, 23)
  head.fill(0xff, 43, 57)
  head.writeInt32BE(records.length, 57)
  return Buffer.concat([head, bytes])
}

/** Size and batches, as they stand at the end of a partition in an answer. */
function sized(...batches: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(batches)
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}

/** What is read of an answer about one partition of a topic. */
async function read(batch: Buffer): Promise<{ headers: Record<string, unknown> }[]> {
  const head = Buffer.alloc(14)
  head.writeInt32BE(1, 10)
  const topic = Buffer.from([0, 1, 0x74, 0, 0, 0, 1])
  const partition = Buffer.alloc(38)
  partition.fill(0xff, 34)
  const answer = await decode(Buffer.concat([head, topic, partition, sized(batch)]))
  return answer.responses[0].partitions[0].messages
}

test('a batch of more records than a call has arguments is read', async () => {
  const records = await read(batchOf(Array.from({ length: 200_000 }, (_, i) => recordAt(i))))
  expect(records).toHaveLength(200_000)
})

test('headers by the thousand, repeated or not, cost no more than their number', async () => {
  const names = Array.from({ length: 10_000 }, (_, i) => i.toString(36))
  const began = performance.now()
  const [distinct] = await read(batchOf([recordAt(0, names)]))
  const [repeated] = await read(batchOf([recordAt(0, ['a', ...names.map(() => 'b')])]))
  // Twenty seconds and more without what is tried here.
  expect(performance.now() - began).toBeLessThan(2_000)
  expect(Object.keys(headersOf(distinct?.headers))).toHaveLength(10_000)
  expect(headersOf(repeated?.headers)).toEqual({
    a: Buffer.from('h'),
    b: names.map(() => Buffer.from('h')),
  })
})

test('of an answer that unpacks to more than fits, what fits is read and the rest is left for the next', async () => {
  const batch = batchOf([recordAt(0, [], 'x'.repeat(1_000))])
  const count = async (most: number) => (await readRecords(new Decoder(sized(batch, batch, batch)), most)).length
  expect(await count(1)).toBe(1)
  expect(await count(1_500)).toBe(2)
  expect(await count(10_000)).toBe(3)
})

/** It says that it is gzip and is not: three records from an offset on. */
function brokenAt(offset: number): Buffer {
  const batch = batchOf([recordAt(0), recordAt(1), recordAt(2)])
  batch.writeBigInt64BE(BigInt(offset), 0)
  batch.writeInt16BE(1, 21)
  batch.writeBigInt64BE(1_700_000_000_000n, 35)
  return batch
}

test('what lies before a batch that cannot be read is read, and nothing of it or behind it', async () => {
  registerCodecs()
  const good = batchOf([recordAt(0), recordAt(1)])
  const records = await readRecords(new Decoder(sized(good, brokenAt(2), good)))
  expect(records.map(({ offset, unreadable }) => [offset, unreadable])).toEqual([
    ['0', undefined],
    ['1', undefined],
  ])
})

test('a batch that cannot be read and is the first is told by its first and its last offset, whatever is broken in it', async () => {
  registerCodecs()
  const garbled = batchOf([recordAt(0), recordAt(1), recordAt(2)])
  garbled.fill(0xff, 61)
  garbled.writeBigInt64BE(7n, 0)
  for (const broken of [brokenAt(7), garbled]) {
    const answer = new Decoder(Buffer.concat([sized(broken, batchOf([recordAt(0)])), sized(batchOf([recordAt(0)]))]))
    const records = (await readRecords(answer)) as unknown as RawMessage[]
    expect(records).toHaveLength(1)
    const refusal = refusalIn('t', 4, records)
    expect(refusal).toMatchObject({
      code: 'log-unreadable',
      last: 9n,
      message: expect.stringContaining('The offsets 7 to 9 of t[4] are one batch that cannot be read: '),
    })
    // Who looks for the root of a failure must find this one.
    expect(refusal?.cause).toBeUndefined()
    // The next partition of the answer is read as if nothing was.
    expect(refusalIn('t', 5, (await readRecords(answer)) as unknown as RawMessage[])).toBeUndefined()
  }
  const [record] = await readRecords(new Decoder(sized(brokenAt(7))))
  expect(record?.timestamp).toBe('1700000000000')
})

test('a batch that cannot be read is hidden when its transaction was aborted, and only then', async () => {
  registerCodecs()
  const told = async (aborted: bigint, attributes: number) => {
    const batch = brokenAt(7)
    batch.writeInt16BE(attributes, 21)
    batch.writeBigInt64BE(5n, 43)
    const messages = await readRecords(new Decoder(sized(batch)))
    hideAborted({ messages: [...messages], abortedTransactions: [{ producerId: String(aborted), firstOffset: '7' }] })
    return refusalIn('t', 0, messages as unknown as RawMessage[])
  }
  expect(await told(5n, 0b1_0001)).toBeUndefined()
  expect(await told(6n, 0b1_0001)).toMatchObject({ inTransaction: true })
  expect(await told(5n, 0b1)).toMatchObject({ inTransaction: false })
})

test('a batch that is cut is left for the next answer, and lengths that cannot be end the reading', async () => {
  const good = batchOf([recordAt(0)])
  expect(await readRecords(new Decoder(sized(good, good.subarray(0, 65))))).toHaveLength(1)
  expect(await readRecords(new Decoder(sized(good.subarray(0, 65))))).toEqual([])
  const negative = batchOf([recordAt(0)])
  negative.writeInt32BE(-100, 8)
  expect(await readRecords(new Decoder(sized(negative)))).toMatchObject([{ unreadable: { first: 0n } }])
  expect(await readRecords(new Decoder(sized(good, negative, good)))).toHaveLength(1)
})

test('nothing of aborted transactions that lie in each other is shown, in whatever order they are told', () => {
  const at = (offset: number, producerId: string, kind?: 'commit' | 'abort', key: Buffer | null = null) => ({
    offset: String(offset),
    key: kind === undefined ? key : Buffer.from([0, 0, 0, kind === 'commit' ? 1 : 0]),
    isControlRecord: kind !== undefined,
    batchContext: { producerId, inTransaction: true },
  })
  const zeros = Buffer.alloc(4)
  // The second begins after the first and ends before it; a key of four zero bytes is a key.
  const messages = [
    at(1, '1'),
    at(2, '2', undefined, zeros),
    at(3, '2'),
    at(4, '2', 'abort'),
    at(5, '1', undefined, zeros),
    at(6, '1'),
    at(7, '2'),
    at(8, '1', 'abort'),
    at(9, '1'),
    at(10, '2', 'commit'),
    at(11, '1', 'commit'),
  ]
  const abortedTransactions = [
    { producerId: '2', firstOffset: '2' },
    { producerId: '1', firstOffset: '1' },
  ]
  const shown = (from: number) => {
    const answered = {
      messages: messages.slice(from).map((one) => ({ ...one })),
      abortedTransactions,
    }
    hideAborted(answered)
    return answered.messages.filter((one) => !one.isControlRecord).map(({ offset }) => offset)
  }
  expect(shown(0)).toEqual(['7', '9'])
  // A fetch that begins in the middle of both.
  expect(shown(2)).toEqual(['7', '9'])
})
