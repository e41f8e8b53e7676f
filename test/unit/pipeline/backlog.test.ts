// Since when a partition stands still, as the watch sees it. The log and the store are made up, and so is the time.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchBacklog } from '../../../src/pipeline/backlog.ts'
import type { Backlog } from '../../../src/pipeline/log/ports.ts'
import { createTelemetry } from '../../../src/telemetry.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'setImmediate'] }))
afterEach(() => vi.useRealTimers())

function world() {
  const state = { offset: 5n, end: 9n, held: true, own: [0] as number[], dead: false }
  const watch = watchBacklog({
    logger: createTelemetry({ level: 'silent' }).log,
    topic: 'listings',
    group: 'gate',
    held: () => state.own,
    offsets: async () => {
      if (state.dead) throw new Error('the store is gone')
      return new Map([[0, state.offset]])
    },
    log: {
      backlog: async (_topic, _group, from): Promise<Backlog[]> => {
        const records = Number(state.end - (from.get(0) ?? 0n))
        return [{ partition: 0, records, seconds: records > 0 ? 3_600 : 0, held: state.held }]
      },
    },
  })
  const still = async () => (await watch.look())[0]?.stillMs ?? -1
  return { state, watch, still }
}

it('counts from when it first saw something wait, not from the age of a backlog that was there before', async () => {
  const { still, watch } = world()
  expect(await still()).toBe(0)
  await vi.advanceTimersByTimeAsync(12_000)
  expect(await still()).toBeGreaterThanOrEqual(10_000)
  await watch.stop()
})

it('begins anew when the offset moves and forgets when nothing waits', async () => {
  const { state, still, watch } = world()
  await vi.advanceTimersByTimeAsync(12_000)
  state.offset = 6n
  expect(await still()).toBe(0)
  await vi.advanceTimersByTimeAsync(12_000)
  state.offset = 9n
  expect(await still()).toBe(0)
  await vi.advanceTimersByTimeAsync(12_000)
  // Nobody asked meanwhile, and the partition was idle: what comes now has not waited.
  state.end = 10n
  expect(await still()).toBe(0)
  await watch.stop()
})

it('begins anew for who takes over from another, not for who takes what nobody had', async () => {
  const { state, still, watch } = world()
  state.own = []
  await vi.advanceTimersByTimeAsync(12_000)
  expect((await watch.look())[0]?.reader).toBe('elsewhere')
  state.own = [0]
  expect(await still()).toBe(0)
  state.own = []
  state.held = false
  expect((await watch.look())[0]?.reader).toBe('nobody')
  await vi.advanceTimersByTimeAsync(12_000)
  state.own = [0]
  expect(await still()).toBeGreaterThanOrEqual(10_000)
  await watch.stop()
})

it('rejects while the store is gone, says how old the last answer is, and goes on counting', async () => {
  const { state, still, watch } = world()
  await still()
  state.dead = true
  await vi.advanceTimersByTimeAsync(12_000)
  await expect(watch.look()).rejects.toThrow('gone')
  expect(watch.ageMs()).toBeGreaterThanOrEqual(10_000)
  state.dead = false
  expect(await still()).toBeGreaterThanOrEqual(10_000)
  expect(watch.ageMs()).toBe(0)
  await watch.stop()
})
