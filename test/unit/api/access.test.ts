// Who may do what over HTTP. Real: the server with all its routes. In memory: keys, sessions and what is behind the routes.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Decision } from '../../../src/domain/decision.ts'
import { ROLES, type Role } from '../../../src/domain/access.ts'
import { createSecret } from '../../../src/api/secrets.ts'
import type { Api } from '../../../src/api/services.ts'
import { MAX_FAILURES } from '../../../src/api/failed-attempts.ts'
import { createApi } from '../../../src/api/server.ts'
import { decisionOf, LISTING, memoryApi, memoryWorld, type MemoryWorld } from './memory-ports.ts'

let api: Api
let world: MemoryWorld
beforeEach(async () => {
  ;({ api, world } = await memoryApi())
})
afterEach(async () => {
  vi.useRealTimers()
  await api.close()
})

const codeOf = (response: { json(): unknown }) => (response.json() as { code: string }).code

/** What contracts promise: each route with the roles that may call it. */
const WHO: readonly (readonly [string, string, readonly Role[] | 'open'])[] = [
  ['POST', '/v1/listings', ['ingest', 'admin']],
  ['POST', '/v1/listings/L-1/withdrawals', ['ingest', 'admin']],
  ['GET', '/v1/listings/L-1', ['ingest', 'analyst', 'brand', 'admin']],
  ['GET', '/v1/decisions', ['ingest', 'analyst', 'operator', 'admin']],
  ['GET', '/v1/cases', ['analyst', 'brand', 'admin']],
  ['GET', '/v1/cases/C-1', ['analyst', 'brand', 'admin']],
  ['POST', '/v1/cases/C-1/claim', ['analyst', 'brand', 'admin']],
  ['POST', '/v1/cases/C-1/verdict', ['analyst', 'brand', 'admin']],
  ['POST', '/v1/cases/C-1/reopen', ['analyst', 'admin']],
  ['POST', '/v1/listings/L-1/appeals', ['ingest', 'admin']],
  ['POST', '/v1/screen', ['ingest', 'analyst', 'admin']],
  ['GET', '/v1/signals', ['analyst', 'operator', 'admin']],
  ['GET', '/v1/brands/nike', ['analyst', 'brand', 'admin']],
  ['PUT', '/v1/brands/nike', ['analyst', 'brand', 'admin']],
  ['GET', '/v1/banks', ['analyst', 'brand', 'admin']],
  ['POST', '/v1/banks', ['analyst', 'brand', 'admin']],
  ['GET', '/v1/banks/shoes/images', ['analyst', 'brand', 'admin']],
  ['POST', '/v1/banks/shoes/images', ['analyst', 'brand', 'admin']],
  ['GET', '/v1/banks/shoes/images/1', ['analyst', 'brand', 'admin']],
  ['DELETE', '/v1/banks/shoes/images/1', ['analyst', 'brand', 'admin']],
  ['POST', '/v1/banks/shoes/images/1/quarantine', ['analyst', 'brand', 'admin']],
  ['POST', '/v1/banks/shoes/images/1/release', ['analyst', 'brand', 'admin']],
  ['POST', '/v1/banks/shoes/images/1/vouch', ['analyst', 'admin']],
  ['GET', '/v1/pictures/1', ['analyst', 'brand', 'admin']],
  ['GET', '/v1/policies', ['analyst', 'admin']],
  ['POST', '/v1/policies/publish', ['analyst', 'admin']],
  ['POST', '/v1/policies/rollback', ['analyst', 'admin']],
  ['GET', '/v1/models', ['analyst', 'admin']],
  ['POST', '/v1/models/fusion/train', ['analyst', 'admin']],
  ['POST', '/v1/models/fusion/promote', ['analyst', 'admin']],
  ['POST', '/v1/models/fusion/rollback', ['analyst', 'admin']],
  ['GET', '/v1/keys', ['operator', 'admin']],
  ['POST', '/v1/keys', ['operator', 'admin']],
  ['DELETE', '/v1/keys/none', ['operator', 'admin']],
  ['GET', '/v1/session', ROLES],
]

describe('every route', () => {
  it.each(WHO)('%s %s is for the roles it declares, and nobody else', async (method, url, roles) => {
    const call = (headers: Record<string, string>) => api.inject({ method: method as 'GET', url, headers })
    expect((await call({})).statusCode).toBe(401)
    for (const role of ROLES) {
      const { headers } = await world.key(role, role === 'brand' ? { brandIds: ['nike'] } : {})
      const { statusCode } = await call(headers)
      const refused = statusCode === 401 ? 'not known' : statusCode === 403 ? 'not allowed' : 'passed'
      expect(refused, role).toBe(roles.includes(role) ? 'passed' : 'not allowed')
    }
  })

  it('under /v1 is in the table above: none was forgotten', async () => {
    const described = (await api.inject('/openapi.json')).json<{
      paths: Record<string, Record<string, { 'x-roles'?: string[]; security: object[] }>>
    }>()
    const found = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, route]) => ({
        name: `${method.toUpperCase()} ${path}`,
        roles: route['x-roles'] ?? 'open',
        secured: route.security.length > 0,
      })),
    )
    const open = found.filter((r) => r.roles === 'open').map((r) => r.name)
    expect(open.toSorted()).toEqual([
      'GET /asyncapi.yaml',
      'GET /healthz',
      'GET /openapi.json',
      'GET /readyz',
      'POST /sign-in',
      'POST /sign-out',
    ])
    expect(found.filter((r) => r.secured)).toHaveLength(WHO.length)
    const listed = WHO.map(([method, url, roles]) => [
      `${method} ${url.replace('L-1', '{listingId}').replace('C-1', '{caseId}').replace('nike', '{brandId}').replace('/none', '/{keyId}').replace('shoes', '{bankId}').replace('images/1', 'images/{imageId}').replace('pictures/1', 'pictures/{sha256}').replace('models/fusion', 'models/{name}')}`,
      roles,
    ])
    expect(Object.fromEntries(found.filter((r) => r.secured).map((r) => [r.name, r.roles]))).toEqual(
      Object.fromEntries(listed),
    )
  })

  it('that does not say who may call it stops the start', async () => {
    const other = await createApi(memoryWorld().dependencies)
    expect(() => other.get('/v1/forgotten', async () => 'x')).toThrow('does not say who may call it')
    await other.close()
  })
})

describe('a key', () => {
  it('is made once, shown once, refused when it is revoked', async () => {
    const { headers } = await world.key('admin')
    const made = await api.inject({ method: 'POST', url: '/v1/keys', headers, payload: { role: 'analyst' } })
    expect(made.statusCode).toBe(201)
    const { key, keyId } = made.json<{ key: string; keyId: string }>()
    expect(key).toMatch(/^tsk_[\w-]{43}$/)
    const listed = await api.inject({ url: '/v1/keys', headers })
    expect(listed.payload).toContain(keyId)
    expect(listed.payload).not.toContain(key)
    const mine = { authorization: `Bearer ${key}` }
    expect((await api.inject({ url: '/v1/policies', headers: mine })).statusCode).toBe(200)
    expect((await api.inject({ method: 'DELETE', url: `/v1/keys/${keyId}`, headers })).statusCode).toBe(204)
    expect((await api.inject({ url: '/v1/policies', headers: mine })).statusCode).toBe(401)
    expect((await api.inject({ method: 'DELETE', url: '/v1/keys/none', headers })).statusCode).toBe(404)
  })

  it('that another process revoked is refused within a second', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { keyId, headers } = await world.key('analyst')
    expect((await api.inject({ url: '/v1/policies', headers })).statusCode).toBe(200)
    await world.dependencies.keys.revoke(keyId)
    vi.setSystemTime(Date.now() + 1_001)
    expect((await api.inject({ url: '/v1/policies', headers })).statusCode).toBe(401)
  })

  it('of an operator makes no administrator and revokes none', async () => {
    const { headers } = await world.key('operator')
    const { keyId } = await world.key('admin')
    expect(
      (await api.inject({ method: 'POST', url: '/v1/keys', headers, payload: { role: 'admin' } })).statusCode,
    ).toBe(403)
    expect((await api.inject({ method: 'DELETE', url: `/v1/keys/${keyId}`, headers })).statusCode).toBe(403)
  })

  it.each([
    [{ role: 'brand' }, '/brandIds'],
    [{ role: 'analyst', brandIds: ['nike'] }, '/brandIds'],
    [{ role: 'analyst', marketplace: 'demo' }, '/marketplace'],
    [{ role: 'king' }, '/role'],
    [{}, '/role'],
  ])('with a wrong binding names the field: %j', async (payload, path) => {
    const { headers } = await world.key('admin')
    const response = await api.inject({ method: 'POST', url: '/v1/keys', headers, payload })
    expect(response.statusCode).toBe(422)
    expect(response.json()).toMatchObject({ code: 'invalid', path })
  })

  const guess = (key = `tsk_${createSecret().secret}`, headers: Record<string, string> = {}) =>
    api.inject({ url: '/v1/policies', headers: { ...headers, authorization: `Bearer ${key}` } })

  it('guessed too often from one address makes whoever guesses wait, and no valid key', async () => {
    for (let i = 0; i < MAX_FAILURES; i += 1) expect((await guess()).statusCode).toBe(401)
    for (const limited of [await guess(), await guess('nonsense')]) {
      expect(limited.statusCode).toBe(429)
      expect(codeOf(limited)).toBe('rate-limited')
      expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0)
    }
    // Never seen here before.
    const { headers, key } = await world.key('analyst')
    expect((await api.inject({ url: '/v1/policies', headers })).statusCode).toBe(200)
    const signIn = (payload: object) => api.inject({ method: 'POST', url: '/sign-in', payload })
    const opened = await signIn({ key })
    expect(opened.statusCode).toBe(204)
    const cookie = opened.cookies.map((c) => `${c.name}=${c.value}`).join('; ')
    expect((await api.inject({ url: '/v1/session', headers: { cookie } })).statusCode).toBe(200)
    const { secret, hash } = createSecret()
    await world.sessionStore.create(hash, { subject: 'administrator', role: 'admin', brandIds: [] }, 60, true)
    expect((await signIn({ token: secret })).statusCode).toBe(204)
    expect((await signIn({ token: secret })).statusCode).toBe(429)
  })

  it('guessed behind a proxy counts for the address that the proxy names, where it is trusted', async () => {
    const from = (address: string) => guess(undefined, { 'x-forwarded-for': address })
    const fill = async () => {
      for (let i = 0; i < MAX_FAILURES; i += 1) await from('192.0.2.1')
      return [(await from('192.0.2.1')).statusCode, (await from('192.0.2.2')).statusCode]
    }
    expect(await fill()).toEqual([429, 429])
    await api.close()
    ;({ api, world } = await memoryApi({ trustProxy: '10.0.0.0/8, 127.0.0.1' }))
    expect(await fill()).toEqual([429, 401])
  })

  it('whose id no store can hold is refused as an address', async () => {
    const { headers } = await world.key('admin')
    for (const id of ['%00', 'a%20b', 'x'.repeat(101)]) {
      const response = await api.inject({ method: 'DELETE', url: `/v1/keys/${id}`, headers })
      expect([response.statusCode, codeOf(response)], id).toEqual([422, 'invalid'])
    }
  })

  it('that asks too often is told to wait, each key for itself', async () => {
    await api.close()
    const limits = { ...world.dependencies.limits, requestsPerMinute: 2 }
    ;({ api, world } = await memoryApi({ limits }))
    const [one, two] = [(await world.key('analyst')).headers, (await world.key('analyst')).headers]
    const ask = (headers: Record<string, string>) => api.inject({ url: '/v1/policies', headers })
    expect([(await ask(one)).statusCode, (await ask(one)).statusCode]).toEqual([200, 200])
    const third = await ask(one)
    expect([third.statusCode, codeOf(third)]).toEqual([429, 'rate-limited'])
    expect(third.headers['retry-after']).toBeDefined()
    expect((await ask(two)).statusCode).toBe(200)
  })
})

describe('a rights holder', () => {
  it('sees listings of its own brands and nothing of any other brand', async () => {
    const { headers } = await world.key('brand', { brandIds: ['nike'] })
    const signals: Decision['signals'] = [
      {
        name: 'brand',
        version: '1',
        state: 'scored',
        score: 0.5,
        contribution: 1,
        durationMs: 1,
        evidence: {
          mentions: [{ brandId: 'nike', at: 1 }, { brandId: 'adidas', at: 2 }, { brandId: 'puma' }],
          brandIds: ['nike', 'adidas'],
          claimedBrandId: 'adidas',
          byBrand: { adidas: 1, nike: 2 },
          list: ['adidas', 'nike'],
        },
      },
    ]
    world.publish(decisionOf({ brandIds: ['nike', 'adidas'], signals }))
    world.publish(decisionOf({ listingId: 'L-2', brandIds: ['adidas'] }))
    const own = await api.inject({ url: '/v1/listings/L-1', headers })
    expect(own.statusCode).toBe(200)
    expect(own.payload).toContain('nike')
    expect(own.payload).not.toMatch(/adidas|puma/)
    const [foreign, none] = [
      await api.inject({ url: '/v1/listings/L-2', headers }),
      await api.inject({ url: '/v1/listings/L-none', headers }),
    ]
    const told = (r: typeof foreign) => ({ ...r.json<object>(), instance: '' })
    expect(foreign.statusCode).toBe(404)
    expect(told(foreign)).toEqual(told(none))
  })

  it('writes its own brand only', async () => {
    const { headers } = await world.key('brand', { brandIds: ['nike'] })
    const put = (id: string, payload: object) =>
      api.inject({ method: 'PUT', url: `/v1/brands/${id}`, headers, payload })
    const analyst = await world.key('analyst')
    for (const id of ['nike', 'adidas'])
      await api.inject({ method: 'PUT', url: `/v1/brands/${id}`, headers: analyst.headers, payload: { name: 'Nike' } })
    expect((await put('nike', { name: 'Nike', authorisedSellers: ['S-1'] })).statusCode).toBe(200)
    expect((await api.inject({ url: '/v1/brands/nike', headers })).json()).toMatchObject({
      brandId: 'nike',
      authorisedSellers: ['S-1'],
    })
    expect((await put('adidas', { name: 'x' })).statusCode).toBe(404)
    expect((await api.inject({ url: '/v1/brands/adidas', headers })).statusCode).toBe(404)
    expect((await put('nike', { name: 'Nike', brandId: 'adidas' })).json()).toMatchObject({
      code: 'invalid',
      path: '/brandId',
    })
    expect((await put('nike', {})).json()).toMatchObject({ code: 'invalid', path: '/name' })
  })
})

describe('a key of one marketplace', () => {
  it('sees its own listings and decisions only', async () => {
    const { headers } = await world.key('ingest', { marketplace: 'demo' })
    world.publish(decisionOf({ ...LISTING, marketplace: 'demo' }), 'demo')
    world.publish(decisionOf({ listingId: 'L-2', marketplace: 'other' }), 'other')
    world.marketplaces.set('L-1', 'demo')
    world.marketplaces.set('L-2', 'other')
    expect((await api.inject({ url: '/v1/listings/L-1', headers })).statusCode).toBe(200)
    expect((await api.inject({ url: '/v1/listings/L-2', headers })).statusCode).toBe(404)
    const feed = await api.inject({ url: '/v1/decisions', headers })
    expect(feed.json<{ items: { data: { listingId: string } }[] }>().items.map((i) => i.data.listingId)).toEqual([
      'L-1',
    ])
    const last = await api.inject({ url: '/v1/decisions?last=10', headers })
    expect(last.payload).not.toContain('L-2')
  })
})
