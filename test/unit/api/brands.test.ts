// Writing a brand over HTTP: what a rights holder may change and what nobody can. Real: the server. The compiler is a stand-in that finds one name too dear.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Brand } from '../../../src/domain/brand.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import type { Api } from '../../../src/api/services.ts'
import { memoryApi, type MemoryWorld } from './memory-ports.ts'

const DEAR = 'Costs every listing too much'
vi.mock('../../../src/pipeline/brands.ts', () => ({
  checkBrands(brands: readonly Brand[]) {
    if (brands.some((b) => b.name === DEAR || b.source === DEAR)) throw new TouchstoneError('brand-invalid', 'too dear')
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

describe('a rights holder', () => {
  const nike = {
    name: 'Nike',
    aliases: [
      { text: 'swoosh', kind: 'nickname' },
      { text: 'nikey', kind: 'misspelling' },
    ],
    ambiguous: true,
    classes: ['shoes', 'electronics'],
  }
  let brand: Record<string, string>
  let analyst: Record<string, string>
  beforeEach(async () => {
    analyst = (await world.key('analyst')).headers
    brand = (await world.key('brand', { brandIds: ['nike'] })).headers
  })

  it('does not change how much its brand counts beside others', async () => {
    expect((await put(analyst, { name: 'Nike', copied: 'some', source: 'register' })).json<Brand>().copied).toBe('some')
    for (const body of [{ name: 'Nike', copied: 'most', source: 'ourselves' }, { name: 'Nike' }]) {
      const answer = await put(brand, { ...body, authorisedSellers: ['S-1'] })
      expect(answer.json()).toMatchObject({ copied: 'some', source: 'register', authorisedSellers: ['S-1'] })
      expect(world.brands.get('nike')).toEqual(answer.json())
    }
  })

  it.each([
    ['/name', { name: 'dial' }],
    ['/aliases/2', { aliases: [...nike.aliases, { text: 'box and papers' }] }],
    ['/aliases/0', { aliases: [{ text: 'wooden chair' }, nike.aliases[1]] }],
    ['/aliases/1', { aliases: [nike.aliases[0], { text: 'Nikey', kind: 'misspelling' }] }],
    // As a name it is certain wherever it stands, as a nickname only in context.
    ['/aliases/0', { aliases: [{ text: 'swoosh', kind: 'name' }] }],
    ['/ambiguous', { ambiguous: false }],
    ['/ambiguous', { ambiguous: undefined }],
    ['/classes', { classes: ['shoes'] }],
  ])('does not widen what names its brand: %s, %j', async (path, change) => {
    await put(analyst, nike)
    const before = world.brands.get('nike')
    const refused = await put(brand, { ...nike, ...change })
    expect([refused.statusCode, refused.json()]).toMatchObject([403, { code: 'forbidden', path }])
    expect(refused.json<{ detail: string }>().detail).toMatch(/ask an analyst/)
    expect(world.brands.get('nike')).toBe(before)
    expect((await put(analyst, { ...nike, ...change })).statusCode).toBe(200)
  })

  it('does not make a brand, whose name nobody has looked at', async () => {
    const refused = await put(brand, { name: 'dial' })
    expect([refused.statusCode, refused.json()]).toMatchObject([403, { code: 'forbidden', path: '/name' }])
    expect(world.brands.size).toBe(0)
  })

  it('takes aliases away, makes its name a word and adds a class', async () => {
    await put(analyst, { ...nike, ambiguous: false })
    const less = { ...nike, aliases: [nike.aliases[1]], classes: [...nike.classes, 'bags'] }
    expect((await put(brand, less)).json()).toMatchObject(less)
    expect(world.brands.get('nike')).toMatchObject(less)
    // What it took away it does not give back to itself.
    expect((await put(brand, nike)).json()).toMatchObject({ code: 'forbidden', path: '/aliases/0' })
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

  it('that another write has made one that cannot be compiled is refused as it would be saved', async () => {
    await put((await world.key('analyst')).headers, { name: 'Nike' })
    const { headers } = await world.key('brand', { brandIds: ['nike'] })
    const { reference } = world.dependencies
    const { brand } = reference
    // Between the look and the lock, an analyst.
    vi.spyOn(reference, 'brand').mockImplementationOnce(async (id) => {
      const before = await brand(id)
      if (before !== undefined) world.brands.set(id, { ...before, source: DEAR })
      return before
    })
    const response = await put(headers, { name: 'Nike', authorisedSellers: ['S-1'] })
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([422, 'brand-invalid'])
    expect(world.brands.get('nike')).toMatchObject({ authorisedSellers: [] })
  })

  it('that cannot be compiled is refused before it is saved', async () => {
    const { headers } = await world.key('analyst')
    const response = await put(headers, { name: DEAR })
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([422, 'brand-invalid'])
    expect(world.brands.size).toBe(0)
  })
})
