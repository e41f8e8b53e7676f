// A take-over that takes longer than the lease, and one that the janitor overtakes: publishing goes on all the same. Log and outbox are made up.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createRangePublisher } from '../../../../src/pipeline/publishing/range-publisher.ts'
import type { Publisher } from '../../../../src/pipeline/ports.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'
import { createWorld, PLACES, type World } from './world.ts'

const telemetry = createTelemetry({ level: 'silent' })

type Before = (what: string, progressed?: () => void) => Promise<void> | void

function owner(world: World, name: string, before: Before): Publisher {
  const ports = world.process(name, async (what, progressed) => {
    await before(what, progressed)
    return 'well'
  })
  return createRangePublisher({ ...ports, range: '0', places: PLACES, telemetry, clock: world.clock })
}

describe('a look at the end of the topics', () => {
  afterEach(() => void vi.useRealTimers())

  it.each([2_900, 14_000, 120_000])(
    'that takes %i ms and gets on costs that once, whoever asks meanwhile',
    async (ms) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const world = createWorld()
      let fences = 0
      let looking = false
      const look: Before = async (what, progressed) => {
        if (what === 'fence') fences += 1
        if (what !== 'look') return
        expect(looking).toBe(false)
        looking = true
        for (let passed = 0; passed < ms; passed += 100) {
          world.pass(100)
          await vi.advanceTimersByTimeAsync(100)
          if (passed % 5_000 === 0) progressed?.()
          for (const one of both) if (one !== current) expect(await one.publish()).toBe(0)
        }
        looking = false
      }
      const both = [owner(world, 'one', look), owner(world, 'two', look)]
      let current: Publisher | undefined
      world.append(0, 5)
      let sent = 0
      for (let round = 0; round < 20; round += 1) {
        for (current of both) sent += await current.publish()
        world.pass(100)
      }
      expect({ sent, fences }).toEqual({ sent: 5, fences: 1 })
    },
  )

  it.each([100, 10_000])('that fails after %i ms again and again lets in who reaches the brokers', async (ms) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const world = createWorld()
    let failed = 0
    let sent = 0
    const well = owner(world, 'well', () => undefined)
    const cut = owner(world, 'cut', async (what) => {
      if (what !== 'look') return
      for (let passed = 0; passed < ms; passed += 100) {
        world.pass(100)
        await vi.advanceTimersByTimeAsync(100)
        sent += await well.publish()
      }
      failed += 1
      throw new Error('ECONNREFUSED')
    })
    world.append(0, 5)
    // Without a pause, as every decision of its own nudges it.
    for (let round = 0; round < 400 && sent === 0; round += 1) {
      await cut.publish().catch(() => undefined)
      world.pass(10)
      if (round % 10 === 0) sent += await well.publish()
    }
    expect({ sent, failed }).toEqual({ sent: 5, failed: 2 })
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
