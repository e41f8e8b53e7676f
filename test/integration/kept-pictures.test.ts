// Whose kept pictures somebody sees. Real: PostgreSQL, the stores and the HTTP server; keys are in memory, pictures invented.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Api } from '../../src/api/services.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { memoryApi } from '../unit/api/memory-ports.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

const [ours, theirs] = [picture('ours'), picture('theirs')]

describe('kept pictures over HTTP', () => {
  let node: PostgresNode
  let api: Api
  let analyst: Record<string, string>
  let nike: Record<string, string>
  beforeEach(async () => {
    node = await freshNode()
    const memory = await memoryApi({ keptPictures: node.keptPictures })
    api = memory.api
    analyst = (await memory.world.key('analyst')).headers
    nike = (await memory.world.key('brand', { brandIds: ['nike'] })).headers
  })
  afterEach(() => api.close())

  const statuses = (headers: Record<string, string>) =>
    Promise.all(
      [ours, theirs].map(async ({ sha256 }) => {
        const { statusCode } = await api.inject({ method: 'GET', url: `/v1/pictures/${sha256}`, headers })
        return statusCode
      }),
    )

  test('a rights holder sees the pictures of cases about its brands, and of no others', async () => {
    await node.pictures.put([ours, theirs])
    for (const [caseId, brandId, { sha256 }] of [
      ['C-1', 'nike', ours],
      ['C-2', 'gap', theirs],
    ] as const) {
      await node.database.deciding.query(
        `insert into review_case (case_id, listing_id, revision, state, risk, brand_ids, opened_at)
         values ($1, $1, 1, 'open', 0.5, array[$2], now())`,
        [caseId, brandId],
      )
      await node.database.deciding.query('insert into case_picture values ($1, 1, 0, $2, array[$3])', [
        caseId,
        sha256,
        brandId,
      ])
    }
    expect(await statuses(nike)).toEqual([200, 404])
    expect(await statuses(analyst)).toEqual([200, 200])
  })

  test('a rights holder sees the pictures of its banks and of no others; of what left them nobody', async () => {
    for (const [brandId, one] of [
      ['nike', ours],
      ['gap', theirs],
    ] as const) {
      await node.banks.upsertBank(bank(`of-${brandId}`, { brandId }), 'ann', 'all')
      await node.banks.addImages(`of-${brandId}`, [{ picture: one, source: { kind: 'api' } }], 'ann', 'all')
    }
    expect(await statuses(nike)).toEqual([200, 404])
    expect(await statuses(analyst)).toEqual([200, 200])
    const [entry] = await node.banks.images('of-nike', { limit: 1 })
    await node.banks.removeImage('of-nike', String(entry?.imageId), 'ann', 'all')
    expect(await statuses(nike)).toEqual([404, 404])
    expect(await statuses(analyst)).toEqual([404, 200])
  })
})
