// Histories of one partition that is settled in pieces by workers that die, are late, or fail on what others decided. Real: line, commit and settle; the store is in memory.
import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Tried } from '../../../../src/pipeline/settle.ts'
import { createLine } from '../../../../src/pipeline/waiting/line.ts'
import { createWorld, enter, failing, letter, listing, refused, withdrawal } from './world.ts'

const anyMarketplace = fc.constantFrom('m', 'n', undefined)
const anyRevision = fc.integer({ min: 1, max: 3 })
const anyListing = fc
  .tuple(
    fc.constantFrom('A', 'B', 'C'),
    anyRevision,
    fc.constantFrom('a', 'b'),
    anyMarketplace,
    fc.record({ bound: fc.boolean(), outcome: fc.constantFrom('allow', 'hold') }),
  )
  .map((one) => listing(...one))
const anyTried: fc.Arbitrary<Tried> = fc.oneof(
  { weight: 6, arbitrary: anyListing },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom('A', 'B'), anyRevision, anyMarketplace).map((one) => withdrawal(...one)),
  },
  fc.constantFrom('A', 'B').map(refused),
  fc.constant(letter),
)

interface Life {
  /** Commits that take effect before it dies: of the last one it never hears. */
  readonly commits: number
  readonly how: 'died' | 'lost' | 'lost while it commits'
  /** Of all records, those on which its code fails. */
  readonly fails: readonly number[]
}
const anyLife: fc.Arbitrary<Life> = fc.record({
  commits: fc.nat(4),
  how: fc.constantFrom('died', 'lost', 'lost while it commits'),
  fails: fc.array(fc.nat(11), { maxLength: 4 }),
})

/** What readers, cases and rows say in the end. */
const told = ({ ends, letters, cases, standings }: ReturnType<typeof createWorld>) => ({
  ends: Object.fromEntries(ends),
  letters: letters.toSorted(),
  cases: Object.fromEntries(cases),
  standings: Object.fromEntries(standings),
})

async function inOneCommit(tried: readonly Tried[]) {
  const world = createWorld()
  const { part, put } = enter(createLine(0n, new AbortController().signal, world.options), 0, tried)
  put(...tried.keys())
  await part.settled
  return world
}

/** Lives follow each other until all is passed; the last one is healthy. */
async function inPieces(tried: readonly Tried[], lives: readonly Life[], cut: number, pick: (n: number) => number) {
  const world = createWorld()
  for (let i = 0; world.offset() < BigInt(tried.length); i += 1) {
    const life = lives[i]
    let left = life?.commits ?? Infinity
    const lost = new AbortController()
    world.hooks.before = () => {
      if (left === 0 && life?.how === 'lost while it commits') lost.abort()
    }
    world.hooks.after = () => {
      left -= 1
      if (left < 0 && life?.how === 'died') throw new Error('died')
      if (left === 0 && life?.how === 'lost') lost.abort()
    }
    const from = Number(world.offset())
    const line = createLine(world.offset(), lost.signal, world.options)
    const middle = Math.min(tried.length, Math.max(from, cut))
    const now = tried.map((one, offset) => (life?.fails.includes(offset) === true ? failing(one) : one))
    const parts = [[from, now.slice(from, middle)] as const, [middle, now.slice(middle)] as const].map(
      ([at, some]) => ({
        ...enter(line, at, some),
        count: some.length,
      }),
    )
    for (const { part } of parts) part.goAhead()
    const order = parts.flatMap(({ put, count }) => Array.from({ length: count }, (_, record) => () => put(record)))
    while (order.length > 0) {
      order.splice(pick(order.length), 1)[0]?.()
      if (pick(3) > 0) continue
      parts[0]?.part.goAhead()
      for (let step = 0; step < 20; step += 1) await Promise.resolve()
    }
    await Promise.allSettled(parts.map(({ part }) => part.settled))
    expect([line.idle, getEventListeners(lost.signal, 'abort')]).toEqual([true, []])
  }
  return world
}

it('says of every listing the same in the same order as one commit would, in whatever order records are done and however workers end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyTried, { minLength: 1, maxLength: 12 }),
      fc.infiniteStream(fc.nat()),
      fc.nat(12),
      fc.array(anyLife, { maxLength: 3 }),
      async (tried, random, cut, lives) => {
        const world = await inPieces(tried, lives, cut, (n) => (random.next().value ?? 0) % n)
        // What became a dead letter, because the worker that passed it failed on it and nobody had decided it, was one from the beginning.
        const letters = new Set(world.letters)
        const asPassed = tried.map((one, offset) => (letters.has(String(offset)) ? failing(one) : one))
        expect(told(world)).toEqual(told(await inOneCommit(asPassed)))
      },
    ),
    { seed: 20_261_122, numRuns: 200 },
  )
})
