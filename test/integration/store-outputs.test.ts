// How many partitions an output topic has for the store, on a real PostgreSQL: the number it began with, whatever the log has later.
import { beforeEach, describe, expect, test } from 'vitest'
import { createGateStore } from '../../src/adapters/postgres/gate-store.ts'
import type { GateStore } from '../../src/pipeline/ports.ts'
import { commitAll, DEAD_LETTERS, DECISIONS, listings, OUTPUTS } from '../contracts/store-samples.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

describe('the output partitions of a store', () => {
  let node: PostgresNode
  beforeEach(async () => {
    node = await freshNode()
  })
  const storeWith = (outputs: Record<string, number>): Promise<GateStore> =>
    createGateStore({ pool: node.database.deciding, outputs })
  const partitions = async (topic: string): Promise<number[]> => {
    const { rows } = await node.database.deciding.query<{ part: number }>(
      'select part from outbox_head where topic = $1 order by part',
      [topic],
    )
    return rows.map((row) => row.part)
  }

  test('a key keeps its partition when its topic gets more of them, also in processes that start later', async () => {
    await commitAll(node.store, listings('L', 40))
    const later = await storeWith({ ...OUTPUTS, [DECISIONS]: 9 })
    await commitAll(later, listings('L', 40, 2))
    expect(await partitions(DECISIONS)).toEqual([0, 1, 2, 3])
    const { rows } = await node.database.deciding.query<{ places: number }>(
      'select count(distinct part)::int as places from outbox group by key',
    )
    expect(rows).toHaveLength(40)
    expect(rows.every((row) => row.places === 1)).toBe(true)
  })

  test('a topic with fewer partitions than were published to is refused by name, and nothing changes', async () => {
    await expect(storeWith({ ...OUTPUTS, [DECISIONS]: 3 })).rejects.toMatchObject({
      code: 'outputs-shrunk',
      message: expect.stringContaining(DECISIONS) as string,
    })
    expect(await partitions(DECISIONS)).toEqual([0, 1, 2, 3])
    expect(await partitions(DEAD_LETTERS)).toEqual([0, 1])
  })

  test('processes that start at once with different counts agree on one of them', async () => {
    const counts = [5, 7, 5, 7, 7]
    const stores = await Promise.allSettled(counts.map((count) => storeWith({ ...OUTPUTS, new: count })))
    const held = (await partitions('new')).length
    expect([5, 7]).toContain(held)
    // Who has fewer than were agreed on is told; nobody adds to them.
    expect(stores.map((one) => one.status)).toEqual(counts.map((count) => (count < held ? 'rejected' : 'fulfilled')))
  })

  test('a new topic is taken in beside those that are known', async () => {
    await storeWith({ ...OUTPUTS, new: 3 })
    expect(await partitions('new')).toEqual([0, 1, 2])
  })
})
