// Banks over HTTP: the server, the store on a real PostgreSQL, and the threads that read pictures are real; keys are in memory.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import sharp from 'sharp'
import type { Api } from '../../src/api/services.ts'
import { brandSchema } from '../../src/domain/brand.ts'
import type { BankStore } from '../../src/rights/bank-ports.ts'
import { drawing, reading, sha256Of } from '../support/pictures.ts'
import { memoryApi, type MemoryWorld } from '../unit/api/memory-ports.ts'
import { freshNode, type PostgresNode } from './store-on-postgres.ts'

describe('banks over HTTP', () => {
  let node: PostgresNode
  let banks: BankStore
  let api: Api
  let world: MemoryWorld
  let analyst: Record<string, string>
  let nike: Record<string, string>
  const { reader } = reading({ maxBytes: 1_000_000 })
  beforeEach(async () => {
    node = await freshNode()
    banks = node.banks
    ;({ api, world } = await memoryApi({ banks, reader, keptPictures: node.keptPictures }))
    for (const brandId of ['nike', 'gap']) world.brands.set(brandId, brandSchema.parse({ brandId, name: brandId }))
    analyst = (await world.key('analyst')).headers
    nike = (await world.key('brand', { brandIds: ['nike'] })).headers
  })
  afterEach(async () => {
    await api.close()
  })

  type Headers = Record<string, string>
  const send = (method: 'POST' | 'DELETE', url: string, headers: Headers, payload?: string | object | Buffer) =>
    api.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })
  const get = (url: string, headers: Headers) => api.inject({ method: 'GET', url, headers })
  const make = (bankId: string, more: object = {}, headers = analyst) =>
    send('POST', '/v1/banks', headers, { bankId, name: bankId, kind: 'counterfeit', ...more })
  const add = (bankId: string, bytes: Buffer, headers = analyst, type = 'image/png') =>
    send('POST', `/v1/banks/${bankId}/images`, { ...headers, 'content-type': type }, bytes)
  const codeOf = (response: { json(): unknown }) => (response.json() as { code: string }).code
  const imageOf = (response: { json(): unknown }) => (response.json() as { added: { imageId: string } }).added.imageId

  test('what is no bank, and what is not for a rights holder, is refused with the field at fault', async () => {
    for (const [body, path] of [
      [{ bankId: 'Not an id' }, '/bankId'],
      [{ kind: 'fake' }, '/kind'],
      [{ maxDistance: 64 }, '/maxDistance'],
      [{ name: 'half \ud83c pair' }, '/name'],
    ] as const) {
      const refused = await make('b', body)
      expect([refused.statusCode, refused.json<{ path: string }>().path]).toEqual([422, path])
    }
    for (const [body, path] of [
      [{}, '/brandId'],
      [{ brandId: 'gap' }, '/brandId'],
      [{ brandId: 'nike', kind: 'allowed' }, '/kind'],
    ] as const)
      expect((await make('b', body, nike)).json()).toMatchObject({ status: 422, code: 'invalid', path })
    expect((await make('confirmed-gap', { brandId: 'nike' }, nike)).json()).toMatchObject({ code: 'bank-taken' })
    expect((await get('/v1/banks', analyst)).json()).toEqual({ items: [] })
    expect((await make('b', { brandId: 'nike' }, nike)).statusCode).toBe(201)
    expect((await make('b', { brandId: 'nike', maxDistance: 20 })).statusCode).toBe(200)
  })

  test('what is not said of a bank that is there stays: renamed, it keeps its distance and its owner', async () => {
    const change = (body: object, headers = analyst) =>
      send('POST', '/v1/banks', headers, { bankId: 'strict', ...body })
    for (const [body, path] of [
      [{ kind: 'logo' }, '/name'],
      [{ name: 'Strict' }, '/kind'],
      [{ name: 'Strict', kind: 'logo', brandId: 'gape' }, '/brandId'],
    ] as const)
      expect((await change(body)).json()).toMatchObject({ status: 422, code: 'invalid', path })
    const made = await change({ name: 'Strict', kind: 'genuine', brandId: 'nike', maxDistance: 2 })
    expect(made.statusCode).toBe(201)
    await add('strict', await drawing().png().toBuffer())
    const bank = { bankId: 'strict', name: 'Renamed', kind: 'genuine', brandId: 'nike', maxDistance: 2 }
    const renamed = await change({ name: 'Renamed' })
    expect([renamed.statusCode, renamed.json()]).toEqual([200, bank])
    expect((await change({ name: 'Renamed', kind: 'genuine' })).json()).toEqual(bank)
    // A rights holder need not say again which of its brands; what it may not say it may not say here either.
    expect((await change({ maxDistance: 3 }, nike)).json()).toEqual({ ...bank, maxDistance: 3 })
    expect((await change({ brandId: null }, nike)).json()).toMatchObject({ status: 422, path: '/brandId' })
    expect((await change({ kind: 'allowed' }, nike)).json()).toMatchObject({ status: 422, path: '/kind' })
    expect((await change({ brandId: null })).json()).toMatchObject({ code: 'bank-taken' })
    expect((await get('/v1/banks', analyst)).json()).toMatchObject({ items: [{ ...bank, maxDistance: 3 }] })
    const fresh = await send('POST', '/v1/banks', analyst, { bankId: 'new', name: 'New', kind: 'logo' })
    expect(fresh.json()).toEqual({ bankId: 'new', name: 'New', kind: 'logo', maxDistance: 31, brandId: null })
  })

  test('to a rights holder the banks of others, and what is in them, do not exist', async () => {
    await make('gaps', { brandId: 'gap' })
    await make('ours')
    const added = await add('gaps', await drawing().png().toBuffer())
    const imageId = imageOf(added)
    const { sha256 } = added.json<{ sha256: string }>()
    for (const response of [
      await get('/v1/banks/gaps/images', nike),
      await get('/v1/banks/ours/images', nike),
      await add('gaps', await drawing(100, 100).png().toBuffer(), nike),
      await send('DELETE', `/v1/banks/gaps/images/${imageId}`, nike),
      await send('POST', `/v1/banks/gaps/images/${imageId}/quarantine`, nike),
      await get(`/v1/banks/gaps/images/${imageId}`, nike),
      await get(`/v1/banks/ours/images/${imageId}`, analyst),
      await get(`/v1/pictures/${sha256}`, nike),
    ])
      expect([response.statusCode, codeOf(response)]).toEqual([404, 'not-found'])
    expect((await make('gaps', { brandId: 'nike' }, nike)).statusCode).toBe(409)
    expect((await get('/v1/banks', nike)).json()).toEqual({ items: [] })
    const image = await get(`/v1/banks/gaps/images/${imageId}`, analyst)
    expect(image.json()).toMatchObject({ imageId, bankId: 'gaps', sha256, href: `/v1/pictures/${sha256}` })
    expect((await get(image.json<{ href: string }>().href, analyst)).statusCode).toBe(200)
    const held = () => get('/v1/banks/gaps/images?state=quarantined', analyst)
    expect((await held()).json()).toEqual({ items: [] })
    await send('POST', `/v1/banks/gaps/images/${imageId}/quarantine`, analyst)
    expect((await held()).json()).toMatchObject({ items: [{ imageId, state: 'quarantined' }] })
  })

  test('a picture that cannot be read, is too large, or too plain, is refused with the reason, and nothing is kept', async () => {
    await make('b')
    const png = await drawing().png().toBuffer()
    const plain = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#fefefe' } })
      .png()
      .toBuffer()
    const refused = [
      [await add('b', png.subarray(0, 500)), 422, 'picture-unreadable'],
      // Browsers show the upper part of it, and listings' pictures are looked at so far.
      [await add('b', png.subarray(0, (png.length * 3) / 4)), 422, 'picture-unreadable'],
      [await add('b', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')), 422, 'picture-unreadable'],
      [await add('b', Buffer.alloc(0)), 422, 'picture-unreadable'],
      [await add('b', Buffer.alloc(1_200_000)), 413, 'too-large'],
      [await add('b', plain), 422, 'picture-blank'],
      [await add('b', png, analyst, 'image/svg+xml'), 415, 'unsupported-media-type'],
      [await send('POST', '/v1/banks/b/images', analyst, { data: 'not base64!' }), 422, 'invalid'],
      [
        await send('POST', '/v1/banks/b/images', analyst, { data: Buffer.from('x').toString('base64') }),
        422,
        'picture-unreadable',
      ],
      [await send('POST', '/v1/banks/b/images', analyst), 422, 'invalid'],
      [
        await send('POST', '/v1/banks/Not%20an%20id/images', { ...analyst, 'content-type': 'image/png' }, png),
        422,
        'invalid',
      ],
      [await add('none', png), 404, 'not-found'],
    ] as const
    for (const [response, status, code] of refused)
      expect([response.statusCode, codeOf(response)]).toEqual([status, code])
    expect((await get('/v1/banks', analyst)).json()).toMatchObject({ items: [{ images: 0 }] })
  })

  test('pictures of every format go in, as a file or as JSON, once each, and out again', async () => {
    await make('b', { brandId: 'nike' })
    const files = [
      ['image/jpeg', await drawing().jpeg().toBuffer()],
      ['image/png', await drawing().png().toBuffer()],
      ['image/webp', await drawing().webp().toBuffer()],
      ['image/avif', await drawing().avif().toBuffer()],
      ['image/gif', await drawing().gif().toBuffer()],
    ] as const
    const ids: string[] = []
    for (const [type, bytes] of files) {
      const added = await add('b', bytes, nike, type)
      expect(added.statusCode, type).toBe(201)
      ids.push(imageOf(added))
    }
    const again = await send('POST', '/v1/banks/b/images', nike, { data: files[0][1].toString('base64') })
    const sha256 = sha256Of(files[0][1])
    expect([again.statusCode, again.json()]).toMatchObject([
      200,
      { sha256, present: [{ imageId: ids[0], bankId: 'b', sha256 }] },
    ])
    expect(again.json<{ present: unknown[]; added?: unknown }>()).not.toHaveProperty('added')
    const json = await send('POST', '/v1/banks/b/images', nike, {
      data: (await drawing(200, 150).png().toBuffer()).toString('base64'),
      file: 'shoe.png',
    })
    expect([json.statusCode, json.json()]).toMatchObject([
      201,
      { added: { bankId: 'b', source: { kind: 'api', file: 'shoe.png' } } },
    ])
    const seen: string[] = []
    for (let next: string | undefined = ''; next !== undefined;) {
      const page: { items: { imageId: string }[]; next?: string } = (
        await get(`/v1/banks/b/images?limit=4${next === '' ? '' : `&after=${next}`}`, nike)
      ).json()
      seen.push(...page.items.map((i) => i.imageId))
      next = page.next
    }
    expect(new Set(seen).size).toBe(6)
    for (const imageId of seen)
      expect((await send('DELETE', `/v1/banks/b/images/${imageId}`, nike)).statusCode).toBe(204)
    expect((await send('DELETE', `/v1/banks/b/images/${seen[0] ?? ''}`, nike)).statusCode).toBe(404)
    expect((await get('/v1/banks', nike)).json()).toMatchObject({ items: [{ images: 0 }] })
  })

  test('what is in quarantine can be released, and each only once', async () => {
    await make('b')
    const imageId = imageOf(await add('b', await drawing().png().toBuffer()))
    const url = `/v1/banks/b/images/${imageId}`
    expect((await send('POST', `${url}/release`, analyst)).statusCode).toBe(404)
    expect((await send('POST', `${url}/quarantine`, analyst)).statusCode).toBe(204)
    expect((await send('POST', `${url}/quarantine`, analyst)).statusCode).toBe(404)
    expect((await get('/v1/banks', analyst)).json()).toMatchObject({ items: [{ images: 0, quarantined: 1 }] })
    expect((await send('POST', `${url}/release`, analyst)).statusCode).toBe(204)
    expect((await get('/v1/banks', analyst)).json()).toMatchObject({ items: [{ images: 1, quarantined: 0 }] })
  })

  test('what is in quarantine for one marketplace, or has an alert, is listed with its reasons, and released', async () => {
    await make('b', { brandId: 'nike' })
    const imageId = imageOf(await add('b', await drawing().png().toBuffer()))
    const met = { marketplace: 'shop', sellers: 102, newSellers: 3, seconds: 40 }
    const listed = async (state: string) =>
      (await get(`/v1/banks/b/images?state=${state}`, nike)).json<{ items: { imageId: string }[] }>().items
    for (const [enough, state, result, counts] of [
      [false, 'alerted', 'new-sellers', { images: 1, quarantined: 0, alerted: 1 }],
      [true, 'quarantined', 'quarantined', { images: 0, quarantined: 1, alerted: 0 }],
    ] as const) {
      await banks.alarm('b', imageId, { ...met, enough }, 5)
      expect((await get('/v1/banks', nike)).json()).toMatchObject({ items: [counts] })
      const quarantine = { scope: ['shop'], by: 'quarantine', why: 'too-many-sellers', since: expect.any(String) }
      const about = { imageId, alerts: [{ ...met, result }], ...(enough ? { quarantine } : {}) }
      expect(await listed(state)).toMatchObject([about])
      expect(await listed('quarantined')).toHaveLength(counts.quarantined)
    }
    const url = `/v1/banks/b/images/${imageId}`
    expect((await get(url, nike)).json()).toMatchObject({ quarantine: { scope: ['shop'] } })
    expect((await send('POST', `${url}/release`, nike)).statusCode).toBe(403)
    expect((await send('POST', `${url}/release`, analyst)).statusCode).toBe(204)
    expect(await listed('active')).toMatchObject([{ imageId, state: 'active' }])
  })

  test('a kept picture is served re-encoded, asked for every time, and as nothing but a picture', async () => {
    await make('b')
    const { sha256 } = (await add('b', await drawing(2_000, 1_000).jpeg().toBuffer())).json<{ sha256: string }>()
    const response = await get(`/v1/pictures/${sha256}`, analyst)
    expect(response.headers).toMatchObject({
      'content-type': 'image/webp',
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    })
    const { format, width, height } = await sharp(response.rawPayload).metadata()
    expect([format, width, height]).toEqual(['webp', 768, 384])
    const etag = String(response.headers['etag'])
    expect((await get(`/v1/pictures/${sha256}`, { ...analyst, 'if-none-match': etag })).statusCode).toBe(304)
    expect((await get(`/v1/pictures/${'0'.repeat(64)}`, analyst)).statusCode).toBe(404)
    expect((await get('/v1/pictures/no-hash', analyst)).statusCode).toBe(422)
  })

  test('a few uploads of a caller at once are taken, the others told to come again; afterwards there is room', async () => {
    await make('b')
    const bytes = await drawing().png().toBuffer()
    const codes = async () =>
      (await Promise.all(Array.from({ length: 10 }, () => add('b', bytes)))).map((r) => r.statusCode)
    for (let round = 0; round < 2; round += 1) {
      const answers = await codes()
      expect(answers.filter((code) => code === 429)).toHaveLength(8)
      expect(answers.filter((code) => code === 200 || code === 201)).toHaveLength(2)
    }
    for (let i = 0; i < 6; i += 1) expect((await add('none', bytes)).statusCode).toBe(404)
    expect((await add('b', bytes)).statusCode).toBe(200)
  })

  test.each(['A', 'AAA', '====', 'AA=A', 'AAA=AAAA', 'AA A', 'AAA\n', 'AA-_', 'AAA\u00c0', 'AA\u0141A', 'A==='])(
    'no base64: %j',
    async (data) => {
      await make('b')
      const refused = await send('POST', '/v1/banks/b/images', analyst, { data })
      expect([refused.statusCode, refused.json<{ path: string }>().path]).toEqual([422, '/data'])
    },
  )
})
