// Which pictures are too slow for good. Real: what remembers them; made up: what became of each reading.
import { expect, test } from 'vitest'
import { unseen } from '../../../../src/adapters/pictures/messages.ts'
import { createSlowOnes } from '../../../../src/adapters/pictures/slow-ones.ts'

const tooSlow = unseen('too-slow', 'not decoded within 5000 ms')

test('too slow twice, the second time alone', () => {
  const slow = createSlowOnes()
  expect(slow.has('a')).toBe(false)
  expect(slow.judged('a', true, tooSlow)).toMatchObject({ fault: 'busy' })
  expect(slow.has('a')).toBe(true)
  expect(slow.judged('a', false, tooSlow)).toMatchObject({ fault: 'busy' })
  expect(slow.judged('a', true, tooSlow)).toBe(tooSlow)
  expect(slow.has('a')).toBe(false)
})

test('what had no turn is still to be judged; what was seen, or is broken, is done with', () => {
  const slow = createSlowOnes()
  for (const [answer, is] of [
    [unseen('busy', ''), true],
    [unseen('timed-out', ''), true],
    [unseen('not-a-picture', ''), false],
  ] as const) {
    slow.judged('a', true, tooSlow)
    expect(slow.judged('a', true, answer)).toBe(answer)
    expect([answer.fault, slow.has('a')]).toEqual([answer.fault, is])
    slow.judged('a', true, unseen('not-a-picture', ''))
  }
  expect(slow.judged('b', true, unseen('busy', ''))).toMatchObject({ fault: 'busy' })
  expect(slow.has('b')).toBe(false)
})

test('they are a thousand at most', () => {
  const slow = createSlowOnes()
  for (let n = 0; n <= 1_000; n++) slow.judged(String(n), true, tooSlow)
  expect([slow.has('0'), slow.has('1'), slow.has('1000')]).toEqual([false, true, true])
})
