// How bytes and cursors are written down by the PostgreSQL adapter. Pure.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeHeaders, encodeHeaders, pack } from '../../../src/adapters/postgres/bytes.ts'
import { decodeCursor, encodeCursor } from '../../../src/adapters/postgres/cursor.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('bytes on their way to the database', () => {
  test('any headers come back, in their order', () => {
    const name = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed())
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 20 })), { selector: ([key]) => key }),
        (entries) => {
          const back = decodeHeaders(encodeHeaders(Object.fromEntries(entries)))
          const sorted = (pairs: [string, string][]) => pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))
          expect(sorted(Object.entries(back).map(([key, bytes]) => [key, hex(bytes)]))).toEqual(
            sorted(entries.map(([key, bytes]) => [key, hex(bytes)])),
          )
        },
      ),
    )
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
