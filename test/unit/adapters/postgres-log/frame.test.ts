// Real: the packing of records on the way to the database, taken apart by the rules that SQL uses; no database.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { headerValues } from '../../../../src/events/header.ts'
import type { Headers } from '../../../../src/pipeline/log/ports.ts'
import { decodeHeaders, encodeHeaders, frame } from '../../../../src/adapters/postgres-log/frame.ts'

const bytes = fc.uint8Array({ maxLength: 40 })
const value = fc.option(bytes)
const headers = fc.dictionary(
  fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('__proto__', 'constructor')),
  fc.oneof(value, fc.array(value, { minLength: 2, maxLength: 4 })),
  { maxKeys: 5 },
)
const record = fc.record({ key: fc.option(bytes), value: fc.option(bytes), headers })
const placed = fc.record({ partition: fc.nat({ max: 4 }), record })

const hex = (map: Headers): [string, (string | null)[]][] =>
  Object.entries(map).map(([name, each]) => [
    name,
    headerValues(each).map((one) => (one === null ? null : Buffer.from(one).toString('hex'))),
  ])

test('headers come back as they were, whatever their names and bytes', () => {
  fc.assert(
    fc.property(headers, (given) => {
      expect(hex(decodeHeaders(encodeHeaders(given)))).toEqual(hex(given))
    }),
  )
})

test('headers written before a name could repeat or a value be missing are read as they were', () => {
  const old = Buffer.concat([Buffer.from([0, 1]), Buffer.from('a'), Buffer.from([0, 0, 0, 2, 7, 8])])
  expect(hex(decodeHeaders(Buffer.concat([old, Buffer.from([0, 1, 98, 0, 0, 0, 0])])))).toEqual([
    ['a', ['0708']],
    ['b', ['']],
  ])
})

test('every part of every record lies where its numbers say, and places count up per partition', () => {
  fc.assert(
    fc.property(fc.array(placed, { maxLength: 20 }), (records) => {
      const f = frame(records)
      const next = new Map<number, number>()
      for (const [i, { partition, record: r }] of records.entries()) {
        let at = (f.start[i] ?? 0) - 1
        const take = (length: number): Uint8Array | null => {
          if (length < 0) return null
          at += length
          return new Uint8Array(f.blob.subarray(at - length, at))
        }
        expect(take(f.keyLength[i] ?? -2)).toEqual(r.key)
        expect(take(f.valueLength[i] ?? -2)).toEqual(r.value)
        expect(hex(decodeHeaders(Buffer.from(take(f.headersLength[i] ?? -2) ?? [])))).toEqual(hex(r.headers))
        expect([f.partition[i], f.nth[i]]).toEqual([partition, next.get(partition) ?? 0])
        next.set(partition, (next.get(partition) ?? 0) + 1)
      }
      expect(new Map(f.partitions.map((p, i) => [p, f.counts[i]]))).toEqual(next)
    }),
  )
})

test('a header name that does not fit is refused before anything is sent', () => {
  expect(() => encodeHeaders({ ['n'.repeat(65_536)]: new Uint8Array() })).toThrow(RangeError)
})
