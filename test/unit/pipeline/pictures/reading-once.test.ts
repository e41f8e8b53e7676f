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

test('the oldest is forgotten in the end', async () => {
  const once = createReadingOnce()
  const answer = ended('not-a-picture')
  for (let n = 0; n <= 10_000; n++) await once(String(n), () => Promise.resolve(answer))
  let again = 0
  const count = () => Promise.resolve((again++, answer))
  await once('10000', count)
  expect(again).toBe(0)
  await once('0', count)
  expect(again).toBe(1)
})
