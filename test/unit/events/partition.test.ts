// The partitioner against the test vectors of Kafka's own Java client (UtilsTest.testMurmur2). Pure.
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { murmur2, partitionOf } from '../../../src/events/partition.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('the partition of a key', () => {
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as the Java client does', (key, hash) => {
    expect(murmur2(utf8(key))).toBe(hash)
  })

  test('clears the sign bit of a negative hash instead of negating it', () => {
    // -973932308 & 0x7fffffff = 1173551340; negated it would be 973932308, another partition of 12.
    expect(partitionOf(utf8('21'), 12)).toBe(1173551340 % 12)
  })

  test('any bytes fall into the range, the same ones always into the same partition', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (key, partitions) => {
        const partition = partitionOf(key, partitions)
        expect(partition).toBeGreaterThanOrEqual(0)
        expect(partition).toBeLessThan(partitions)
        expect(partitionOf(key.slice(), partitions)).toBe(partition)
      }),
    )
  })
})
