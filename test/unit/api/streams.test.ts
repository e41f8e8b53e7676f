// The small parts under the routes: lines of a stream, the Prefer header, failed attempts, the room where requests wait.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFailedAttempts, MAX_FAILURES } from '../../../src/api/failed-attempts.ts'
import { readLines } from '../../../src/api/ndjson.ts'
import { preferredWait } from '../../../src/api/prefer.ts'
import { createWaitingRoom } from '../../../src/api/waiting.ts'

async function linesOf(chunks: readonly Uint8Array[], limit: number) {
  async function* stream() {
    yield* chunks
  }
  const lines: (readonly [number, string | undefined])[] = []
  for await (const { number, bytes } of readLines(stream(), limit)) {
    lines.push([number, bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8')])
  }
  return lines
}

describe('lines', () => {
  it('are the same however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'é', ' ', '\r', '"') })),
        fc.array(fc.nat(50)),
        async (texts, cuts) => {
          const whole = Buffer.from(texts.join('\n'))
          const places = [...new Set([0, ...cuts.map((c) => Math.min(c, whole.length)), whole.length])].toSorted(
            (a, b) => a - b,
          )
          const chunks = places.slice(0, -1).map((from, i) => whole.subarray(from, places[i + 1]))
          const expected = texts.flatMap((text, i) => {
            const trimmed = text.replace(/^[ \t\r]+|[ \t\r]+$/g, '')
            return trimmed === '' ? [] : [[i + 1, trimmed]]
          })
          expect(await linesOf(chunks, 1_000)).toEqual(expected)
        },
      ),
    )
  })

  it('beyond the limit are passed over, and the next is read', async () => {
    const chunks = ['aaaa', 'aaaa', 'a\nbb\n', 'ccccccccc'].map((t) => Buffer.from(t))
    expect(await linesOf(chunks, 8)).toEqual([
      [1, undefined],
      [2, 'bb'],
      [3, undefined],
    ])
    expect(await linesOf([Buffer.from('12345678\n')], 8)).toEqual([[1, '12345678']])
  })
})

it.each([
  [undefined, undefined],
  ['wait=10', 10],
  ['respond-async, wait=10', 10],
  ['Wait="7"; foo=1', 7],
  ['wait=0', 0],
  ['wait=61', 60],
  ['wait=1, wait=2', 1],
  ['wait', undefined],
  ['wait=-1', undefined],
  ['wait=1.5', undefined],
  ['wait=99999999999999999999', undefined],
  ['return=minimal', undefined],
])('Prefer: %s means %s seconds', (header, seconds) => {
  expect(preferredWait(header)).toBe(seconds)
})

describe('failed attempts', () => {
  it('make an address wait, the whole /64 of IPv6, until the minute is over', () => {
    let now = 0
    const attempts = createFailedAttempts(() => now)
    for (let i = 0; i < MAX_FAILURES; i += 1) {
      expect(attempts.wait('2001:db8:1:2::1')).toBeUndefined()
      attempts.count(`2001:db8:1:2::${i}`)
    }
    expect(attempts.wait('2001:db8:1:2:ffff::9')).toBe(60)
    expect(attempts.wait('2001:db8:1:3::1')).toBeUndefined()
    expect(attempts.wait('192.0.2.1')).toBeUndefined()
    now = 60_000
    expect(attempts.wait('2001:db8:1:2::1')).toBeUndefined()
  })
})

describe('the waiting room', () => {
  const here = () => new AbortController().signal

  it('looks again by itself, and at once when nudged', async () => {
    const room = createWaitingRoom()
    let looks = 0
    expect(await room.until(async () => (++looks === 3 ? 'found' : undefined), 10_000, here())).toBe('found')
    let there = false
    const waiting = room.until(async () => (there ? 'found' : undefined), 10_000, here())
    there = true
    room.nudge()
    expect(await waiting).toBe('found')
  })

  it('ends a wait when the time is over, the caller is gone, or it closes', async () => {
    const room = createWaitingRoom()
    const nothing = async () => undefined
    expect(await room.until(nothing, 1, here())).toBeUndefined()
    const gone = new AbortController()
    const left = room.until(nothing, 60_000, gone.signal)
    gone.abort()
    expect(await left).toBeUndefined()
    const open = [1, 2, 3].map(() => room.until(nothing, 60_000, here()))
    await new Promise((resolve) => setImmediate(resolve))
    room.close()
    expect(await Promise.all(open)).toEqual([undefined, undefined, undefined])
    expect(await room.until(nothing, 60_000, here())).toBeUndefined()
    expect(await room.until(async () => 'still looks once', 60_000, here())).toBe('still looks once')
  })

  it('fails one whose look fails, and nobody else', async () => {
    const room = createWaitingRoom()
    let broken = false
    let there = false
    const bad = room.until<string>(
      async () => {
        if (broken) throw new Error('the store is away')
        return undefined
      },
      60_000,
      here(),
    )
    const good = room.until(async () => (there ? 'found' : undefined), 60_000, here())
    const failed = bad.catch((error: unknown) => String(error))
    broken = true
    room.nudge()
    expect(await failed).toContain('the store is away')
    there = true
    room.nudge()
    expect(await good).toBe('found')
  })

  it('lets only a few look at the same time, however many wait', async () => {
    const room = createWaitingRoom()
    let looking = 0
    let most = 0
    let rounds = 0
    const look = async () => {
      looking += 1
      if (rounds > 0) most = Math.max(most, looking)
      await new Promise((resolve) => setImmediate(resolve))
      looking -= 1
      rounds = room.round()
      return rounds > 1 ? 'found' : undefined
    }
    await Promise.all(Array.from({ length: 100 }, () => room.until(look, 60_000, here())))
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(8)
  })
})
