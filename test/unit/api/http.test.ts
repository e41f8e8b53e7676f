// The feed, health, contracts, errors and closing over HTTP. Real: the server. In memory: what is behind the routes.
import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMetricsServer } from '../../../src/api/metrics-server.ts'
import type { Api } from '../../../src/api/services.ts'
import { decisionOf, LISTING, memoryApi, silent, type MemoryWorld } from './memory-ports.ts'

let api: Api
let world: MemoryWorld
let analyst: Record<string, string>
let admin: Record<string, string>
beforeEach(async () => {
  ;({ api, world } = await memoryApi())
  analyst = (await world.key('analyst')).headers
  admin = (await world.key('admin')).headers
})
afterEach(() => api.close())

type Page = {
  items: { cursor: string; type: string; data: { listingId: string }; listing?: { title: string } }[]
  next: string
}
const feed = async (query: string, headers = analyst) =>
  (await api.inject({ url: `/v1/decisions?${query}`, headers })).json<Page>()

describe('the feed', () => {
  it('goes on where it was left, also at each entry’s own cursor', async () => {
    for (const n of [1, 2, 3]) world.publish(decisionOf({ listingId: `L-${n}` }))
    const first = await feed('limit=2')
    expect(first.items.map((i) => i.data.listingId)).toEqual(['L-1', 'L-2'])
    expect((await feed(`after=${first.next}`)).items.map((i) => i.data.listingId)).toEqual(['L-3'])
    expect((await feed(`after=${first.items[0]?.cursor}`)).items).toHaveLength(2)
    expect((await feed('last=1')).items.map((i) => i.data.listingId)).toEqual(['L-3'])
  })

  it('gives people the goods, and machines the events as they are', async () => {
    world.publish(decisionOf())
    world.publish({
      listingId: 'L-9',
      revision: 1,
      code: 'invalid',
      message: 'm',
      path: '',
      at: '2026-01-01T00:00:00Z',
    })
    world.listings.set('L-1', { title: 'Shoes' })
    const [decided, refused] = (await feed('')).items
    expect(decided?.listing).toEqual({ title: 'Shoes' })
    expect(refused).not.toHaveProperty('listing')
    expect(refused?.type).toBe('touchstone.listing.refused.v1')
    const machine = await feed('', (await world.key('ingest')).headers)
    expect(machine.items[0]).not.toHaveProperty('listing')
  })

  it('waits for the next entry, and many who wait share the looking', async () => {
    const waiting = Array.from({ length: 20 }, () => feed('wait=20'))
    while (world.feedCalls < 20) await new Promise((resolve) => setTimeout(resolve, 1))
    for (const marks = world.markCalls; world.markCalls < marks + 4;) {
      world.nudge()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    // Each looked once when it came; since then one page served all, and then none was read.
    expect(world.feedCalls).toBeLessThanOrEqual(21)
    world.publish(decisionOf())
    world.nudge()
    for (const page of await Promise.all(waiting)) expect(page.items).toHaveLength(1)
    expect(world.feedCalls).toBeLessThanOrEqual(22)
  })

  it.each([
    ['after=nonsense', 400, 'bad-cursor'],
    ['wait=61', 422, 'invalid'],
    ['limit=0', 422, 'invalid'],
    ['limit=x', 422, 'invalid'],
    ['after=1&last=1', 422, 'invalid'],
  ])('refuses %s', async (query, status, code) => {
    const response = await api.inject({ url: `/v1/decisions?${query}`, headers: analyst })
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([status, code])
  })
})

describe('closing', () => {
  it('ends waiting requests at once, with an answer', async () => {
    await api.listen({ port: 0, host: '127.0.0.1' })
    const address = api.server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const answer = fetch(`http://127.0.0.1:${address.port}/v1/decisions?wait=60`, { headers: analyst })
    while (world.feedCalls === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await api.close()
    const response = await answer
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ items: [] })
  })
})

describe('health', () => {
  it('is ready when everything makes progress, and else says what is stale', async () => {
    expect((await api.inject('/healthz')).json()).toEqual({ status: 'ok' })
    expect((await api.inject('/readyz')).statusCode).toBe(200)
    const stale = await memoryApi({
      probe: async () => [{ name: 'publisher', ok: false, detail: 'nothing published for 12 s' }],
    })
    const response = await stale.api.inject('/readyz')
    expect(response.statusCode).toBe(503)
    expect(response.json()).toMatchObject({
      code: 'not-ready',
      detail: 'publisher: nothing published for 12 s',
      checks: [{ name: 'publisher', ok: false }],
    })
    const broken = await memoryApi({ probe: () => Promise.reject(new Error('secret host')) })
    expect((await broken.api.inject('/readyz')).payload).not.toContain('secret')
    await Promise.all([stale.api.close(), broken.api.close()])
  })

  it('keeps metrics on an address of their own', async () => {
    const registry = new Registry()
    const metrics = createMetricsServer({ registry, log: silent, refresh: () => Promise.reject(new Error('down')) })
    expect((await metrics.inject('/metrics')).statusCode).toBe(200)
    expect((await api.inject('/metrics')).statusCode).toBe(404)
    await metrics.close()
  })
})

describe('contracts', () => {
  it('describe every route with schemas that resolve', async () => {
    const response = await api.inject('/openapi.json')
    const document = response.json<{
      openapi: string
      paths: Record<string, Record<string, { responses: object; requestBody?: { content: object } }>>
    }>()
    expect(document.openapi).toMatch(/^3\.1/)
    expect(Object.keys(document.paths['/v1/listings']?.['post']?.requestBody?.content ?? {})).toEqual([
      'application/json',
      'application/x-ndjson',
    ])
    for (const methods of Object.values(document.paths)) {
      for (const route of Object.values(methods)) expect(Object.keys(route.responses).length).toBeGreaterThan(0)
    }
    // Every local reference points at something.
    for (const [, pointer] of response.payload.matchAll(/"\$ref":"#([^"]*)"/g)) {
      const parts = (pointer ?? '').split('/').slice(1)
      let at: unknown = document
      for (const part of parts)
        at = (at as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')]
      expect(at, pointer).toBeDefined()
    }
    expect((await api.inject('/asyncapi.yaml')).payload).toMatch(/^asyncapi: 3/)
  })

  it('list the signals and policies, and publish a policy bare or with its base', async () => {
    expect((await api.inject({ url: '/v1/signals', headers: analyst })).json()).toMatchObject({
      items: [{ name: 'price' }],
    })
    const publish = (payload: object) =>
      api.inject({ method: 'POST', url: '/v1/policies/publish', headers: analyst, payload })
    const policy = world.policies[0]?.policy ?? {}
    expect((await publish(policy)).statusCode).toBe(201)
    expect((await publish({ policy, basedOn: 2 })).json()).toMatchObject({ policy: { version: 3 }, active: true })
    expect((await publish({ policy, basedOn: 2 })).json()).toMatchObject({ code: 'policy-conflict' })
    expect((await publish({ policy: {} })).json()).toMatchObject({ code: 'policy-invalid', path: '/thresholds' })
    expect((await publish([])).statusCode).toBe(422)
    expect(
      (await api.inject({ url: '/v1/policies', headers: analyst })).json<{ items: object[] }>().items,
    ).toHaveLength(3)
  })
})

describe('errors', () => {
  it('of ours say nothing of the inside', async () => {
    const broken = await memoryApi({
      signals: [],
      decisions: { ...world.dependencies.decisions, history: () => Promise.reject(new Error('password=hunter2')) },
    })
    const { headers } = await broken.world.key('admin')
    const response = await broken.api.inject({ url: '/v1/listings/L-1', headers })
    expect(response.statusCode).toBe(500)
    expect(response.payload).not.toContain('hunter2')
    const id = response.headers['x-request-id']
    expect(response.json()).toMatchObject({ code: 'internal', instance: `urn:uuid:${String(id)}` })
    await broken.api.close()
  })

  it('tell a wrong method from a wrong address', async () => {
    const wrong = await api.inject({ method: 'PATCH', url: '/v1/listings/L-1', headers: admin })
    expect([wrong.statusCode, wrong.headers.allow]).toEqual([405, 'GET, HEAD'])
    expect((await api.inject('/v1/nothing')).json()).toMatchObject({ code: 'not-found', status: 404 })
    expect((await api.inject('/%zz')).json()).toMatchObject({ code: 'invalid' })
  })

  it('of bytes that are not HTTP are problems too', async () => {
    await api.listen({ port: 0, host: '127.0.0.1' })
    const address = api.server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const socket = connect(address.port, '127.0.0.1')
    socket.write('NONSENSE\r\n\r\n')
    let answer = ''
    socket.on('data', (d) => (answer += d.toString('utf8')))
    await once(socket, 'close')
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"code":"invalid"/)
  })

  const routes = [
    ['POST', '/v1/listings'],
    ['POST', '/v1/screen'],
    ['POST', '/v1/listings/L-1/withdrawals'],
    ['PUT', '/v1/brands/nike'],
    ['POST', '/v1/policies/publish'],
    ['POST', '/v1/policies/rollback'],
    ['POST', '/v1/keys'],
    ['POST', '/sign-in'],
  ] as const
  const wild = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b)),
    fc.json({ maxDepth: 4 }).map((t) => Buffer.from(t)),
    fc
      .record(
        {
          listingId: fc.anything(),
          revision: fc.anything(),
          sellerId: fc.anything(),
          title: fc.anything(),
          price: fc.anything(),
          images: fc.anything(),
          policy: fc.anything(),
          basedOn: fc.anything(),
          role: fc.anything(),
          brandIds: fc.anything(),
          name: fc.anything(),
          token: fc.anything(),
          key: fc.anything(),
        },
        { requiredKeys: [] },
      )
      .map((v) => Buffer.from(JSON.stringify(v, (_k, x: unknown) => (typeof x === 'bigint' ? String(x) : x)))),
    fc
      .tuple(fc.constantFrom(...Object.keys(LISTING)), fc.json())
      .map(([field, value]) => Buffer.from(JSON.stringify({ ...LISTING, [field]: JSON.parse(value) as unknown }))),
  )
  it('are never ours, whatever body is sent, and always problem documents', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes),
        fc.constantFrom('application/json', 'application/x-ndjson', 'text/plain'),
        wild,
        async ([method, url], type, payload) => {
          const response = await api.inject({ method, url, payload, headers: { ...admin, 'content-type': type } })
          // Attempts to sign in with nonsense make this address wait: that is an answer too.
          expect(response.statusCode).toBeLessThan(500)
          if (response.statusCode < 400) return
          expect(response.headers['content-type']).toMatch(/^application\/problem\+json/)
          const body = response.json<Record<string, unknown>>()
          expect(body).toMatchObject({
            status: response.statusCode,
            type: `urn:touchstone:error:${String(body['code'])}`,
          })
          expect(body['detail']).toBeTypeOf('string')
        },
      ),
      { numRuns: 400 },
    )
  })
})

describe('the page', () => {
  it('brings all it needs along, with no inline script or style and nothing from elsewhere', async () => {
    for (const url of ['/', '/sign-in']) {
      const page = await api.inject(url)
      expect(page.headers['content-security-policy']).toContain("script-src 'self';style-src 'self'")
      expect(page.payload).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|style=|https?:\/\//)
      for (const [, asset] of page.payload.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
        expect((await api.inject(asset ?? '')).statusCode, asset).toBe(200)
      }
    }
    const script = await api.inject('/page/page.js')
    for (const [, module] of script.payload.matchAll(/from '\.\/([^']+)'/g)) {
      expect((await api.inject(`/page/${module}`)).statusCode, module).toBe(200)
    }
    const again = await api.inject({ url: '/page/page.js', headers: { 'if-none-match': String(script.headers.etag) } })
    expect(again.statusCode).toBe(304)
  })
})
