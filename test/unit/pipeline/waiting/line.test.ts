// Quick records ahead of slow ones: once each, in the order of their listing, whatever dies between. Real: line, commit and settle; the store is in memory.
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { Tried } from '../../../../src/pipeline/settle.ts'
import { createLine } from '../../../../src/pipeline/waiting/line.ts'
import { batchOf, createWorld, enter, letter, listing, recordAt, refused, withdrawal } from './world.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const turn = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms))

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

  it('tells it also where another batch comes to the line that is over, before the commit has its answer', async () => {
    const { world, lost, line } = start()
    const { part, put } = enter(line, 0, [listing('A', 1)])
    const answer = Promise.withResolvers<void>()
    world.hooks.before = () => answer.promise
    put(0)
    await turn()
    lost.abort()
    const late = enter(line, 1, [listing('B', 1)])
    answer.resolve()
    expect(await Promise.all([part.settled, late.part.settled])).toEqual(['committed', 'moved'])
  })

  it('keeps no records of a batch that is settled, and listens to nothing, however long its partition is held', async () => {
    const { lost, line } = start()
    const batch = batchOf(0, 1)
    const record = new WeakRef(batch.records[0] ?? recordAt(0))
    const part = line.add({ ...batch, records: [...batch.records] }, () => undefined)
    part.put(0, { record: recordAt(0), partition: 0, tried: listing('A', 1) })
    expect(await part.settled).toBe('committed')
    Object.assign(batch, { records: [] })
    await turn()
    collect()
    await turn()
    collect()
    expect([record.deref(), getEventListeners(lost.signal, 'abort')]).toEqual([undefined, []])
    expect(line.next).toBe(1n)
  })

  it('says that a batch waits when what could be settled is, and of how many records not', async () => {
    const { world, line } = start()
    const answer = Promise.withResolvers<void>()
    world.hooks.before = () => answer.promise
    const told: number[] = []
    const first = enter(line, 0, [listing('slow', 1), listing('A', 1), listing('slow', 2), letter], () =>
      told.push(first.part.left),
    )
    first.put(1, 2, 3)
    first.part.goAhead()
    await turn()
    expect([told, first.part.left]).toEqual([[], 4])
    answer.resolve()
    await turn()
    expect([told, first.part.left]).toEqual([[3], 3])
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

  it('fails where the store refuses the dead letter too, instead of trying it for ever', async () => {
    const { world, line } = start()
    const { part, put } = enter(line, 0, [listing('A', 1), listing('bad', 1)])
    let tries = 0
    world.hooks.before = (records) =>
      records.some(({ record }) => record.offset === 1n) && ++tries < 10
        ? Promise.reject(new RangeError('not even that'))
        : undefined
    put(0, 1)
    await expect(part.settled).rejects.toThrow('not even that')
    // With the other, alone, as a dead letter.
    expect([tries, [...world.ends.keys()], world.letters]).toEqual([3, ['A'], []])
  })
})
