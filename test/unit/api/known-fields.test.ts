// What a person's command may say: every route's real schemas and the real server; the ports behind them are in memory.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Api } from '../../../src/api/services.ts'
import { LISTING, memoryApi, type MemoryWorld } from './memory-ports.ts'

let api: Api
let world: MemoryWorld
beforeEach(async () => {
  ;({ api, world } = await memoryApi())
})
afterEach(() => api.close())

type Method = 'GET' | 'POST' | 'PUT'

async function call(method: Method, url: string, payload?: object) {
  const { headers } = await world.key('admin')
  const answer = await api.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })
  return [answer.statusCode, answer.json<Record<string, unknown>>()] as const
}

const decisionId = '6d7e4bce-ad2b-5c38-9af1-f764ecc399eb'
const bank = { bankId: 'b', name: 'B', kind: 'counterfeit' }

it.each<[Method, string, object | undefined, string, string]>([
  ['POST', '/v1/cases/c/reopen', { reason: 'r', takeback: true }, '/takeback', 'did you mean takeBack?'],
  ['POST', '/v1/cases/c/verdict', { verdict: 'confirmed', decisionId, brandID: 'x' }, '/brandID', 'mean brandId?'],
  ['POST', '/v1/models/fusion/train', { sed: 9 }, '/sed', 'did you mean seed?'],
  ['POST', '/v1/banks', { ...bank, maxDistence: 3 }, '/maxDistence', 'did you mean maxDistance?'],
  ['POST', '/v1/banks', { ...bank, colour: 3 }, '/colour', 'it takes bankId, name, kind, maxDistance, brandId'],
  // At every depth, behind defaults too.
  ['PUT', '/v1/brands/b', { name: 'B', aliases: [{ text: 'b', knd: 'name' }] }, '/aliases/0/knd', 'mean kind?'],
  // Of several forms the one that is meant.
  ['POST', '/v1/policies/publish', { policy: {}, basdOn: 3 }, '/basdOn', 'did you mean basedOn?'],
  ['POST', '/sign-in', { key: 'k', keep: true }, '/keep', 'it takes key'],
  // What takes no body at all.
  ['POST', '/v1/policies/rollback', { version: 3 }, '/version', 'is no field here; it takes none'],
  // First what is unknown: what is missing has mostly just another name.
  ['POST', '/v1/keys', { rol: 'analyst' }, '/rol', 'did you mean role?'],
  ['POST', '/v1/keys', { role: 'admin', 'a~/b': 1, c: 2 }, '/a~0~1b', 'is no field here (nor are "c")'],
])('%s %s %j', async (method, url, payload, path, words) => {
  const [status, body] = await call(method, url, payload)
  expect([status, body]).toMatchObject([422, { code: 'invalid', path }])
  expect(body['detail']).toContain(`${path}: is no field here`)
  expect(body['detail']).toContain(words)
})

it('names an unknown parameter of a query string, also where there are none', async () => {
  const unknown = (path: string) => [422, { code: 'invalid', path }]
  const [cases, models] = [await call('GET', '/v1/cases?openBy=audit'), await call('GET', '/v1/models?x=1')]
  expect(cases).toMatchObject(unknown('/openBy'))
  expect(cases[1]['detail']).toBe('query: /openBy: is no parameter here; did you mean openedBy?')
  expect(models).toMatchObject(unknown('/x'))
  expect(models[1]['detail']).toBe('query: /x: is no parameter here; it takes none')
})

it.each<[Method, string, object | undefined, string, string]>([
  ['GET', '/v1/cases?limit=many', undefined, '/limit', 'query: limit must be a finite number (got "many")'],
  ['GET', '/v1/banks/b/images?state=lost', undefined, '/state', 'query: state must be one of active, quarantined,'],
  ['GET', '/v1/banks/Not%20a%20bank/images', undefined, '/bankId', 'address: bankId must be lower-case letters'],
  // Of two forms the one that is meant.
  ['POST', '/v1/policies/publish', {}, '/policyId', 'policyId is required: it must be a string'],
  ['POST', '/v1/policies/publish', { policy: 3 }, '/policy', 'policy must be an object (got 3)'],
  [
    'POST',
    '/v1/policies/publish',
    { policy: {}, basedOn: 'x' },
    '/basedOn',
    'basedOn must be a finite number (got "x")',
  ],
  ['POST', '/v1/banks', { ...bank, maxDistance: 64 }, '/maxDistance', 'maxDistance must be at most 63 (got 64)'],
  ['POST', '/v1/banks', { name: 'B' }, '/bankId', 'bankId is required: it must be a string'],
])('%s %s %j names the field and what it must be, wherever it stands', async (method, url, payload, path, words) => {
  const [status, body] = await call(method, url, payload)
  expect([status, body]).toMatchObject([422, { code: 'invalid', path }])
  expect(body['detail']).toContain(words)
})

it('makes no key for a brand that is not there', async () => {
  const made = await call('POST', '/v1/keys', { role: 'brand', brandIds: ['nope'] })
  expect(made).toMatchObject([422, { code: 'invalid', path: '/brandIds/0' }])
  expect(made[1]['detail']).toBe('brandIds[0]: there is no brand nope')
})

it('takes unknown fields of events, and any query string where nobody signs in', async () => {
  expect((await call('POST', '/v1/listings', { ...LISTING, later: { field: 1 } }))[0]).toBe(202)
  expect((await call('POST', '/v1/screen', { ...LISTING, later: 1 }))[0]).toBe(200)
  expect((await call('POST', '/v1/listings/L-1/withdrawals', { revision: 1, later: 1 }))[0]).toBe(202)
  expect((await api.inject({ method: 'GET', url: '/healthz?at=1' })).statusCode).toBe(200)
})

it('no command of the published contract leaves a place for unknown fields', async () => {
  const document = (await call('GET', '/openapi.json'))[1] as unknown as {
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: unknown }> } }>>
  }
  const events = ['/v1/listings', '/v1/screen', '/v1/listings/{listingId}/withdrawals']
  const left: string[] = []
  let commands = 0
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, { requestBody }] of Object.entries(operations)) {
      if (!['post', 'put'].includes(method) || events.includes(path)) continue
      commands += 1
      if (requestBody === undefined) left.push(`${method} ${path}: no body is described`)
      const schema = requestBody?.content['application/json']?.schema
      for (const place of openObjects(schema, '')) left.push(`${method} ${path}${place}`)
    }
  expect(commands).toBeGreaterThan(12)
  // A policy document: the publishing flow refuses what it does not know.
  expect(left).toEqual(['post /v1/policies/publish/anyOf/0'])
})

it('a picture is published as its bytes, whatever its type, and a body that may be missing as that', async () => {
  const document = (await call('GET', '/openapi.json'))[1] as unknown as {
    paths: Record<string, { post: { requestBody: { required: boolean; content: Record<string, { schema: object }> } } }>
  }
  const { content, required } = document.paths['/v1/banks/{bankId}/images']?.post.requestBody ?? {}
  const raw = { schema: { type: 'string', format: 'binary' } }
  const pictures = { 'image/jpeg': raw, 'image/png': raw, 'image/webp': raw, 'image/avif': raw, 'image/gif': raw }
  expect([content, required]).toEqual([{ 'application/json': expect.anything() as unknown, ...pictures }, true])
  expect(content?.['application/json']?.schema).toMatchObject({ type: 'object', required: ['data'] })
  expect(document.paths['/v1/models/{name}/train']?.post.requestBody.required).toBe(false)
})

/** Where a schema has an object with fields of its own and room for others. */
function openObjects(schema: unknown, at: string): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const closed =
    !('properties' in schema) || ('additionalProperties' in schema && schema.additionalProperties === false)
  const inner = Object.entries(schema).flatMap(([key, one]) => openObjects(one, `${at}/${key}`))
  return [...(closed ? [] : [at]), ...inner]
}
