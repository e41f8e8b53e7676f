// The index where hashes are alike, so that tables help little and words are looked at: against comparing every entry. Real: everything.
import { describe, expect, it } from 'vitest'
import { fillHashIndex } from '../../../src/imaging/hash-index.ts'
import { byComparing, changed, drawn, numbers } from './drawn-hashes.ts'

/** Beyond what tables are made for, with a rest that they do not have. */
const ENTRIES = 40_000

type Draw = (id: number, next: () => number) => Uint8Array

const CROWDS: Readonly<Record<string, (next: () => number) => Draw>> = {
  'one crowd': (next) => {
    const centre = drawn(next)
    return () => changed(centre, 40 + (next() % 50), next)
  },
  'two crowds, one after the other': (next) => {
    const centres = [drawn(next), drawn(next)]
    return (id) => changed(centres[id < ENTRIES / 2 ? 0 : 1] ?? drawn(next), 20 + (next() % 40), next)
  },
  'the same in two words, few values in a third': (next) => {
    const centre = drawn(next)
    return () => {
      const hash = drawn(next)
      hash.set(centre.subarray(0, 8), 0)
      hash.set(centre.subarray(16, 24), 16)
      for (let at = 8; at < 16; at += 2) hash[at] = 0
      return hash
    }
  },
  'hundreds the same, most others nearly': (next) => {
    const centre = drawn(next)
    return (id) => (id % 100 === 7 ? centre : changed(centre, next() % 34, next))
  },
  'a tenth in a dense crowd': (next) => {
    const centre = drawn(next)
    return () => (next() % 10 === 0 ? changed(centre, 12 + (next() % 20), next) : drawn(next))
  },
}

describe.each(Object.entries(CROWDS))('%s', (_, crowd) => {
  const next = numbers(5)
  const draw = crowd(next)
  const entries = new Map<number, Uint8Array>()
  const filling = fillHashIndex()
  // In no order, so that the first by id are not the first that are met.
  for (let n = 0; n < ENTRIES; n++) {
    const id = (n * 7_919) % ENTRIES
    entries.set(id, draw(n, next))
    filling.put(id, entries.get(id) ?? drawn(next))
  }
  const steps = filling.ready()
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  const index = step.value
  const questions = [0, 9, 20, 31, 33, 45, 63].flatMap((most) => {
    const own = entries.get(next() % ENTRIES) ?? drawn(next)
    return [own, changed(own, most >> 1, next), draw(next() % ENTRIES, next)].map((hash) => ({ hash, most }))
  })

  it('all', () => {
    for (const { hash, most } of questions) expect(index.within(hash, most)).toEqual(byComparing(entries, hash, most))
  })

  it('the nearest, and of those as far as the last one the first by id', () => {
    for (const { hash, most } of questions) {
      const all = byComparing(entries, hash, most)
      for (const limit of [0, 1, 2, 32, 500]) expect(index.within(hash, most, limit)).toEqual(all.slice(0, limit))
    }
  })
})
