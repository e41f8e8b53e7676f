// Real: records on their way through the encoder and the decoder of kafkajs itself; no broker.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RawMessage } from '../../../../src/adapters/kafka-log/internals.ts'
import { headersOf, messageOf, recordOf } from '../../../../src/adapters/kafka-log/records.ts'
import { headerValues } from '../../../../src/events/header.ts'
import type { Headers, NewRecord } from '../../../../src/pipeline/log/ports.ts'

const require = createRequire(import.meta.url)
const encode = require('kafkajs/src/protocol/recordBatch/record/v0')
const decode = require('kafkajs/src/protocol/recordBatch/record/v0/decoder')
const Decoder = require('kafkajs/src/protocol/decoder')

/** What another client of kafkajs's wire would send, as kafkajs reads it. */
function throughTheWire(record: NewRecord) {
  const bytes: Buffer = encode({ ...messageOf(record, 0), offsetDelta: 0, timestampDelta: 0 }).buffer
  const decoder = new Decoder(new Decoder(bytes).readVarIntBytes())
  const read = decode(decoder, { firstOffset: '0', firstTimestamp: '0', magicByte: 2 })
  return {
    key: read.key,
    value: read.value,
    headers: headersOf(read.headers),
    rest: decoder.buffer.length - decoder.offset,
  }
}

const bytes = fc.uint8Array({ maxLength: 40 })
const value = fc.option(bytes)
const names = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  // What every object inherits: kafkajs takes it for a value that came before.
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty'),
)
const headers = fc.dictionary(names, fc.oneof(value, fc.array(value, { minLength: 2, maxLength: 4 })), { maxKeys: 5 })
const record = fc.record({ key: fc.option(bytes), value: fc.option(bytes), headers })

const hex = (map: Headers): [string, (string | null)[]][] =>
  Object.entries(map)
    .map(([name, each]): [string, (string | null)[]] => [
      name,
      headerValues(each).map((one) => (one === null ? null : Buffer.from(one).toString('hex'))),
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1))

test('key, value and headers come through untouched: any name, repeated or not, with values or without', () => {
  fc.assert(
    fc.property(record, (given) => {
      const back = throughTheWire(given)
      expect(back.rest).toBe(0)
      expect([back.key, back.value]).toEqual([buffer(given.key), buffer(given.value)])
      expect(hex(back.headers)).toEqual(hex(given.headers))
    }),
  )
})

test('a record is encoded for every try anew, a header without a value included', () => {
  const message = messageOf({ key: null, value: null, headers: { a: null, b: [null, Uint8Array.of(1)] } }, 0)
  const once: Buffer = encode(message).buffer
  expect(encode(message).buffer).toEqual(once)
})

test('a time that cannot be is taken for now, and no other', () => {
  const at = (timestamp: string) =>
    recordOf({ offset: '0', timestamp, key: null, value: null, headers: {} } as RawMessage).appendedAt.getTime()
  const before = Date.now()
  for (const wrong of [
    '-1',
    '0',
    '946684799999',
    String(before + 3_600_000),
    '9000000000000000',
    '9223372036854775807',
  ]) {
    expect(at(wrong), wrong).toBeGreaterThanOrEqual(before)
    expect(at(wrong), wrong).toBeLessThanOrEqual(Date.now())
  }
  for (const right of [946_684_800_000, before - 1]) expect(at(String(right))).toBe(right)
  // As both readers call it, with a place in the list.
  expect(
    [{ offset: '0', timestamp: '0', key: null, value: null, headers: {} } as RawMessage]
      .map(recordOf)[0]
      ?.appendedAt.getTime(),
  ).toBeGreaterThanOrEqual(before)
})

const buffer = (one: Uint8Array | null): Buffer | null => one && Buffer.from(one)
