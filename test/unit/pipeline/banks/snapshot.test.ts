// The banks as one file and back: everything is real, no file is touched.
import { describe, expect, test } from 'vitest'
import { createBankEntries } from '../../../../src/pipeline/banks/entries.ts'
import { readSnapshot, writeSnapshot } from '../../../../src/pipeline/banks/snapshot.ts'
import { bank, hash, image, seen } from './samples.ts'

function sample() {
  const entries = createBankEntries()
  entries.putBank(bank('a', { name: 'Fälschungen 🎉', brandId: 'nike' }))
  entries.putBank(bank('b', { kind: 'allowed', maxDistance: 5 }))
  for (let i = 0; i < 50; i++) entries.put(image(`i${i}`, i % 2 === 0 ? 'a' : 'b', hash(`i${i}`)))
  entries.put(image('q', 'a', hash('q'), { state: 'quarantined' }))
  return entries
}

describe('a snapshot', () => {
  test('with any byte changed, cut off or added is refused', () => {
    const bytes = writeSnapshot('store', 7n, sample())
    for (let at = 0; at < bytes.length; at += 37) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      expect(() => readSnapshot(damaged), `byte ${at}`).toThrow(/^it is (damaged|of another version)/)
    }
    for (const length of [0, 5, 30, 60, bytes.length - 1])
      expect(() => readSnapshot(bytes.subarray(0, length))).toThrow(/^it is (cut off|damaged|of another version)/)
    expect(() => readSnapshot(Buffer.concat([bytes, Buffer.from('x')]))).toThrow('damaged')
    expect(() => readSnapshot(Buffer.from('touchstone banks 9\n'.padEnd(200)))).toThrow('another version')
  })

  test('gives back what was held: banks, pictures, sources, and what is in quarantine', () => {
    const before = sample()
    const { identity, change, banks, images, count } = readSnapshot(writeSnapshot('store', 7n, before))
    expect([identity, change, count]).toEqual(['store', 7n, 51])
    const after = createBankEntries({ expected: count })
    for (const one of banks) after.putBank(one)
    for (const one of images) after.hold(one)
    after.ready()
    expect([after.size, after.quarantined, after.sum]).toEqual([before.size, before.quarantined, before.sum])
    for (let i = 0; i < 50; i++) {
      const picture = seen(hash(`i${i}`, 4), i % 8)
      expect(after.match(picture)).toEqual(before.match(picture))
      expect(after.match(picture)).toHaveLength(1)
    }
    expect(after.match(seen(hash('q')))).toEqual([])
    expect(writeSnapshot('store', 7n, after)).toEqual(writeSnapshot('store', 7n, before))
  })

  test('of nothing is one too', () => {
    const { banks, images } = readSnapshot(writeSnapshot('store', 0n, createBankEntries()))
    expect([banks, [...images]]).toEqual([[], []])
  })
})
