// The index against comparing every entry, while entries come and go. Real: everything.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHashIndex, fillHashIndex, type HashIndex } from '../../../src/imaging/hash-index.ts'
import { byComparing, changed, drawn, numbers } from './drawn-hashes.ts'

/** 40,000 entries, so that tables are made: some about centres, some in one value of a piece, some the same, the rest anywhere. */
function large(seed: number) {
  const next = numbers(seed)
  const centres = Array.from({ length: 20 }, () => drawn(next))
  const index = createHashIndex()
  const entries = new Map<number, Uint8Array>()
  for (let id = 0; id < 40_000; id++) {
    const centre = centres[id % 20] ?? drawn(next)
    let hash = id % 4 === 0 ? changed(centre, next() % 70, next) : drawn(next)
    if (id % 4 === 1) hash.fill(0xaa, 6, 10)
    if (id % 400 === 2) hash = Uint8Array.from(centre)
    entries.set(id, hash)
    index.add(id, hash)
  }
  return { index, entries, next, centres }
}

describe('what is refused', () => {
  const hash = new Uint8Array(32)
  it.each([
    ['a distance of 64', (index: HashIndex) => index.within(hash, 64)],
    ['a distance of -1', (index: HashIndex) => index.within(hash, -1)],
    ['half a bit', (index: HashIndex) => index.within(hash, 0.5)],
    ['a short hash', (index: HashIndex) => index.within(hash.subarray(1), 1)],
    ['a long one', (index: HashIndex) => index.add(1, new Uint8Array(33))],
    ['a number below 0', (index: HashIndex) => index.add(-1, hash)],
    ['a number beyond 32 bits', (index: HashIndex) => index.add(2 ** 32 - 1, hash)],
    ['one of many below 0', () => fillHashIndex().put(-1, hash)],
    ['a short one of many', () => fillHashIndex().put(1, hash.subarray(1))],
  ])('%s', (_, call) => {
    const index = createHashIndex()
    expect(() => call(index)).toThrow(RangeError)
    expect(index.size).toBe(0)
  })
})

describe('exact', () => {
  it('as comparing finds, at every distance, whatever came and went before', () => {
    const base = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const near = fc.record({ of: fc.nat(2), bits: fc.uniqueArray(fc.nat(255), { maxLength: 70 }) })
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), id: fc.nat(40), near }),
      fc.record({ do: fc.constant('remove' as const), id: fc.nat(40) }),
      fc.record({
        do: fc.constant('look' as const),
        near,
        most: fc.nat(63),
        limit: fc.option(fc.integer({ min: 1, max: 5 })),
      }),
    )
    fc.assert(
      fc.property(fc.tuple(base, base, base), fc.array(step, { maxLength: 60, size: 'max' }), (bases, steps) => {
        const index = createHashIndex()
        const entries = new Map<number, Uint8Array>()
        const hashOf = ({ of, bits }: { of: number; bits: readonly number[] }) => {
          const hash = Uint8Array.from(bases[of] ?? [])
          for (const bit of bits) hash[bit >> 3] = (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          return hash
        }
        for (const one of steps) {
          if (one.do === 'add') {
            index.add(one.id, hashOf(one.near))
            entries.set(one.id, hashOf(one.near))
          } else if (one.do === 'remove') expect(index.remove(one.id)).toBe(entries.delete(one.id))
          else {
            const found = byComparing(entries, hashOf(one.near), one.most)
            expect(index.within(hashOf(one.near), one.most, one.limit ?? undefined)).toEqual(
              found.slice(0, one.limit ?? undefined),
            )
          }
          expect(index.size).toBe(entries.size)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('with tables, in crowds and in skewed places, at all distances', () => {
    const { index, entries, next, centres } = large(1)
    for (let most = 0; most <= 63; most++) {
      const anywhere = entries.get(next() % 40_000) ?? drawn(next)
      const skewed = drawn(next).fill(0xaa, 6, 10)
      for (const hash of [
        changed(centres[most % 20] ?? anywhere, most % 9, next),
        changed(anywhere, most >> 1, next),
        skewed,
      ]) {
        expect(index.within(hash, most)).toEqual(byComparing(entries, hash, most))
      }
    }
  })

  it('finds those that only one bit of one piece gives away', () => {
    const { index, next } = large(4)
    const hash = drawn(next)
    // 31 bits: two in each piece but one, in which only this bit differs.
    const lone = Array.from({ length: 256 }, (_, bit) => {
      const other = Uint8Array.from(hash)
      for (let piece = 0; piece < 16; piece++) {
        const first = piece === bit >> 4 ? bit & 15 : next() & 15
        const bits = piece === bit >> 4 ? 1 << first : (1 << first) | (1 << ((first + 1 + (next() % 15)) & 15))
        other[2 * piece] = (other[2 * piece] ?? 0) ^ (bits >> 8)
        other[2 * piece + 1] = (other[2 * piece + 1] ?? 0) ^ (bits & 255)
      }
      return other
    })
    lone.forEach((other, bit) => index.add(100_000 + bit, other))
    // As many again, until the tables have them.
    for (let id = 0; id < 80_000; id++) index.add(200_000 + id, drawn(next))
    expect(index.within(hash, 31).map(({ id }) => id - 100_000)).toEqual(lone.map((_, bit) => bit))
  })

  it('while half of it goes and comes back with other hashes', () => {
    const { index, entries, next, centres } = large(2)
    const check = () => {
      for (const most of [0, 7, 15, 23, 31, 47]) {
        const hash = changed(centres[most % 20] ?? drawn(next), 5, next)
        expect(index.within(hash, most)).toEqual(byComparing(entries, hash, most))
      }
    }
    for (let round = 0; round < 4; round++) {
      for (let n = 0; n < 12_000; n++) {
        const id = next() % 45_000
        if (index.remove(id) !== entries.delete(id)) throw new Error(`entry ${id}: removed or not?`)
      }
      check()
      for (let n = 0; n < 6_000; n++) {
        const id = next() % 45_000
        const hash = changed(centres[id % 20] ?? drawn(next), next() % 70, next)
        entries.set(id, hash)
        index.add(id, hash)
      }
      check()
    }
    expect(index.size).toBe(entries.size)
    // Memory follows what is in it: an empty slot for each entry at most, and tables.
    expect(index.bytes).toBeLessThan(12_000_000)
  })

  it('at every moment while the places of removed ones are left behind, and no single call does it all', () => {
    const next = numbers(9)
    const index = createHashIndex()
    const entries = new Map<number, Uint8Array>()
    const put = (id: number) => {
      const hash = drawn(next)
      entries.set(id, hash)
      index.add(id, hash)
    }
    for (let id = 0; id < 100_000; id++) put(id)
    const before = index.bytes
    let [last, most, grown] = [before, before, 0]
    // Past half of it the moving begins; it ends long before all is gone.
    for (let id = 0; id < 95_000; id++) {
      index.remove(id)
      entries.delete(id)
      if (id % 20 === 0) put(id < 60_000 ? 99_999 - (id % 1_000) : 200_000 + id)
      const { bytes } = index
      grown = Math.max(grown, bytes - last)
      most = Math.max(most, bytes)
      last = bytes
      if (id < 45_000 || id % 5_000 !== 0) continue
      for (const distance of [0, 31, 63]) {
        const near = changed(entries.get(99_000 + (next() % 1_000)) ?? drawn(next), distance >> 1, next)
        expect(index.within(near, distance)).toEqual(byComparing(entries, near, distance))
      }
    }
    expect(index.size).toBe(entries.size)
    expect(index.bytes).toBeLessThan(before / 2)
    // Both stores were there for long, and the new one came by no more than a table at once: of 50,000 slots, and its starts.
    expect(most).toBeGreaterThan(before * 1.5)
    expect(grown).toBeLessThan(50_000 * 4 + 2 ** 16 * 4 + 100_000)
  })

  it('filled at once, and on from there', () => {
    const { entries, next, centres } = large(3)
    // Far from the others, and the largest there is.
    entries.set(2 ** 32 - 2, centres[0] ?? drawn(next))
    const filling = fillHashIndex()
    for (const [id, hash] of entries) filling.put(id, hash)
    const steps = filling.ready()
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    const filled = step.value
    for (let id = 0; id < 40_000; id += 3) {
      filled.remove(id)
      entries.delete(id)
    }
    filled.add(7, centres[0] ?? drawn(next))
    entries.set(7, centres[0] ?? drawn(next))
    for (const most of [0, 15, 31, 40]) {
      const hash = changed(centres[most % 20] ?? drawn(next), 4, next)
      expect(filled.within(hash, most)).toEqual(byComparing(entries, hash, most))
    }
    expect(filled.size).toBe(entries.size)
  })
})
