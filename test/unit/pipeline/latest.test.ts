// A map that forgets what was put longest ago: all of it is real.
import { expect, it } from 'vitest'
import { createLatest } from '../../../src/pipeline/latest.ts'

it('holds so much and no more, and lets go what came first', () => {
  const latest = createLatest<string>(10, (one) => one.length)
  const put = (key: string, size: number) => latest.put(key, 'x'.repeat(size))
  const sizes = () => ['a', 'b', 'c', 'd'].map((key) => latest.get(key)?.length)
  put('a', 4)
  put('b', 4)
  // Counts in the place of the first, and is the latest.
  put('a', 5)
  put('c', 4)
  expect(sizes()).toEqual([5, undefined, 4, undefined])
  // As much as two.
  put('d', 10)
  expect(sizes()).toEqual([undefined, undefined, undefined, 10])
  latest.remove('d')
  latest.remove('d')
  put('a', 5)
  put('b', 5)
  expect(sizes()).toEqual([5, 5, undefined, undefined])
})

it('one that is larger than all is not held, and takes nobody else with it but what it replaces', () => {
  const latest = createLatest<string>(3, (one) => one.length)
  latest.put('a', 'x')
  latest.put('b', 'x')
  latest.put('a', 'xxxx')
  expect([latest.get('a'), latest.get('b')]).toEqual([undefined, 'x'])
})

it('counts entries where nothing is said of their size', () => {
  const latest = createLatest<number>(2)
  for (const [key, value] of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
    ['c', 4],
  ] as const)
    latest.put(key, value)
  expect(['a', 'b', 'c'].map((key) => latest.get(key))).toEqual([3, undefined, 4])
})
