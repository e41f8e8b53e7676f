// Counting bits in WebAssembly against counting them here, for each set of words that can be looked at. Real: everything.
import { readFileSync } from 'node:fs'
import wabt from 'wabt'
import { describe, expect, it } from 'vitest'
import { BLOCK, MODULE, SAMPLE_GROUP, SAMPLE_ROW, WAYS } from '../../../src/imaging/hash-kernel.ts'
import { createHashStore } from '../../../src/imaging/hash-store.ts'
import { apart, changed, drawn, numbers } from './drawn-hashes.ts'

it('the module is what its text says', async () => {
  const text = readFileSync(new URL('../../../src/imaging/hash-kernel.wat', import.meta.url), 'utf8')
  const { parseWat } = await wabt()
  expect(Buffer.from(parseWat('hash-kernel.wat', text).toBinary({}).buffer).toString('base64')).toBe(MODULE)
})

/** Two blocks and a part of a third, some near the query, of which many differ in some words only. */
function filled(seed: number) {
  const next = numbers(seed)
  const query = drawn(next)
  const store = createHashStore()
  const hashes = Array.from({ length: 2 * BLOCK + 1_003 }, (_, slot) => {
    const hash = slot % 3 === 0 ? drawn(next) : changed(query, next() % 90, next)
    // As the query in one, two or three words, anything in the others.
    if (slot % 5 === 0)
      for (let word = 0; word < 4; word++) if (next() % 2 === 0) hash.set(drawn(next).subarray(0, 8), 8 * word)
    return hash
  })
  for (const [slot, hash] of hashes.entries()) store.put(slot, hash)
  store.kernel.setQuery(query)
  return { hashes, query, store }
}

/** As the way sees it: of two and three words the bits that differ in any, of four those of the halves together. */
function seen(a: Uint8Array, b: Uint8Array, words: readonly number[]): number {
  if (words.length === 4) return seen(a, b, [0, 1]) + seen(a, b, [2, 3])
  const union = new Uint8Array(32)
  for (const word of words) {
    for (let byte = 0; byte < 8; byte++)
      union[byte] = (union[byte] ?? 0) | ((a[8 * word + byte] ?? 0) ^ (b[8 * word + byte] ?? 0))
  }
  return apart(union, new Uint8Array(32))
}

describe('a block, whichever words are looked at', () => {
  const { hashes, query, store } = filled(1)
  const distances = hashes.map((hash) => apart(hash, query))
  const { kernel } = store
  const pairs = (found: number) => {
    const all = Array.from(kernel.found().subarray(0, 2 * found))
    return all.flatMap((slot, at) => (at % 2 === 0 && slot < hashes.length ? [`${slot}: ${all[at + 1]}`] : []))
  }
  it.each([
    ...WAYS.map((words, way) => ({ name: `words ${words.join(' ')}`, way })),
    { name: 'compared', way: undefined },
  ])('$name', ({ way }) => {
    for (let block = 0; block < 3; block++) {
      const count = Math.min(BLOCK, hashes.length - block * BLOCK)
      for (const most of [0, 1, 15, 31, 32, 47, 63]) {
        const found = way === undefined ? kernel.compare(block, count, most) : kernel.scan(block, count, way, most)
        const near = distances.flatMap((distance, slot) =>
          Math.floor(slot / BLOCK) === block && distance <= most ? [`${slot}: ${distance}`] : [],
        )
        expect(pairs(found)).toEqual(near)
      }
    }
  })
})

it('a sample says of each set of words how many differ there in how many bits', () => {
  const { hashes, query, store } = filled(2)
  const [groups, step, first] = [11, 88 * SAMPLE_GROUP, 16 * SAMPLE_GROUP]
  // Twice: the second is not added to the first.
  store.kernel.sample(0, SAMPLE_GROUP, 100)
  const sample = store.kernel.sample(first, step, groups)
  const expected = new Uint32Array(WAYS.length * SAMPLE_ROW)
  for (let group = 0; group < groups; group++) {
    for (const hash of hashes.slice(first + group * step, first + group * step + SAMPLE_GROUP)) {
      for (const [way, words] of WAYS.entries()) {
        const at = way * SAMPLE_ROW + seen(hash, query, words)
        expected[at] = (expected[at] ?? 0) + 1
      }
    }
  }
  expect(Array.from(sample)).toEqual(Array.from(expected))
})
