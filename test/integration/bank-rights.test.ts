// How far a rights holder's word reaches in its own banks. Real: PostgreSQL, the store, the HTTP server and reading; keys are in memory.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBankStore } from '../../src/adapters/postgres/bank-store.ts'
import type { Api } from '../../src/api/services.ts'
import { brandSchema } from '../../src/domain/brand.ts'
import type { BankScope, BankStore } from '../../src/rights/bank-ports.ts'
import { bank, picture } from '../contracts/store-banks.ts'
import { drawnPicture } from '../support/drawn-pictures.ts'
import { storeBefore } from '../support/old-store.ts'
import { reading } from '../support/pictures.ts'
import { memoryApi } from '../unit/api/memory-ports.ts'
import { freshNode } from './store-on-postgres.ts'

const nike: BankScope = { brandIds: ['nike'] }

describe('a rights holder', () => {
  let banks: BankStore
  let api: Api
  const headers: Record<'analyst' | 'nike', Record<string, string>> = { analyst: {}, nike: {} }
  const { reader } = reading({ maxBytes: 1_000_000 })
  beforeEach(async () => {
    const node = await freshNode()
    banks = node.banks
    const { api: made, world } = await memoryApi({ banks, reader })
    api = made
    world.brands.set('nike', brandSchema.parse({ brandId: 'nike', name: 'Nike' }))
    headers.analyst = (await world.key('analyst')).headers
    headers.nike = (await world.key('brand', { brandIds: ['nike'] })).headers
  })
  afterEach(async () => {
    await api.close()
  })

  type Who = keyof typeof headers
  const post = async (who: Who, url: string, payload: object | Buffer = {}, type = 'application/json') => {
    const sent = await api.inject({ method: 'POST', url, headers: { ...headers[who], 'content-type': type }, payload })
    const body = sent.body === '' ? {} : sent.json<{ code?: string; path?: string; added?: { imageId: string } }>()
    return { status: sent.statusCode, ...body }
  }
  const act = (who: Who, imageId: string, action: string) => {
    const url = `/v1/banks/own/images/${imageId}/${action}`
    return api.inject({ method: 'POST', url, headers: headers[who] })
  }
  const make = (who: Who, more: object = {}) =>
    post(who, '/v1/banks', { bankId: 'own', name: 'Own', kind: 'counterfeit', brandId: 'nike', ...more })
  const add = (who: Who, bytes: Buffer, bankId = 'own') => post(who, `/v1/banks/${bankId}/images`, bytes, 'image/png')

  test('gives its banks no distance beyond 31 bits; what an analyst gave stays when the name is changed', async () => {
    expect(await make('nike', { kind: 'genuine', maxDistance: 32 })).toMatchObject({
      status: 422,
      code: 'invalid',
      path: '/maxDistance',
    })
    expect(await make('nike', { kind: 'genuine', maxDistance: 31 })).toMatchObject({ status: 201 })
    expect(await make('analyst', { kind: 'genuine', maxDistance: 50 })).toMatchObject({ status: 200 })
    expect(await make('nike', { kind: 'genuine', name: 'Photos', maxDistance: 50 })).toMatchObject({ status: 200 })
    expect(await make('nike', { kind: 'genuine', maxDistance: 51 })).toMatchObject({ status: 422 })
    // Wide for one kind is not wide for another.
    expect(await make('nike', { kind: 'counterfeit', maxDistance: 50 })).toMatchObject({ status: 422 })
  })

  test('adds nothing to allowed pictures, even where an analyst made the bank for it', async () => {
    await make('analyst', { kind: 'allowed' })
    expect(await add('nike', await drawnPicture(1))).toMatchObject({ status: 403, code: 'forbidden' })
    expect(await add('analyst', await drawnPicture(1))).toMatchObject({ status: 201 })
  })

  test('adds pictures as its own word, until an analyst vouches for one; those who follow hear of it', async () => {
    await make('nike')
    const { added } = await add('nike', await drawnPicture(1))
    await add('analyst', await drawnPicture(2))
    const imageId = added?.imageId ?? ''
    const words = async () => (await banks.images('own', { limit: 9 })).map(({ source }) => source.by ?? 'deployment')
    expect((await words()).toSorted()).toEqual(['brand', 'deployment'])
    const limited = async () => [
      (await banks.banks('all')).map((bank) => bank.limited),
      (await banks.images('own', { limit: 9, state: 'limited' })).map((image) => image.imageId),
    ]
    expect(await limited()).toEqual([[1], [imageId]])
    // In quarantine it counts nowhere: there is something else to be said of it first.
    await act('nike', imageId, 'quarantine')
    expect(await limited()).toEqual([[0], []])
    await act('nike', imageId, 'release')
    expect((await act('nike', imageId, 'vouch')).statusCode).toBe(403)
    const { change } = await banks.census()
    expect((await act('analyst', imageId, 'vouch')).statusCode).toBe(204)
    expect(await words()).toEqual(['deployment', 'deployment'])
    expect(await limited()).toEqual([[0], []])
    expect((await banks.changesSince(change, 9)).images).toMatchObject([{ imageId, source: { kind: 'api' } }])
    // Said again it changes nothing.
    expect((await act('analyst', imageId, 'vouch')).statusCode).toBe(204)
    expect((await banks.census()).change).toBe(change + 1n)
    await banks.removeImage('own', imageId, 'ann', 'all')
    expect((await act('analyst', imageId, 'vouch')).statusCode).toBe(404)
  })

  test('is asked for no vouch for its own photos, which stop nobody', async () => {
    await make('nike', { bankId: 'photos', kind: 'genuine' })
    await add('nike', await drawnPicture(1), 'photos')
    expect(await banks.images('photos', { limit: 9 })).toMatchObject([{ source: { by: 'brand' } }])
    expect(await banks.banks('all')).toMatchObject([{ images: 1, limited: 0 }])
    expect(await banks.images('photos', { limit: 9, state: 'limited' })).toEqual([])
  })

  test('lets out of quarantine only what it put there itself, and brings back nothing by adding it again', async () => {
    await make('nike')
    const bytes = await drawnPicture(1)
    const imageId = (await add('nike', bytes)).added?.imageId ?? ''
    expect((await act('nike', imageId, 'quarantine')).statusCode).toBe(204)
    expect((await act('nike', imageId, 'release')).statusCode).toBe(204)

    // Its own quarantine becomes the deployment's where an analyst agrees.
    await act('nike', imageId, 'quarantine')
    expect((await act('analyst', imageId, 'quarantine')).statusCode).toBe(204)
    expect((await act('analyst', imageId, 'quarantine')).statusCode).toBe(404)
    const refused = await act('nike', imageId, 'release')
    expect(refused.json()).toMatchObject({ status: 403, code: 'forbidden', detail: expect.stringContaining('analyst') })
    await banks.removeImage('own', imageId, 'nike', nike)
    expect(await add('nike', bytes)).toMatchObject({ status: 403, code: 'forbidden' })
    await make('nike', { bankId: 'another' })
    expect(await add('nike', bytes, 'another')).toMatchObject({ status: 403 })

    // The watch speaks for the deployment; what an analyst let out is free again.
    const next = (await add('analyst', await drawnPicture(2))).added?.imageId ?? ''
    await banks.quarantine('own', next, 'quarantine', true, 'all')
    expect((await act('nike', next, 'release')).statusCode).toBe(403)
    expect((await act('analyst', next, 'release')).statusCode).toBe(204)
    await act('nike', next, 'quarantine')
    expect((await act('nike', next, 'release')).statusCode).toBe(204)
  })
})

test('of an older store, what lies in a rights holder’s bank over HTTP counts as its word, and quarantine is the deployment’s', async () => {
  const { pool, listener, upgrade } = await storeBefore('whose word a picture of a bank is')
  await pool.query('update reference_head set change = 7')
  for (const [bankId, brandId] of [
    ['of-nike', 'nike'],
    ['ours', null],
  ] as const) {
    await pool.query('insert into bank values ($1, 1, $2, 1, now(), $3)', [bankId, bank(bankId, { brandId }), 'ann'])
    for (const [name, source, state] of [
      ['http', { kind: 'api', file: 'half \ud83c pair \u0000' }, 'active'],
      ['file', { kind: 'import', file: '"kind":"api"' }, 'quarantined'],
      ['verdict', { kind: 'verdict', verdictId: 'V-1' }, 'active'],
    ] as const)
      await pool.query(
        `insert into bank_image (image_id, bank_id, sha256, hash, quality, state, source, added_by, change)
           values (gen_random_uuid(), $1, $2, $3, 90, $4, $5, 'ann', 2)`,
        [bankId, picture(name).sha256, picture(name).hash, state, JSON.stringify(source)],
      )
  }
  await upgrade()
  const banks = createBankStore({ pool, listener })
  const { images, head } = await banks.changesSince(7n, 9)
  expect(head).toBe(8n)
  expect((await banks.banks('all')).map(({ bankId, limited }) => [bankId, limited])).toEqual([
    ['of-nike', 1],
    ['ours', 0],
  ])
  expect(images).toMatchObject([
    { bankId: 'of-nike', source: { kind: 'api', by: 'brand', file: 'half \ud83c pair \u0000' } },
  ])
  const [stopped] = await banks.images('of-nike', { limit: 1, state: 'quarantined' })
  await expect(banks.quarantine('of-nike', stopped?.imageId ?? '', 'nike', false, nike)).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect(await banks.quarantine('of-nike', stopped?.imageId ?? '', 'ann', false, 'all')).toBe(true)
})
