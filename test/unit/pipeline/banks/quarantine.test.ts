// When a picture of a bank has met too many sellers; the clock and the store are invented, all else is real.
import { describe, expect, test } from 'vitest'
import { createBankWatch } from '../../../../src/pipeline/banks/quarantine.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'

const HOUR = 3_600_000
const match = (imageId: string, kind: 'counterfeit' | 'allowed' | 'genuine' | 'logo' = 'counterfeit') => ({
  imageId,
  bankId: 'b',
  kind,
})

function watch(limit: number) {
  const asked: unknown[][] = []
  const state = { now: 0, fails: 0 }
  const lines: string[] = []
  const telemetry = createTelemetry({ level: 'warn', destination: { write: (line: string) => void lines.push(line) } })
  const { saw, stop } = createBankWatch(
    {
      quarantine: (...args) => {
        asked.push(args)
        state.fails -= 1
        return state.fails >= 0 ? Promise.reject(new Error('the store is away')) : Promise.resolve(true)
      },
    },
    telemetry,
    { limit, now: () => state.now },
  )
  const alerts = async () => (await telemetry.metrics.touchstone_quarantines_total.get()).values[0]?.value ?? 0
  return { saw, stop, asked, state, lines, alerts }
}

describe('quarantine', () => {
  test('one seller with a thousand listings, and sellers spread over the day, are what a bank is for', async () => {
    const { saw, stop, asked, state } = watch(10)
    for (let i = 0; i < 1_000; i++) saw('S-1', [match('x')])
    for (let i = 0; i < 100; i++) {
      state.now += HOUR / 10
      saw(`S-${i}`, [match('y')])
    }
    await stop()
    expect(asked).toEqual([])
  })

  test('pictures that are there to be met by many are never taken away', async () => {
    const { saw, stop, asked } = watch(10)
    for (let i = 0; i < 100; i++) saw(`S-${i}`, [match('a', 'allowed'), match('g', 'genuine'), match('l', 'logo')])
    await stop()
    expect(asked).toEqual([])
  })

  test('more sellers than the limit within an hour put it into quarantine, once, with an alert that names it', async () => {
    const { saw, stop, asked, state, lines, alerts } = watch(10)
    for (let i = 0; i < 10; i++) saw(`S-${i}`, [match('x'), match('y', 'allowed')])
    state.now = HOUR - 1
    expect(asked).toEqual([])
    saw('S-10', [match('x')])
    saw('S-11', [match('x')])
    await stop()
    expect(asked).toEqual([['b', 'x', 'quarantine', true, 'all']])
    expect(await alerts()).toBe(1)
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ level: 50, imageId: 'x', bankId: 'b' })
  })

  test('a store that is away is asked again, a little later and not at every match', async () => {
    const { saw, stop, asked, state, lines, alerts } = watch(2)
    state.fails = 1
    for (let i = 0; i < 50; i++) saw(`S-${i}`, [match('x')])
    await stop()
    expect([asked.length, await alerts()]).toEqual([1, 0])
    expect(lines).toHaveLength(1)
    state.now = 11_000
    saw('S-9', [match('x')])
    await stop()
    expect([asked.length, await alerts()]).toEqual([2, 1])
  })

  test('what was let out is counted from the beginning', async () => {
    const { saw, stop, asked, state } = watch(5)
    for (let i = 0; i < 6; i++) saw(`S-${i}`, [match('x')])
    await stop()
    state.now = 60_000
    for (let i = 0; i < 5; i++) saw(`T-${i}`, [match('x')])
    await stop()
    expect(asked).toHaveLength(1)
    saw('T-5', [match('x')])
    await stop()
    expect(asked).toHaveLength(2)
  })

  test.each([
    [4_000, 1],
    [5_000, 0],
  ])('memory stays bounded: behind %d other pictures one is remembered, or not', async (others, quarantined) => {
    const { saw, stop, asked } = watch(2)
    saw('S-0', [match('x')])
    saw('S-1', [match('x')])
    for (let other = 0; other < others; other++) saw('S-0', [match(`other ${other}`)])
    saw('S-2', [match('x')])
    await stop()
    expect(asked).toHaveLength(quarantined)
  })
})
