// The model routes. Real: the server, its schemas and who may call; made up: the learning loop behind them.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Api } from '../../../src/api/services.ts'
import { memoryApi, type MemoryWorld } from './memory-ports.ts'

let api: Api
let world: MemoryWorld
beforeEach(async () => {
  ;({ api, world } = await memoryApi())
})
afterEach(() => api.close())

async function call(
  method: 'GET' | 'POST',
  url: string,
  payload?: object,
  role: 'analyst' | 'brand' | 'ingest' = 'analyst',
) {
  const { headers } = await world.key(role, role === 'brand' ? { brandIds: ['nike'] } : {})
  const answer = await api.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })
  return [answer.statusCode, answer.json<Record<string, unknown>>()] as const
}

it('are for analysts alone', async () => {
  for (const role of ['brand', 'ingest'] as const)
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/fusion/train'],
      ['POST', '/fusion/promote'],
      ['POST', '/fusion/rollback'],
    ] as const)
      expect((await call(method, `/v1/models${path}`, {}, role))[0]).toBe(403)
})

it('refuse what is no model, no seed and no version, and say where', async () => {
  expect(await call('POST', '/v1/models/price/train', {})).toMatchObject([422, { code: 'invalid' }])
  expect(await call('POST', '/v1/models/fusion/train', { seed: -1 })).toMatchObject([422, { path: '/seed' }])
  expect(await call('POST', '/v1/models/fusion/promote', {})).toMatchObject([422, { path: '/version' }])
  expect(await call('POST', '/v1/models/fusion/promote', { version: '../x' })).toMatchObject([
    422,
    { path: '/version' },
  ])
  expect(await call('POST', '/v1/models/fusion/promote', { version: 'none' })).toMatchObject([
    404,
    { code: 'not-found' },
  ])
  expect(await call('POST', '/v1/models/fusion/rollback')).toMatchObject([409, { code: 'nothing-to-roll-back' }])
})

it('answer 202 with the training that was begun, and 409 while it runs', async () => {
  expect(await call('POST', '/v1/models/all/train', { seed: 7 })).toMatchObject([
    202,
    { state: 'running', seed: 7, models: ['fusion', 'text'] },
  ])
  expect(await call('POST', '/v1/models/text/train')).toMatchObject([409, { code: 'training-running' }])
  expect(await call('GET', '/v1/models')).toMatchObject([200, { training: { state: 'running', seed: 7 } }])
})

it('promote a version that lost only by force, and say what was overruled', async () => {
  expect(await call('POST', '/v1/models/fusion/promote', { version: 'loser' })).toMatchObject([
    409,
    { code: 'model-loses' },
  ])
  expect(await call('POST', '/v1/models/fusion/promote', { version: 'loser', force: true })).toEqual([
    200,
    { name: 'fusion', version: 'loser', before: null, overruled: ['it lost'], warnings: [] },
  ])
  expect(await call('POST', '/v1/models/fusion/rollback')).toMatchObject([200, { version: null, before: 'loser' }])
})

it('say of a fusion that learnt where it decides', async () => {
  expect(await call('POST', '/v1/models/fusion/promote', { version: 'learnt' })).toMatchObject([
    200,
    { scope: 'It decides on listings of demo' },
  ])
})

it('roll a text model back from under its fusion only by force, and say what was overruled', async () => {
  await call('POST', '/v1/models/text/promote', { version: 'fitted' })
  expect(await call('POST', '/v1/models/text/rollback')).toMatchObject([409, { code: 'model-mismatch' }])
  expect(await call('POST', '/v1/models/text/rollback', { force: 'yes' })).toMatchObject([422, { path: '/force' }])
  expect(await call('POST', '/v1/models/text/rollback', { force: true })).toMatchObject([
    200,
    { version: null, overruled: ['the fusion needs it'] },
  ])
})

it('say of a text model that is promoted under another fusion what that means', async () => {
  expect(await call('POST', '/v1/models/text/promote', { version: 'newer' })).toMatchObject([
    200,
    { warnings: ['apart'] },
  ])
})

it('promote a fusion with its text model, and take both back, by one change', async () => {
  expect(await call('POST', '/v1/models/fusion/promote', { version: 'fitted', text: 'worded' })).toEqual([
    200,
    {
      name: 'fusion',
      version: 'fitted',
      before: null,
      text: { name: 'text', version: 'worded', before: null },
      overruled: [],
      warnings: [],
    },
  ])
  expect(await call('POST', '/v1/models/text/promote', { version: 'worded', text: 'worded' })).toMatchObject([
    422,
    { path: '/text' },
  ])
  expect(await call('POST', '/v1/models/all/promote', { version: 'fitted' })).toMatchObject([422, {}])
  expect(await call('POST', '/v1/models/all/rollback', { force: true })).toMatchObject([
    200,
    { name: 'fusion', version: null, before: 'fitted', text: { name: 'text', version: null, before: 'worded' } },
  ])
})
