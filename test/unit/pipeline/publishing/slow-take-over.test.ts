// A take-over that takes longer than the lease, and one that the janitor overtakes: publishing goes on all the same. Log and outbox are made up.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createRangePublisher } from '../../../../src/pipeline/publishing/range-publisher.ts'
import type { Publisher } from '../../../../src/pipeline/ports.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { createWorld, PLACES, type World } from './world.ts'

const telemetry = createTelemetry({ level: 'silent' })

function owner(world: World, name: string, before: (what: string) => Promise<void> | void): Publisher {
  const ports = world.process(name, async (what) => {
    await before(what)
    return 'well'
  })
  return createRangePublisher({ ...ports, range: '0', places: PLACES, telemetry, clock: world.clock })
}

describe('a look at the end of the topics', () => {
  afterEach(() => void vi.useRealTimers())

  it.each([2_900, 5_000, 14_000])('that takes %i ms costs that once, with one owner and with two', async (ms) => {
    for (const owners of [1, 2]) {
      const world = createWorld()
      let fences = 0
      const all = Array.from({ length: owners }, (_, i) =>
        owner(world, `owner-${i}`, (what) => {
          if (what === 'fence') fences += 1
          if (what === 'look') world.pass(ms)
        }),
      )
      world.append(0, 5)
      let sent = 0
      for (let round = 0; round < 20; round += 1) {
        for (const one of all) sent += await one.publish()
        world.pass(100)
      }
      expect({ owners, sent, fences }).toEqual({ owners, sent: 5, fences: 1 })
    }
  })

  it('keeps the lease as long as it takes: whoever waits for it is not let in', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const world = createWorld()
    let fences = 0
    const other = owner(world, 'other', (what) => void (fences += what === 'fence' ? 1 : 0))
    const slow = owner(world, 'slow', async (what) => {
      if (what !== 'look') return
      for (let passed = 0; passed < 9_600; passed += 400) {
        world.pass(400)
        await vi.advanceTimersByTimeAsync(400)
        expect(await other.publish()).toBe(0)
      }
    })
    world.append(0, 5)
    expect(await slow.publish()).toBe(5)
    expect(fences).toBe(0)
  })

  it('that never ends does not keep the lease for ever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const world = createWorld()
    const other = owner(world, 'other', () => undefined)
    let sent = 0
    const stuck = owner(world, 'stuck', async (what) => {
      if (what !== 'look') return
      for (let passed = 0; passed < 15_000; passed += 300) {
        world.pass(300)
        await vi.advanceTimersByTimeAsync(300)
        sent += await other.publish()
      }
      throw new Error('the brokers do not answer')
    })
    world.append(0, 5)
    await expect(stuck.publish()).rejects.toThrow('do not answer')
    expect(sent).toBe(5)
  })

  it('whose tails the janitor overtakes is set right by the next one, and what is gone is said', async () => {
    const world = createWorld()
    world.append(0, 5)
    await owner(world, 'first', () => undefined).publish()
    world.lose(0, 2)
    world.append(0, 3)
    world.pass(60_000)
    let cleaned = false
    const next = owner(world, 'next', (what) => {
      if (what !== 'mark' || cleaned) return
      // Between its look and its mark, which takes the tail back to 2.
      cleaned = true
      world.prune()
    })
    for (let round = 0; round < 4; round += 1) {
      await next.publish().catch(() => undefined)
      world.pass(500)
    }
    expect(world.visible().get('decisions[0]')).toEqual([1n, 2n, 6n, 7n, 8n])
    expect(await telemetry.registry.getSingleMetricAsString('touchstone_publisher_lost_total')).toMatch(
      /end="gone"\} [1-9]/,
    )
  })
})
