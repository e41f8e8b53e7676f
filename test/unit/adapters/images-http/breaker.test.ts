// Which hosts are taken for dead. Real: the breaker; the clock, and what its own questions find out, are ours.
import { expect, test } from 'vitest'
import { createBreaker, type Trial, type Word } from '../../../../src/adapters/images-http/breaker.ts'

const never = new AbortController().signal

/** `answers`: of the questions in their order; one that is not there never comes. */
function breakerOf(...answers: Word[]) {
  const asked: string[] = []
  const dead: string[] = []
  const clock = { now: 0 }
  const breaker = createBreaker({
    now: () => clock.now,
    onDead: (host) => dead.push(host),
    question: (host) => {
      asked.push(host)
      const answer = answers.shift()
      return answer === undefined ? new Promise<never>(() => undefined) : Promise.resolve(answer)
    },
  })
  const begin = async (host = 'h'): Promise<Trial> => {
    const trial = await breaker.begin(host, never)
    if (trial === undefined) throw new Error('it may not be sent')
    return trial
  }
  const row = async (...ends: (keyof Trial)[]) => {
    for (const end of ends) (await begin())[end]()
  }
  return { breaker, asked, dead, clock, begin, row }
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('three silences in a row and one of no seller’s choosing are a dead host; an answer between starts the count again', async () => {
  const { breaker, row, asked, dead } = breakerOf('silent')
  await row('silent', 'silent', 'heard', 'silent', 'silent')
  expect(asked).toEqual([])
  await row('silent')
  await settled()
  expect([asked, dead, breaker.resting('h')]).toEqual([['h'], ['h'], 15])
  expect(await breaker.begin('h', never)).toBeUndefined()
  expect(breaker.resting('other')).toBeUndefined()
})

test('silences without end condemn nobody who answers, or who is heard while we ask', async () => {
  const { breaker, row, asked, begin } = breakerOf('heard', 'heard', 'heard')
  for (let i = 0; i < 9; i += 1) await row('silent')
  await settled()
  expect([asked.length, breaker.resting('h'), breaker.size]).toEqual([3, undefined, 0])
  const other = breakerOf()
  const early = await other.begin()
  await other.row('silent', 'silent', 'silent')
  const waiting = other.begin()
  early.heard()
  await waiting
  expect(other.breaker.resting('h')).toBeUndefined()
  await begin()
})

test('a dead host is asked while three still wait, so that it is known when their time is up', async () => {
  const { breaker, asked, begin } = breakerOf('silent')
  const trials = await Promise.all(Array.from({ length: 16 }, () => begin()))
  for (const trial of trials.slice(0, 2)) trial.slow()
  expect(asked).toEqual([])
  for (const trial of trials.slice(2)) trial.slow()
  // Who comes meanwhile is not sent in vain.
  const next = breaker.begin('h', never)
  await settled()
  expect([asked, breaker.resting('h'), await next]).toEqual([['h'], 15, undefined])
  // Sixteen that fail together are one failure of the host, not sixteen rests.
  for (const trial of trials) trial.silent()
  expect([asked, breaker.resting('h')]).toEqual([['h'], 15])
})

test('those that were slow and ended otherwise do not count', async () => {
  const { breaker, asked, begin } = breakerOf()
  for (let i = 0; i < 9; i += 1) {
    const trial = await begin()
    trial.slow()
    if (i % 2 === 0) trial.unknown()
    else trial.heard()
  }
  expect([asked, breaker.size]).toEqual([[], 0])
})

test('who comes while it is being found out waits for that, no longer than its own time, and is not sent in vain', async () => {
  const { breaker, row, begin, clock } = breakerOf()
  await row('silent', 'silent', 'silent')
  const leave = new AbortController()
  const leaving = breaker.begin('h', leave.signal)
  let begun = false
  void begin().then(() => (begun = true))
  await settled()
  leave.abort()
  expect([await leaving, begun]).toEqual([undefined, false])
  clock.now = 1e9
  await settled()
  expect(begun).toBe(false)
})

test('after its rest one request goes with the question beside it, and either of them frees all that wait', async () => {
  for (const by of ['probe', 'question'] as const) {
    const { breaker, row, begin, clock, asked } = breakerOf('silent', by === 'probe' ? 'silent' : 'heard')
    await row('silent', 'silent', 'silent')
    await settled()
    clock.now = 15_000
    const probe = await begin()
    const waiting = Promise.all([begin(), begin()])
    if (by === 'probe') probe.heard()
    await waiting
    expect([asked.length, breaker.resting('h')]).toEqual([2, undefined])
  }
})

test('it rests twice as long where both are silent, five minutes at most; a probe that tells nothing leaves the next its chance', async () => {
  const { breaker, row, begin, clock, dead } = breakerOf(
    'silent',
    'unknown',
    ...Array.from({ length: 9 }, () => 'silent' as const),
  )
  await row('silent', 'silent', 'silent')
  await settled()
  const rests: unknown[] = []
  clock.now = 15_000
  ;(await begin()).unknown()
  await settled()
  expect(breaker.resting('h')).toBeUndefined()
  for (let i = 0; i < 6; i += 1) {
    ;(await begin()).silent()
    await settled()
    const seconds = breaker.resting('h') ?? 0
    rests.push(seconds)
    clock.now += seconds * 1_000
  }
  expect(rests).toEqual([30, 60, 120, 240, 300, 300])
  expect(dead).toEqual(['h'])
})

test('endless names are forgotten again, the oldest first', async () => {
  const { breaker, begin } = breakerOf(...Array.from({ length: 10_005 }, () => 'silent' as const))
  for (let i = 0; i < 10_005; i += 1) for (let n = 0; n < 3; n += 1) (await begin(`h${i}`)).silent()
  await settled()
  expect(breaker.size).toBe(10_000)
  expect(breaker.resting('h0')).toBeUndefined()
  expect(breaker.resting('h10004')).toBe(15)
})
