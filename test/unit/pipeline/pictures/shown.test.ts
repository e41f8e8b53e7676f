// What is noted of what a listing shows. Real: the naming of it; invented: hashes.
import { expect, test } from 'vitest'
import type { SeenPicture } from '../../../../src/imaging/picture.ts'
import { shownBy } from '../../../../src/pipeline/pictures/shown.ts'
import { hash, seen } from '../banks/samples.ts'

const shot = (name: string, frames: string[] = [], more: Partial<SeenPicture> = {}): SeenPicture => ({
  ...seen(hash(name)),
  frames: frames.map((frame) => seen(hash(frame))),
  ...more,
})
const hex = (name: string) => hash(name).toString('hex')

test('every picture that is compared is noted, of animations the other frames too; blank ones are not', () => {
  const shown = [shot('a', ['a2', 'a3']), shot('b'), shot('plain', ['hidden'], { blank: true }), shot('a')]
  expect(shownBy('L', shown)?.hashes).toEqual(['a', 'a2', 'a3', 'b'].map(hex).toSorted())
  expect(shownBy('L', shown.slice(2, 3))).toBeUndefined()
})

test('a hundred pictures are noted, before any other frame', () => {
  const names = Array.from({ length: 100 }, (_, i) => `picture ${i}`)
  const shown = names.map((name) => shot(name, [`frame of ${name}`]))
  expect(shownBy('L', shown)?.hashes).toEqual(names.map(hex).toSorted())
  const few = shownBy('L', shown.slice(0, 60))
  expect(few?.hashes).toHaveLength(100)
  expect(few?.hashes).toEqual(expect.arrayContaining(names.slice(0, 60).map(hex)))
})
