// Writing a brand over HTTP: what a rights holder may change and what nobody can. Real: the server. The compiler is a stand-in that finds one name too dear.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Brand } from '../../../src/domain/brand.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import type { Api } from '../../../src/api/services.ts'
import { memoryApi, type MemoryWorld } from './memory-ports.ts'

const DEAR = 'Costs every listing too much'
vi.mock('../../../src/pipeline/brands.ts', () => ({
  checkBrands(brands: readonly Brand[]) {
    if (brands.some((b) => b.name === DEAR)) throw new TouchstoneError('brand-invalid', 'too dear')
  },
}))

let api: Api
let world: MemoryWorld
beforeEach(async () => {
  ;({ api, world } = await memoryApi())
})
afterEach(() => api.close())

const put = async (headers: Record<string, string>, payload: object) =>
  api.inject({ method: 'PUT', url: '/v1/brands/nike', headers, payload })
const aliases = (count: number) => Array.from({ length: count }, (_, i) => ({ text: `Alias number ${i}` }))

describe('a rights holder', () => {
  it('does not change how much its brand counts beside others', async () => {
    const analyst = (await world.key('analyst')).headers
    const brand = (await world.key('brand', { brandIds: ['nike'] })).headers
    const boast = { name: 'Nike', copied: 'most', source: 'ourselves' }
    expect((await put(brand, boast)).json()).toMatchObject({ copied: 'unknown', source: '' })
    expect((await put(analyst, { name: 'Nike', copied: 'some', source: 'register' })).json<Brand>().copied).toBe('some')
    for (const body of [boast, { name: 'Nike' }]) {
      const answer = await put(brand, { ...body, authorisedSellers: ['S-1'] })
      expect(answer.json()).toMatchObject({ copied: 'some', source: 'register', authorisedSellers: ['S-1'] })
      expect(world.brands.get('nike')).toEqual(answer.json())
    }
  })

  it('has fewer aliases than an analyst may write', async () => {
    const analyst = (await world.key('analyst')).headers
    const brand = (await world.key('brand', { brandIds: ['nike'] })).headers
    expect((await put(brand, { name: 'Nike', aliases: aliases(200) })).statusCode).toBe(201)
    const refused = await put(brand, { name: 'Nike', aliases: aliases(201) })
    expect([refused.statusCode, refused.json()]).toMatchObject([422, { code: 'invalid', path: '/aliases' }])
    expect((await put(analyst, { name: 'Nike', aliases: aliases(201) })).statusCode).toBe(200)
  })
})

describe('a brand', () => {
  it.each([
    ['/name', { name: 'Ni\u0000ke' }],
    ['/authorisedSellers/1', { name: 'Nike', authorisedSellers: ['S-1', '\ud800'] }],
    ['/aliases/0/text', { name: 'Nike', aliases: [{ text: 'a\u0000' }] }],
    ['/source', { name: 'Nike', source: '\udc00' }],
  ])('with a text at %s that no store can hold is refused there', async (path, payload) => {
    const { headers } = await world.key('admin')
    const response = await put(headers, payload)
    expect([response.statusCode, response.json()]).toMatchObject([422, { code: 'invalid', path }])
    expect(world.brands.size).toBe(0)
  })

  it('that cannot be compiled is refused before it is saved', async () => {
    const { headers } = await world.key('analyst')
    const response = await put(headers, { name: DEAR })
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([422, 'brand-invalid'])
    expect(world.brands.size).toBe(0)
  })
})
