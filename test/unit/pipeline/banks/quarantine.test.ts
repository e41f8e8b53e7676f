// When a picture of a bank has met too many sellers; the clock and the store are invented, all else is real.
import { describe, expect, test } from 'vitest'
import type { AlertResult } from '../../../../src/domain/bank.ts'
import { createBankWatch, type WatchedStore } from '../../../../src/pipeline/banks/quarantine.ts'
import { createTelemetry } from '../../../../src/telemetry.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.parse('2026-01-01T00:00:00Z')
const match = (imageId: string, kind: 'counterfeit' | 'allowed' | 'genuine' | 'logo' = 'counterfeit') => ({
  imageId,
  bankId: 'b',
  kind,
})
type Asked = Parameters<WatchedStore['alarm']>

function watch(limit: number) {
  const asked: Asked[] = []
  const state: { now: number; fails: number; answer: AlertResult | undefined } = {
    now: START,
    fails: 0,
    answer: 'quarantined',
  }
  const lines: string[] = []
  const telemetry = createTelemetry({ level: 'warn', destination: { write: (line: string) => void lines.push(line) } })
  const { saw: sawOffered, stop } = createBankWatch(
    {
      alarm: (...args) => {
        asked.push(args)
        state.fails -= 1
        return state.fails >= 0 ? Promise.reject(new Error('the store is away')) : Promise.resolve(state.answer)
      },
    },
    telemetry,
    { limit, perHour: 5, now: () => state.now },
  )
  type Matches = Parameters<typeof sawOffered>[1]
  const saw = (sellerId: string, matches: Matches, marketplace?: string, daysOld?: number) =>
    sawOffered(
      {
        sellerId,
        ...(marketplace === undefined ? {} : { marketplace }),
        ...(daysOld === undefined ? {} : { seller: { createdAt: new Date(state.now - daysOld * DAY).toISOString() } }),
      },
      matches,
    )
  const quarantines = async () => (await telemetry.metrics.touchstone_quarantines_total.get()).values[0]?.value ?? 0
  const alerts = async () =>
    Object.fromEntries(
      (await telemetry.metrics.touchstone_bank_alerts_total.get()).values.map((v) => [v.labels['result'], v.value]),
    )
  return { saw, stop, asked, state, lines, quarantines, alerts }
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

  test('more sellers than the limit within an hour are told to the store, once, and people are told what came of it', async () => {
    const { saw, stop, asked, state, lines, quarantines, alerts } = watch(10)
    for (let i = 0; i < 10; i++) saw(`S-${i}`, [match('x'), match('y', 'allowed')], 'shop')
    state.now += HOUR - 1
    expect(asked).toEqual([])
    saw('S-10', [match('x')], 'shop')
    saw('S-11', [match('x')], 'shop')
    await stop()
    const met = { marketplace: 'shop', sellers: 11, newSellers: 0, seconds: 3_600, enough: true }
    expect(asked).toEqual([['b', 'x', met, 5]])
    expect([await quarantines(), await alerts()]).toEqual([1, { quarantined: 1 }])
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 50, imageId: 'x', bankId: 'b', marketplace: 'shop', sellers: 11, seconds: 3_600, result: 'quarantined' },
    ])
  })

  test('the same name of a seller is another seller elsewhere; listings without a marketplace are apart', async () => {
    const { saw, stop, asked } = watch(10)
    for (const marketplace of ['a', 'b', undefined])
      for (let i = 0; i < 10; i++) saw(`S-${i}`, [match('x')], marketplace)
    await stop()
    expect(asked).toEqual([])
    saw('S-10', [match('x')])
    await stop()
    expect(asked.map(([, , met]) => met.marketplace)).toEqual([null])
  })

  test.each([
    ['bound', /matches on: as many as may/],
    ['new-sellers', /matches on: too many of them opened/],
    ['quarantined', /in quarantine for that marketplace, and matches on for others/],
    ['quarantined-for-all', /in quarantine and matches nothing/],
  ] as const)('the line in the log is true, and once an hour: %s', async (answer, text) => {
    const { saw, stop, state, lines, alerts } = watch(2)
    state.answer = answer
    const flood = async () => {
      for (let i = 0; i < 50; i++) saw(`S-${i}`, [match('x')], 'shop')
      await stop()
    }
    await flood()
    state.now += 700_000
    await flood()
    expect(await alerts()).toEqual({ [answer]: 1 })
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([expect.stringMatching(text)])
    state.now += HOUR
    await flood()
    expect(await alerts()).toEqual({ [answer]: 2 })
  })

  test('what matches on is asked about again after ten minutes and not at every match', async () => {
    const { saw, stop, asked, state } = watch(2)
    state.answer = 'bound'
    for (const [minutes, times] of [
      [0, 1],
      [9, 1],
      [11, 2],
    ] as const) {
      state.now = START + minutes * 60_000
      for (let i = 0; i < 50; i++) saw(`S-${i}`, [match('x')])
      await stop()
      expect(asked).toHaveLength(times)
    }
  })

  describe('new accounts, where the marketplace says how old they are,', () => {
    test('are told of and count for nothing else, however many they are', async () => {
      const { saw, stop, asked, state } = watch(10)
      state.answer = 'new-sellers'
      for (let i = 0; i < 10; i++) saw(`old ${i}`, [match('x')], 'shop', 8)
      await stop()
      expect(asked).toEqual([])
      for (let i = 0; i < 500; i++) saw(`new ${i}`, [match('x')], 'shop', 6)
      await stop()
      expect(asked.map(([, , met]) => met)).toEqual([
        { marketplace: 'shop', sellers: 11, newSellers: 1, seconds: 0, enough: false },
      ])
    })

    test('do not hide those that count', async () => {
      const { saw, stop, asked, state } = watch(10)
      state.answer = 'new-sellers'
      for (let i = 0; i < 11; i++) {
        saw(`old ${i}`, [match('x')], 'shop', i % 2 === 0 ? 8 : undefined)
        for (let j = 0; j < 50; j++) saw(`new ${i} ${j}`, [match('x')], 'shop', 0)
      }
      await stop()
      expect(asked.map(([, , met]) => met.enough)).toEqual([false, true])
    })
  })

  test('a store that is away is asked again, a little later and not at every match', async () => {
    const { saw, stop, asked, state, lines, quarantines } = watch(2)
    state.fails = 1
    for (let i = 0; i < 50; i++) saw(`S-${i}`, [match('x')])
    await stop()
    expect([asked.length, await quarantines()]).toEqual([1, 0])
    expect(lines).toHaveLength(1)
    state.now += 11_000
    saw('S-9', [match('x')])
    await stop()
    expect([asked.length, await quarantines()]).toEqual([2, 1])
  })

  test.each(['quarantined', undefined] as const)(
    'what was let out, here or elsewhere, is counted from the beginning (%s)',
    async (answer) => {
      const { saw, stop, asked, state } = watch(5)
      state.answer = answer
      for (let i = 0; i < 6; i++) saw(`S-${i}`, [match('x')])
      await stop()
      state.now += 60_000
      for (let i = 0; i < 5; i++) saw(`T-${i}`, [match('x')])
      await stop()
      expect(asked).toHaveLength(1)
      saw('T-5', [match('x')])
      await stop()
      expect(asked).toHaveLength(2)
    },
  )

  test('two thousand pictures at once are asked about one after the other', async () => {
    let [open, most, done] = [0, 0, 0]
    const alarm = async () => {
      most = Math.max(most, (open += 1))
      await Promise.resolve()
      open -= 1
      done += 1
      return 'bound' as const
    }
    const { saw, stop } = createBankWatch({ alarm }, createTelemetry({ level: 'silent' }), { limit: 2, perHour: 5 })
    const all = Array.from({ length: 2_000 }, (_, i) => match(`x ${i}`))
    for (let seller = 0; seller < 5; seller++) saw({ sellerId: `S-${seller}` }, all)
    await stop()
    expect([most, done]).toEqual([1, 2_000])
  })

  test.each([
    [4_000, 1],
    [5_000, 0],
  ])('memory stays bounded: behind %d other pictures one is remembered, or not', async (others, told) => {
    const { saw, stop, asked } = watch(2)
    saw('S-0', [match('x')])
    saw('S-1', [match('x')])
    for (let other = 0; other < others; other++) saw('S-0', [match(`other ${other}`)])
    saw('S-2', [match('x')])
    await stop()
    expect(asked).toHaveLength(told)
  })
})
