// Whose picture is read next. Real: all of it; the clock is moved by hand, and what takes time is invented.
import { describe, expect, it } from 'vitest'
import { createReadingTurns } from '../../../../src/pipeline/pictures/reading-turns.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const never = new AbortController().signal

/** Pictures that each take so many milliseconds, one after the other; whose were read, in their order. */
function reading() {
  let now = 0
  const turns = createReadingTurns(1, 1, () => now)
  const order: string[] = []
  const current: { ms: number; release: (dear: boolean) => void }[] = []
  return {
    order,
    turns,
    wants(name: string, ms: number, marketplace?: string, until = never, foreseen = 0): void {
      void turns.take({ marketplace, sellerId: name }, until, { ms: foreseen, dear: false }).then((release) => {
        order.push(release === undefined ? `${name} left` : name)
        if (release !== undefined) current.push({ ms, release })
      })
    },
    async passes(pictures: number): Promise<void> {
      for (let i = 0; i < pictures; i += 1) {
        await settled()
        const one = current.shift()
        if (one === undefined) return
        now += one.ms
        one.release(false)
      }
      await settled()
    },
  }
}
const times = <T>(count: number, what: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => what(i))
const count = (order: readonly string[], name: string) => order.filter((one) => one === name).length

/** Two threads, so many sellers with a dear one each, and 2 s later one with a cheap one: when that was read, in milliseconds. */
async function servedBeside(sellers: number, foreseenMs: number) {
  let now = 0
  const ends: { readonly at: number; readonly end: () => void }[] = []
  const turns = createReadingTurns(2, 1, () => now)
  const reads = async (sellerId: string, ms: number) => {
    const foreseen = { ms: Math.min(ms, foreseenMs), dear: foreseenMs >= 500 && ms >= 500 }
    const release = await turns.take({ sellerId }, never, foreseen)
    await new Promise<void>((end) => ends.push({ at: now + ms, end }))
    release?.(ms >= 500)
  }
  for (let i = 0; i < sellers; i += 1) void reads(`evil-${i}`, 700)
  let served = 0
  for (let came = false; served === 0;) {
    await settled()
    if (!came && now >= 2_000) {
      came = true
      void reads('honest', 2).then(() => (served = now))
      await settled()
    }
    const [next] = ends.toSorted((a, b) => a.at - b.at)
    if (next === undefined) break
    ends.splice(ends.indexOf(next), 1)
    now = Math.max(now, next.at)
    next.end()
    await settled()
  }
  return served
}

describe('turns with the threads', () => {
  it('go first to what is foreseen to be cheap: made-up sellers with a dear one each are read behind it', async () => {
    // As long as a dear one, and not as one dear one of each of them.
    for (const sellers of [40, 100, 200]) {
      const [blind, foreseen] = [await servedBeside(sellers, 10), await servedBeside(sellers, 700)]
      expect(blind).toBeGreaterThan(sellers * 300)
      expect(foreseen).toBeLessThan(2_000 + 2 * 700)
    }
  })

  it('come to a dear one too, however many new sellers with cheap ones come one after the other', async () => {
    const { order, wants, passes } = reading()
    wants('first', 20)
    for (const name of ['dear-1', 'dear-2']) wants(name, 800, undefined, never, 800)
    for (let i = 0; i < 100; i += 1) {
      wants(`new-${i}`, 20, undefined, never, 20)
      wants(`more-${i}`, 20, undefined, never, 20)
      await passes(1)
    }
    // At most half of the time is theirs: as much as forty cheap ones take.
    expect(order.indexOf('dear-1')).toBeGreaterThan(0)
    expect(order.indexOf('dear-2') - order.indexOf('dear-1')).toBeGreaterThan(38)
  })

  it('are shared by time: whose pictures are dear has few of them read while others wait', async () => {
    const { order, wants, passes } = reading()
    times(50, () => wants('dear', 800))
    await passes(1)
    times(60, () => wants('cheap', 20))
    await passes(40)
    expect(count(order, 'dear')).toBeLessThanOrEqual(3)
    await passes(30)
    // And is not starved.
    expect(count(order, 'dear')).toBeGreaterThan(3)
  })

  it('go to who comes with one before those who had many, and nobody saves up what was not used', async () => {
    const { order, wants, passes } = reading()
    times(30, () => wants('many', 10))
    await passes(5)
    wants('one', 10)
    await passes(2)
    expect(order.slice(0, 8)).toContain('one')
    const more = reading()
    more.wants('early', 10)
    await more.passes(1)
    times(20, () => more.wants('many', 10))
    await more.passes(10)
    times(10, () => more.wants('early', 10))
    await more.passes(6)
    expect(count(more.order.slice(-6), 'early')).toBeLessThanOrEqual(4)
  })

  it('are shared between marketplaces first: sellers are made up', async () => {
    const { order, wants, passes } = reading()
    times(40, (i) => wants(`evil-${i}`, 100, 'hostile'))
    times(10, () => wants('honest', 100, 'demo'))
    await passes(20)
    expect(count(order, 'honest')).toBeGreaterThanOrEqual(9)
  })

  it('are foreseen, so that nobody has all of them at once', async () => {
    const turns = createReadingTurns(4, 4, () => 0)
    const order: string[] = []
    const blocked = await Promise.all(times(4, () => turns.take({ sellerId: 'first' }, never)))
    for (const sellerId of ['a', 'a', 'a', 'a', 'b', 'b'])
      void turns.take({ sellerId }, never).then(() => order.push(sellerId))
    for (const release of blocked) release?.(false)
    await settled()
    expect(order).toEqual(['a', 'b', 'a', 'b'])
  })

  it('are not all for those who showed dear ones, also while nobody else waits', async () => {
    const turns = createReadingTurns(3, 1)
    const went: ((dear: boolean) => void)[] = []
    const wants = (sellerId: string) =>
      void turns.take({ sellerId }, never).then((release) => release !== undefined && went.push(release))
    times(9, () => wants('dear'))
    await settled()
    expect(went).toHaveLength(3)
    for (const release of went.splice(0)) release(true)
    await settled()
    // One of them; one had begun before it was known of the others.
    expect(went.length).toBeLessThanOrEqual(2)
    wants('quick')
    await settled()
    went.splice(0).forEach((release) => release(true))
    await settled()
    expect(went).toHaveLength(1)
    went.splice(0).forEach((release) => release(false))
    await settled()
    expect(went.length).toBeGreaterThan(1)
  })

  it('count what was had also of those who come with one picture after the other', async () => {
    const { order, wants, passes } = reading()
    wants('dear', 800)
    times(60, () => wants('cheap', 20))
    for (let i = 0; i < 40; i += 1) {
      const before = count(order, 'dear')
      await passes(1)
      if (count(order, 'dear') > before) wants('dear', 800)
    }
    expect(count(order, 'dear')).toBeLessThanOrEqual(3)
  })

  it('are left by those whose time is over, and come back all of them', async () => {
    const { order, wants, passes, turns } = reading()
    const over = new AbortController()
    wants('first', 10)
    wants('late', 10, undefined, over.signal)
    wants('next', 10)
    await settled()
    over.abort()
    await settled()
    expect(order).toEqual(['first', 'late left'])
    await passes(2)
    expect(order.at(-1)).toBe('next')
    expect(await turns.take({ sellerId: 'x' }, over.signal)).toBeUndefined()
    expect(await turns.take({ sellerId: 'x' }, never)).toBeDefined()
  })
})
