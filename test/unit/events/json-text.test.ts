// Real: the reader of JSON bytes. JSON.parse and a second UTF-8 decoder are the referees.
import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstBadByte, MAX_JSON_DEPTH, readJson } from '../../../src/events/json-text.ts'

const read = (text: string) => readJson(Buffer.from(text))
const message = (text: string): string => {
  const reading = read(text)
  if (reading.kind !== 'problem') throw new Error(`${text} was read`)
  return `${reading.code} ${reading.message}`
}

describe('what is wrong is named with its place', () => {
  it.each([
    ['', 'empty the value is empty'],
    ['   ', 'not-json line 1, column 4 (byte 3): expected a JSON value'],
    ['{"a":1,}', `not-json line 1, column 8 (byte 7): expected a member's name in double quotes, found '}'`],
    ['{"a" 1}', `not-json line 1, column 6 (byte 5): expected ':' after the member's name, found '1'`],
    ['{\n "é": 1\n "b": 2}', `not-json line 3, column 2 (byte 12): expected ',' or '}', found '"'`],
    ['[1 2]', `not-json line 1, column 4 (byte 3): expected ',' or ']', found '2'`],
    ['[1,]', `not-json line 1, column 4 (byte 3): expected a JSON value`],
    ['{"price":NaN}', 'not-json line 1, column 10 (byte 9): expected a finite number (JSON has no NaN or Infinity)'],
    ['{"price":-Infinity}', 'not-json line 1, column 10 (byte 9): expected a finite number'],
    ['{"price":01}', `not-json line 1, column 11 (byte 10): expected ',' or '}', found '1'`],
    ['{"price":.5}', 'not-json line 1, column 10 (byte 9): expected a JSON value'],
    ["{'a':1}", `not-json line 1, column 2 (byte 1): expected a member's name in double quotes or '}'`],
    ['{"a":"\\x"}', 'not-json line 1, column 7 (byte 6): expected one of the escapes'],
    ['{"a":"\\u12g4"}', 'not-json line 1, column 7 (byte 6): expected four hexadecimal digits'],
    ['{"a":"b\u0001"}', 'not-json line 1, column 8 (byte 7): expected control characters'],
    ['{"a":"b', 'not-json line 1, column 8 (byte 7): expected a double quote that ends the string, found the end'],
    ['{"a":1}{', `not-json line 1, column 8 (byte 7): expected the end of the text, found '{'`],
    ['{"a":\u2028}', 'not-json line 1, column 6 (byte 5): expected a JSON value'],
  ])('%j', (text, expected) => {
    expect(message(text)).toContain(expected)
  })

  it('null is empty, a byte order mark is not', () => {
    expect(readJson(null)).toMatchObject({ code: 'empty' })
    expect(readJson(Buffer.from('\ufeff{"a":1}'))).toEqual({ kind: 'json', value: { a: 1 } })
  })

  it('names the first byte that is not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"é'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')])
    expect(readJson(bytes)).toMatchObject({
      code: 'not-utf8',
      message: 'byte 9 (0xa0) does not belong to well-formed UTF-8',
    })
  })
})

describe('what an attacker may send', () => {
  it('nests a million deep and is answered at the first level that is too deep', () => {
    expect(message('['.repeat(1_000_000))).toContain(`byte ${MAX_JSON_DEPTH}): values may nest at most`)
    expect(message('{"a":'.repeat(1_000_000))).toContain(`values may nest at most`)
    const deepest = '['.repeat(MAX_JSON_DEPTH) + ']'.repeat(MAX_JSON_DEPTH)
    expect(read(deepest).kind).toBe('json')
    expect(read('[' + deepest + ']').kind).toBe('problem')
  })

  it('writes brackets, quotes and backslashes in strings, which nest nothing', () => {
    for (const value of ['['.repeat(500), '\\'.repeat(501), '"['.repeat(100), '\\"{'.repeat(1_000)]) {
      expect(read(JSON.stringify({ a: value }))).toEqual({ kind: 'json', value: { a: value } })
    }
  })

  it('names a member __proto__, which stays a member', () => {
    const reading = read('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')
    expect(Object.getPrototypeOf(reading.kind === 'json' ? reading.value : null)).toBe(Object.prototype)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
})

describe('properties', () => {
  it('reads what JSON.parse reads and refuses what it refuses, with a place inside the text', () => {
    const soup = fc.string({ unit: fc.constantFrom(...'{}[]",:0123456789.eE+-truefalsn \n\\u/é\u0007'.split('')) })
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', ':', '\\', '0', 'x', '\n'))
      .map(([json, at, put]) => json.slice(0, at % (json.length + 1)) + put + json.slice((at % (json.length + 1)) + 1))
    fc.assert(
      fc.property(fc.oneof(fc.json(), soup, broken), (text) => {
        let expected: unknown
        let valid = true
        try {
          expected = JSON.parse(text)
        } catch {
          valid = false
        }
        const reading = read(text)
        expect(reading.kind).toBe(valid ? 'json' : 'problem')
        if (reading.kind === 'json') expect(reading.value).toEqual(expected)
        else if (reading.code === 'not-json') {
          const byte = Number(/\(byte (\d+)\)/.exec(reading.message)?.[1])
          expect(byte).toBeLessThanOrEqual(Buffer.byteLength(text))
          expect(reading.message).toMatch(/^line \d+, column \d+ \(byte \d+\): expected .+, found /)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('finds a bad byte exactly where there is one', () => {
    const any = fc.uint8Array({ maxLength: 12 })
    const nearly = fc
      .tuple(fc.string({ unit: 'binary', maxLength: 6 }), any)
      .map(([s, b]) => Buffer.concat([Buffer.from(s), b]))
    fc.assert(
      fc.property(fc.oneof(any, nearly), (bytes) => {
        const at = firstBadByte(bytes)
        expect(at === bytes.length).toBe(isUtf8(bytes))
        // What comes before the bad byte is, but for one unfinished character, well formed.
        const head = bytes.subarray(0, at)
        expect([0, 1, 2, 3].some((cut) => cut <= head.length && isUtf8(head.subarray(0, head.length - cut)))).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })
})
