// How bytes and cursors are written down by the PostgreSQL adapter. Pure.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeHeaders, encodeHeaders, pack } from '../../../src/adapters/postgres/bytes.ts'
import { headerValues, type HeaderValue } from '../../../src/events/header.ts'
import { decodeCursor, encodeCursor } from '../../../src/adapters/postgres/cursor.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const hexes = (value: HeaderValue): (string | null)[] =>
  headerValues(value).map((bytes) => (bytes === null ? null : hex(bytes)))

describe('bytes on their way to the database', () => {
  test('any headers come back, in their order', () => {
    const name = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed())
    const value = fc.option(fc.uint8Array({ maxLength: 20 }))
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, fc.oneof(value, fc.array(value, { maxLength: 4 }))), {
          selector: ([key]) => key,
        }),
        (entries) => {
          const back = decodeHeaders(encodeHeaders(Object.fromEntries(entries)))
          const sorted = (pairs: [string, (string | null)[]][]) => pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))
          expect(sorted(Object.entries(back).map(([key, bytes]) => [key, hexes(bytes)]))).toEqual(
            sorted(entries.map(([key, bytes]) => [key, hexes(bytes)])),
          )
        },
      ),
    )
  })

  test('headers stored before a name could repeat or a value be missing are read as they were', () => {
    const back = decodeHeaders(Buffer.from('{"ce_id":"1","raw":"\\u0000\u00ff"}'))
    expect(Object.entries(back).map(([name, value]) => [name, hexes(value)])).toEqual([
      ['ce_id', ['31']],
      ['raw', ['00ff']],
    ])
  })

  test('any parts are found again at their places, and null stays null', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.uint8Array({ maxLength: 30 }))), (parts) => {
        const { blob, starts, lengths } = pack(parts)
        const back = starts.map((start, i) => {
          const length = lengths[i] ?? null
          return length === null ? null : hex(blob.subarray(start - 1, start - 1 + length))
        })
        expect(back).toEqual(parts.map((part) => (part === null ? null : hex(part))))
      }),
    )
  })
})

describe('a cursor', () => {
  test('names any places, and no other text names them', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, BigInt(Number.MAX_SAFE_INTEGER)), { maxLength: 20 }), (places) => {
        const cursor = encodeCursor(places)
        expect(cursor).toMatch(/^[\w-]+$/)
        expect(decodeCursor(cursor)).toEqual(places)
        expect(() => decodeCursor(`${cursor}=`)).toThrow('not one that this feed gave out')
        expect(() => decodeCursor(cursor.slice(1))).toThrow('not one that this feed gave out')
      }),
    )
  })
})
