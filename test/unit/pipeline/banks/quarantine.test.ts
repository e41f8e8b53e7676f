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

function watch(limit: number, senders: readonly (string | null)[] = []) {
  const asked: unknown[][] = []
  const state = { now: 0, fails: 0 }
  const lines: string[] = []
  const telemetry = createTelemetry({ level: 'warn', destination: { write: (line: string) => void lines.push(line) } })
  const { saw: sawOffered, stop } = createBankWatch(
    {
      quarantine: (...args) => {
        asked.push(args)
        state.fails -= 1
        return state.fails >= 0 ? Promise.reject(new Error('the store is away')) : Promise.resolve(true)
      },
      senders: () => Promise.resolve(senders),
    },
    telemetry,
    { limit, now: () => state.now },
  )
  type Matches = Parameters<typeof sawOffered>[1]
  const saw = (sellerId: string, matches: Matches, marketplace?: string) =>
    sawOffered({ sellerId, ...(marketplace === undefined ? {} : { marketplace }) }, matches)
  const alerts = async () => (await telemetry.metrics.touchstone_quarantines_total.get()).values[0]?.value ?? 0
  const told = async () => (await telemetry.metrics.touchstone_bank_alerts_total.get()).values[0]?.value ?? 0
  return { saw, stop, asked, state, lines, alerts, told }
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

  describe('among several marketplaces', () => {
    const flood = (w: ReturnType<typeof watch>, sellers: number, marketplace?: string) => {
      for (let i = 0; i < sellers; i++) w.saw(`S-${i}`, [match('x')], marketplace)
    }

    test.each([
      ['another had a listing decided, without any match', [], (w: ReturnType<typeof watch>) => w.saw('S', [], 'demo')],
      ['another may send listings', ['demo', 'elsewhere'], () => undefined],
      ['some listings are of none', ['elsewhere'], (w: ReturnType<typeof watch>) => w.saw('S', [])],
      ['a key of none may send listings', [null, 'elsewhere'], () => undefined],
    ] as const)('one alone disarms no picture for the others: an alert an hour (%s)', async (_, senders, others) => {
      const w = watch(10, senders)
      others(w)
      flood(w, 10, 'elsewhere')
      await w.stop()
      expect(await w.told()).toBe(0)
      flood(w, 1_000, 'elsewhere')
      w.state.now = 60_000
      flood(w, 1_000, 'elsewhere')
      await w.stop()
      expect(w.asked).toEqual([])
      expect([await w.alerts(), await w.told(), w.lines.length]).toEqual([0, 1, 1])
      expect(JSON.parse(w.lines[0] ?? '{}')).toMatchObject({ level: 50, imageId: 'x', marketplace: 'elsewhere' })
      w.state.now += HOUR
      flood(w, 11, 'elsewhere')
      await w.stop()
      expect(await w.told()).toBe(2)
    })

    test('two that meet too many within the hour say it of the picture', async () => {
      const w = watch(10, ['a', 'b', 'c'])
      flood(w, 11, 'a')
      flood(w, 10, 'b')
      await w.stop()
      expect(w.asked).toEqual([])
      flood(w, 11, 'b')
      await w.stop()
      expect(w.asked).toEqual([['b', 'x', 'quarantine', true, 'all']])
    })

    test('one today and another an hour later do not', async () => {
      const w = watch(10, ['a', 'b'])
      flood(w, 11, 'a')
      w.state.now = HOUR
      flood(w, 11, 'b')
      await w.stop()
      expect(w.asked).toEqual([])
    })

    test('the same name of a seller is another seller elsewhere', async () => {
      const w = watch(10, [null])
      flood(w, 10, 'a')
      flood(w, 10, 'b')
      await w.stop()
      expect([w.asked, await w.told()]).toEqual([[], 0])
    })

    test.each([
      ['bound', ['only'], 'only'],
      ['of none', [null], undefined],
      ['named by keys that are bound to none', [null, null], 'only'],
    ] as const)('the only one here is believed (%s)', async (_, senders, marketplace) => {
      const w = watch(10, senders)
      flood(w, 11, marketplace)
      await w.stop()
      expect([w.asked.length, await w.told()]).toEqual([1, 0])
    })

    test('one that left a day ago is not here any more', async () => {
      const w = watch(10, ['a'])
      w.saw('S', [], 'b')
      w.state.now = 24 * HOUR
      flood(w, 11, 'a')
      await w.stop()
      expect(w.asked).toHaveLength(1)
    })
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
