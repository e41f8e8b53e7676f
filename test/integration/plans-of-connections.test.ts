// What every connection of the store asks of the server's planner. Real: PostgreSQL, and the pools that the gate uses.
import { beforeEach, expect, it } from 'vitest'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

let node: PostgresNode
beforeEach(async () => {
  node = await freshNode()
})

it.each(['deciding', 'reading'] as const)(
  'nothing is compiled for what is %s: it would take longer than all the rest',
  async (pool) => {
    const { rows } = await node.database[pool].query<{ jit: string }>(`select current_setting('jit') as jit`)
    expect(rows).toEqual([{ jit: 'off' }])
  },
)
