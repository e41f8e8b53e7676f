// Two who write one brand at once. Real: the server, and the store on a PostgreSQL with a connection for each of them; keys are in memory.
import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Api } from '../../src/api/services.ts'
import { brandSchema } from '../../src/domain/brand.ts'
import { memoryApi, type MemoryWorld } from '../unit/api/memory-ports.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

let node: PostgresNode
let api: Api
let world: MemoryWorld
let analyst: pg.Client
beforeEach(async () => {
  node = await freshNode()
  ;({ api, world } = await memoryApi({ reference: node.reference }))
  analyst = new pg.Client({ connectionString: node.url, options: '-c search_path=touchstone' })
  await analyst.connect()
})
afterEach(async () => {
  await analyst.end()
  await api.close()
})

const alias = (text: string) => ({ text, kind: 'name' as const })
const nike = brandSchema.parse({ brandId: 'nike', name: 'Nike', aliases: [alias('swoosh'), alias('dial')] })

/** How many wait for a lock of another in this database. */
async function waiting(): Promise<number> {
  const { rows } = await analyst.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows[0]?.n ?? 0
}

test('an alias that an analyst takes away while its rights holder writes does not come back', async () => {
  await node.reference.upsertBrands([nike], 'ann')
  const { headers } = await world.key('brand', { brandIds: ['nike'] })
  const put = (aliases: readonly object[]) =>
    api.inject({
      method: 'PUT',
      url: '/v1/brands/nike',
      headers,
      payload: { name: 'Nike', aliases, authorisedSellers: ['S-1'] },
    })

  // The analyst is in the middle of it: the head is theirs, and the alias is still there for everyone else.
  await analyst.query('begin')
  await analyst.query('select from reference_head for update')
  const answer = put(nike.aliases)
  await vi.waitFor(async () => expect(await waiting()).toBe(1), { timeout: 10_000, interval: 10 })
  const cleaned = { ...nike, aliases: [alias('swoosh')] }
  await analyst.query('update brand set body = $1, version = version + 1, change = change + 1', [cleaned])
  await analyst.query('update reference_head set change = change + 1')
  await analyst.query('commit')

  const { statusCode, body } = await answer
  expect([statusCode, JSON.parse(body)]).toEqual([
    403,
    expect.objectContaining({ code: 'forbidden', path: '/aliases/1' }),
  ])
  expect(await node.reference.brand('nike')).toEqual(cleaned)
  // What it may write it writes, over what stands by then.
  expect((await put(cleaned.aliases)).statusCode).toBe(200)
  expect(await node.reference.brand('nike')).toEqual({ ...cleaned, authorisedSellers: ['S-1'] })
})
