// Quick records ahead of slow ones: once each, in the order of their listing, whatever dies between. Real: line, commit and settle; the store is in memory.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tried } from '../../../../src/pipeline/settle.ts'
import { createLine, type Line, type Part } from '../../../../src/pipeline/waiting/line.ts'
import { batchOf, createWorld, letter, listing, nameOf, recordAt, refused, withdrawal } from './world.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const nothing = (): void => undefined
const turn = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms))

/** A batch whose records are known by name, all of them tried but none put yet. */
function enter(line: Line, from: number, tried: readonly Tried[], behind: () => void = nothing) {
  const part: Part = line.add(batchOf(from, tried.length), behind)
  for (const [i, one] of tried.entries()) part.name(i, nameOf(one))
  const put = (...which: number[]) => {
    for (const i of which) part.put(i, { record: recordAt(from + i), partition: 0, tried: tried[i] ?? letter })
  }
  return { part, put }
}
const start = (from = 0) => {
  const world = createWorld()
  const lost = new AbortController()
  return { world, lost, line: createLine(BigInt(from), lost.signal, world.options) }
}

describe('a line', () => {
  it('settles a batch in one commit when all of it is ready, unless it goes ahead', async () => {
    const { world, line } = start()
    const { part, put } = enter(line, 0, [listing('A', 1), listing('B', 1), letter])
    put(0, 2)
    await turn(40)
    expect(world.commits).toEqual([])
    put(1)
    expect(await part.settled).toBe('committed')
    expect(world.commits).toEqual([{ from: 0n, next: 3n, records: [0n, 1n, 2n] }])
  })

  it('settles what is ready ahead of what waits, and the offset stays at the lowest that is left', async () => {
    const { world, line } = start()
    const { part, put } = enter(line, 0, [listing('A', 1), listing('slow', 1), listing('B', 1)])
    put(0, 2)
    part.goAhead()
    await turn()
    expect([...world.ends.keys()]).toEqual(['A', 'B'])
    expect(world.offset()).toBe(1n)
    put(1)
    expect(await part.settled).toBe('committed')
    expect(world.offset()).toBe(3n)
    expect(world.commits.map(({ records }) => records)).toEqual([[0n, 2n], [1n]])
  })

  it('leaves what would be written twice, and what follows it of its listing, until the offset passes', async () => {
    const { world, line } = start()
    const tried = [
      listing('slow', 1),
      letter,
      refused('A'),
      listing('A', 1),
      listing('B', 2),
      listing('B', 1),
      listing('B', 3),
      listing('slow', 2),
    ]
    const { part, put } = enter(line, 0, tried)
    put(1, 2, 3, 4, 5, 6, 7)
    part.goAhead()
    await turn()
    // Of B the refusal was met only under its lock.
    expect([...world.ends]).toEqual([['B', ['2 1']]])
    expect([world.letters, world.offset()]).toEqual([[], 0n])
    put(0)
    await part.settled
    expect(Object.fromEntries(world.ends)).toEqual({
      slow: ['1 1', '2 2'],
      A: ['9 too-large', '1 1'],
      B: ['2 1', '1 superseded', '3 2'],
    })
    expect(world.letters).toEqual(['1'])
  })

  it('leaves the withdrawal of an id of which nothing is decided: its first listing may undo it, and it came again as refused', async () => {
    const { world, line } = start()
    const tried = [listing('slow', 1), withdrawal('A', 3, 'm'), listing('A', 1, 'a', 'n')]
    const { part, put } = enter(line, 0, tried)
    put(1, 2)
    part.goAhead()
    await turn()
    expect([...world.ends]).toEqual([])
    put(0)
    await part.settled
    expect(Object.fromEntries(world.ends)).toEqual({ slow: ['1 1'], A: ['1 1'] })
  })

  it('takes the next batches while the first waits, tells those that are done, and ends them in their order', async () => {
    const { world, line } = start()
    const first = enter(line, 0, [listing('slow', 1)])
    first.part.goAhead()
    let behind = 0
    const second = enter(line, 1, [listing('A', 1), listing('slow', 2)], () => (behind += 1))
    const third = enter(line, 3, [])
    const ended: number[] = []
    for (const [i, { part }] of [first, second, third].entries()) void part.settled.then(() => ended.push(i))
    second.put(0, 1)
    await turn()
    expect([...world.ends.keys()]).toEqual(['A'])
    expect([behind, ended]).toEqual([1, []])
    first.put(0)
    expect(await third.part.settled).toBe('committed')
    expect([behind, ended]).toEqual([1, [0, 1, 2]])
    expect(world.ends.get('slow')).toEqual(['1 1', '2 2'])
    expect([world.offset(), line.idle]).toEqual([3n, true])
  })

  it('knows who is behind an unsettled one of their own listing, also of the batch before', () => {
    const { line } = start()
    enter(line, 0, [listing('slow', 1)]).part.goAhead()
    const { part } = enter(line, 1, [listing('A', 1), listing('slow', 2), letter, listing('A', 2)])
    expect([...part.behindTheirOwn([0, 1, 2, 3])]).toEqual([1, 3])
  })

  it('forgets what is settled, however long its batch waits', async () => {
    const { world, line } = start()
    const { part, put } = enter(line, 0, [listing('slow', 1), listing('A', 1)])
    part.goAhead()
    const settled: WeakRef<Tried>[] = []
    world.hooks.before = (records) => void settled.push(...records.map(({ tried }) => new WeakRef(tried)))
    const again = listing('A', 1)
    part.put(1, { record: recordAt(1), partition: 0, tried: { ...again } })
    await turn(40)
    expect(settled).toHaveLength(1)
    collect()
    await turn()
    collect()
    expect(settled[0]?.deref()).toBeUndefined()
    delete world.hooks.before
    put(0)
    expect(await part.settled).toBe('committed')
  })

  it('ends as moved where the partition is lost or somebody else has moved it, and settles nothing more', async () => {
    for (const how of ['lost', 'moved'] as const) {
      const { world, lost, line } = start()
      const { part, put } = enter(line, 0, [listing('slow', 1), listing('A', 1)])
      part.goAhead()
      if (how === 'lost') lost.abort()
      else world.moveTo(7n)
      put(1)
      expect(await Promise.race([part.settled, turn(200)])).toBe('moved')
      expect(line.over.aborted).toBe(true)
      put(0)
      await turn(40)
      expect([...world.ends]).toEqual([])
    }
  })

  it('tells a part that was settled by the commit under way when the partition was lost', async () => {
    const { world, lost, line } = start()
    const { part, put } = enter(line, 0, [listing('A', 1)])
    world.hooks.before = () => lost.abort()
    put(0)
    expect(await part.settled).toBe('committed')
  })

  it('fails as a whole where a commit fails: nobody knows then where the store stands', async () => {
    const { world, line } = start()
    const first = enter(line, 0, [listing('slow', 1)])
    first.part.goAhead()
    const second = enter(line, 1, [listing('A', 1)])
    const away = new Error('the store is away')
    world.hooks.before = () => Promise.reject(away)
    second.put(0)
    await expect(first.part.settled).rejects.toBe(away)
    await expect(second.part.settled).rejects.toBe(away)
  })

  it('finds the one that the store refuses: a dead letter when the offset passes it, not before; the others take effect', async () => {
    const { world, line } = start()
    const { part, put } = enter(line, 0, [listing('slow', 1), listing('A', 1), listing('bad', 1), listing('bad', 2)])
    world.hooks.before = (records) => {
      const bad = records.some(({ record, tried }) => tried.kind === 'ok' && record.offset === 2n)
      return bad ? Promise.reject(new RangeError('cannot be written')) : undefined
    }
    put(1, 2, 3)
    part.goAhead()
    await turn(10)
    expect([...world.ends.keys()]).toEqual(['A'])
    expect(world.letters).toEqual([])
    put(0)
    expect(await part.settled).toBe('committed')
    expect(world.letters).toEqual(['2'])
    expect(Object.fromEntries(world.ends)).toEqual({ A: ['1 1'], slow: ['1 1'], bad: ['2 1'] })
  })
})

const anyMarketplace = fc.constantFrom('m', 'n', undefined)
const anyTried: fc.Arbitrary<Tried> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('A', 'B', 'C'), fc.integer({ min: 1, max: 3 }), fc.constantFrom('a', 'b'), anyMarketplace)
      .map((one) => listing(...one)),
  },
  fc.tuple(fc.constantFrom('A', 'B'), fc.integer({ min: 1, max: 3 }), anyMarketplace).map((one) => withdrawal(...one)),
  fc.constantFrom('A', 'B').map(refused),
  fc.constant(letter),
)

it('says of every listing the same in the same order as one commit would, in whatever order records are done and wherever it dies', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyTried, { minLength: 1, maxLength: 12 }),
      fc.infiniteStream(fc.nat()),
      fc.nat(12),
      fc.array(fc.nat(4), { maxLength: 3 }),
      async (tried, random, cut, deaths) => {
        const plain = start()
        const all = enter(plain.line, 0, tried)
        all.put(...tried.keys())
        await all.part.settled

        const { world } = start()
        const pick = (n: number): number => (random.next().value ?? 0) % n
        for (let life = 0; world.offset() < BigInt(tried.length); life += 1) {
          let left = deaths[life] ?? Infinity
          // The commit took effect, and its answer never came.
          world.hooks.after = () => {
            if (left === 0) throw new Error('died')
            left -= 1
          }
          const from = Number(world.offset())
          const line = createLine(world.offset(), new AbortController().signal, world.options)
          const middle = Math.min(tried.length, Math.max(from, cut))
          const parts = [[from, tried.slice(from, middle)] as const, [middle, tried.slice(middle)] as const].map(
            ([at, some]) => ({ ...enter(line, at, some), count: some.length }),
          )
          for (const { part } of parts) part.goAhead()
          const order = parts.flatMap(({ put, count }) => Array.from({ length: count }, (_, i) => () => put(i)))
          while (order.length > 0) {
            order.splice(pick(order.length), 1)[0]?.()
            if (pick(3) === 0) {
              parts[0]?.part.goAhead()
              for (let i = 0; i < 20; i += 1) await Promise.resolve()
            }
          }
          await Promise.allSettled(parts.map(({ part }) => part.settled))
        }
        expect(Object.fromEntries(world.ends)).toEqual(Object.fromEntries(plain.world.ends))
        expect(world.letters.toSorted()).toEqual(plain.world.letters.toSorted())
      },
    ),
    { numRuns: 150 },
  )
})
