// What a caller who waits is told of a record that was decided ahead of others. Real: the finding of ends; made up: the store.
import { expect, it } from 'vitest'
import { createFindEnd } from '../../../src/api/record-ends.ts'
import type { Intake } from '../../../src/api/ports.ts'
import type { AskedRevision, DecisionReader } from '../../../src/pipeline/ports.ts'
import { decisionOf } from './memory-samples.ts'

const revision = (listingId: string): AskedRevision => ({ listingId, revision: 1, contentHash: `hash of ${listingId}` })

function start() {
  const world = { next: 0n, decided: new Set<string>(), questions: [] as string[][], fail: false }
  const decisions: Partial<DecisionReader> = {
    passed: async () => new Map([[0, world.next]]),
    async decided(asked) {
      if (world.fail) throw new Error('the store is away')
      world.questions.push(asked.map((one) => one.listingId))
      return asked.filter((one) => world.decided.has(one.listingId))
    },
    standing: async (listingId) => ({ decision: decisionOf({ listingId }), contentHash: `hash of ${listingId}` }),
    endOf: async () => ({ kind: 'gone' }),
  }
  let round = 0
  const find = createFindEnd(decisions as DecisionReader, { group: 'g', topic: 't' } as Intake, () => round)
  const records = ['A', 'B', 'C'].map((listingId, i) => ({
    record: { partition: 0, offset: BigInt(i + 5) },
    identity: revision(listingId),
  }))
  /** One round of all who wait. */
  const look = async (...who: number[]) => {
    round += 1
    const ends = who.map(async (i) => {
      const { record, identity } = records[i] ?? { record: { partition: 0, offset: 0n }, identity: revision('?') }
      const end = await find(record, identity)
      return end?.kind === 'decided' ? end.decision.listingId : end?.kind
    })
    return Promise.all(ends)
  }
  const still = () => new Promise((resolve) => setTimeout(resolve, 170))
  return { world, look, still }
}

it('is found where its partition stands still: one question for all who wait, none while it moves', async () => {
  const { world, look, still } = start()
  world.decided.add('B')
  for (let i = 0; i < 3; i += 1) {
    expect(await look(0, 1, 2)).toEqual([undefined, undefined, undefined])
    await still()
    world.next += 1n
  }
  expect(world.questions).toEqual([])
  await look(0, 1, 2)
  await still()
  expect(await look(0, 1, 2)).toEqual([undefined, 'B', undefined])
  expect(world.questions.map((asked) => asked.toSorted())).toEqual([['A', 'B', 'C']])
  // C has gone: nobody asks for it after the next round.
  await look(0)
  await look(0)
  expect(world.questions.at(-1)).toEqual(['A'])
  world.next = 100n
  expect(await look(0)).toEqual(['gone'])
})

it('is found where its partition moves on all the time, as past others that wait, when it waited long', async () => {
  const { world, look, still } = start()
  world.decided.add('B')
  let found: unknown
  for (let i = 0; i < 12 && found === undefined; i += 1) {
    world.next = BigInt(i % 5)
    ;[, found] = await look(0, 1)
    await still()
  }
  expect(found).toBe('B')
  expect(world.questions.length).toBeLessThan(3)
})

it('fails those who ask while the store is away, and nobody later', async () => {
  const { world, look, still } = start()
  await look(0)
  await still()
  await look(0)
  await still()
  world.fail = true
  await expect(look(0)).rejects.toThrow('away')
  world.fail = false
  world.decided.add('A')
  expect(await look(0)).toEqual(['A'])
})
