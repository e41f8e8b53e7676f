// The same bytes asked for at once and again. Real: what remembers; made up: the reading.
import { expect, test } from 'vitest'
import type { Picture, UnseenPicture } from '../../../../src/imaging/picture.ts'
import { createReadingOnce } from '../../../../src/pipeline/pictures/reading-once.ts'

const ended = (fault: UnseenPicture['fault']): Picture => ({ state: 'unseen', fault, message: fault })

/** Answers in the order given, each on the next turn. */
function reading(...answers: Picture[]) {
  let calls = 0
  return {
    calls: () => calls,
    work: async () => {
      const answer = answers[calls++] ?? ended('gone')
      await new Promise((resolve) => setImmediate(resolve))
      return answer
    },
  }
}

test('many who show the same at once wait for one reading, and it is remembered, a bomb too', async () => {
  const once = createReadingOnce()
  const bomb = ended('too-many-pixels')
  const { work, calls } = reading(bomb)
  expect(await Promise.all([once('a', work), once('a', work), once('a', work)])).toEqual([bomb, bomb, bomb])
  expect(await once('a', work)).toBe(bomb)
  expect(calls()).toBe(1)
})

test('other bytes are read by themselves', async () => {
  const once = createReadingOnce()
  const { work, calls } = reading(ended('not-a-picture'), ended('too-many-pixels'))
  expect(await Promise.all([once('a', work), once('b', work)])).toEqual([
    ended('not-a-picture'),
    ended('too-many-pixels'),
  ])
  expect(calls()).toBe(2)
})

test('what only had no time is no answer for the others, nor for later', async () => {
  const once = createReadingOnce()
  const { work, calls } = reading(ended('busy'), ended('not-a-picture'))
  expect(await Promise.all([once('a', work), once('a', work)])).toEqual([ended('busy'), ended('not-a-picture')])
  expect(calls()).toBe(2)
  const late = reading(ended('timed-out'), ended('not-a-picture'))
  expect(await once('b', late.work)).toEqual(ended('timed-out'))
  expect(await once('b', late.work)).toEqual(ended('not-a-picture'))
})

test('what took all the time of a thread takes it once', async () => {
  const once = createReadingOnce()
  const { work, calls } = reading(ended('too-slow'), ended('gone'))
  expect([await once('a', work), await once('a', work)]).toEqual([ended('too-slow'), ended('too-slow')])
  expect(calls()).toBe(1)
})

/** With so many frames that are unlike each other. */
function seen(sha256: string, frames: number): Picture {
  const hashed = { hash: { bytes: new Uint8Array(32), quality: 100 }, variants: [], blank: false }
  const others = Array.from({ length: frames - 1 }, () => hashed)
  return {
    state: 'seen',
    sha256,
    format: 'gif',
    width: 9,
    height: 9,
    ...hashed,
    ...(frames > 1 ? { frames: others } : {}),
  }
}

test.each([
  // 24 MB by what each takes.
  [1, 9_320],
  [64, 170],
])('of pictures of %d frames the oldest is forgotten after %d', async (frames, most) => {
  const once = createReadingOnce()
  for (let n = 0; n <= most; n++) await once(String(n), () => Promise.resolve(seen(String(n), frames)))
  const again: string[] = []
  const look = async (n: number) =>
    await once(String(n), () => Promise.resolve((again.push(String(n)), seen(String(n), frames))))
  await look(most)
  await look(1)
  expect(again).toEqual([])
  await look(0)
  expect(again).toEqual(['0'])
})

test('what two read at once, after one that only had no time, is counted once', async () => {
  const once = createReadingOnce()
  let reads = 0
  for (let n = 0; n < 100; n++) {
    const sha256 = String(n)
    const late = once(sha256, () => Promise.resolve(ended('busy')))
    const work = () => Promise.resolve((reads++, seen(sha256, 64)))
    await Promise.all([late, once(sha256, work), once(sha256, work)])
  }
  expect(reads).toBe(200)
  await once('0', () => Promise.resolve((reads++, seen('0', 64))))
  expect(reads).toBe(200)
})
