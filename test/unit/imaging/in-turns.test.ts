// Long work in steps: everything is real, the work only takes time.
import { expect, test } from 'vitest'
import { inSteps, inTurns } from '../../../src/imaging/in-turns.ts'

function* busy(steps: number, stepMs: number): Generator<void, string> {
  for (let n = 0; n < steps; n++) {
    for (const until = performance.now() + stepMs; performance.now() < until;);
    yield
  }
  return 'done'
}

test('who waits for the event loop gets a turn after every few steps', async () => {
  let turns = 0
  let ended = false
  const turn = () => {
    turns++
    if (!ended) setImmediate(turn)
  }
  setImmediate(turn)
  expect(await inTurns(busy(100, 1))).toBe('done')
  ended = true
  // A hundred milliseconds of work; with a pause of the machine between two steps only more turns.
  expect(turns).toBeGreaterThan(9)
})

test('what a step throws rejects, and what is done at once takes no turn', async () => {
  const broken = function* (): Generator<void, never> {
    yield
    throw new Error('broken')
  }
  await expect(inTurns(broken())).rejects.toThrow('broken')
  expect(await inTurns(busy(0, 0))).toBe('done')
})

test('every one is handed out in its order, so many in a step', () => {
  const seen: number[] = []
  const after = Array.from(
    inSteps([1, 2, 3, 4, 5], (n) => seen.push(n), 2),
    () => seen.length,
  )
  expect([seen, after]).toEqual([
    [1, 2, 3, 4, 5],
    [2, 4],
  ])
  expect([...inSteps([], () => seen.push(0))]).toEqual([])
})
