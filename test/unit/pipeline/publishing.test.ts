// The rhythm of publishing: at once after a rest, not without a rest, and never slower than what comes in. Time is faked, nothing else.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createPublishing } from '../../../src/pipeline/publishing.ts'
import { createTelemetry } from '../../../src/telemetry.ts'

const GATHER_MS = 50
let published: { at: number; rows: number }[] = []
let waiting = 0

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'] })
  published = []
  waiting = 0
})
afterEach(() => void vi.useRealTimers())

const start = (gatherMs?: number) =>
  createPublishing(
    {
      ...(gatherMs === undefined ? {} : { gatherMs }),
      publish: async () => {
        const rows = Math.min(waiting, 2_000)
        waiting -= rows
        if (rows > 0) published.push({ at: performance.now(), rows })
        return rows
      },
      backlog: async () => ({ rows: waiting, seconds: 0 }),
      release: async () => undefined,
    },
    createTelemetry({ level: 'silent' }),
    'publisher',
  )

it('a row that comes after a rest goes out at once', async () => {
  const loop = start(GATHER_MS)
  await vi.advanceTimersByTimeAsync(1_000)
  waiting = 1
  loop.nudge()
  await vi.advanceTimersByTimeAsync(1)
  expect(published).toHaveLength(1)
  await Promise.all([loop.stop(), vi.advanceTimersByTimeAsync(100)])
})

it('a row a millisecond, each of them announced, goes out in gathered rounds', async () => {
  const loop = start(GATHER_MS)
  for (let ms = 0; ms < 1_000; ms += 1) {
    waiting += 1
    loop.nudge()
    await vi.advanceTimersByTimeAsync(1)
  }
  expect(published.length).toBeGreaterThanOrEqual(18)
  expect(published.length).toBeLessThanOrEqual(22)
  await Promise.all([loop.stop(), vi.advanceTimersByTimeAsync(100)])
})

it('a backlog is worked off without a rest', async () => {
  const loop = start(GATHER_MS)
  waiting = 20_000
  loop.nudge()
  await vi.advanceTimersByTimeAsync(20)
  expect(published.map(({ rows }) => rows)).toEqual(Array.from({ length: 10 }, () => 2_000))
  await Promise.all([loop.stop(), vi.advanceTimersByTimeAsync(100)])
})

it('who has no reason to gather does not', async () => {
  const loop = start()
  for (let ms = 0; ms < 50; ms += 1) {
    waiting += 1
    loop.nudge()
    await vi.advanceTimersByTimeAsync(1)
  }
  expect(published.length).toBeGreaterThan(45)
  await Promise.all([loop.stop(), vi.advanceTimersByTimeAsync(100)])
})
