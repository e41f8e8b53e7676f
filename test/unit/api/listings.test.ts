// Listings over HTTP. Real: server, parser and intake. In memory: log, store, worker.
import { connect } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Api } from '../../../src/api/services.ts'
import { lastHeader } from '../../../src/events/header.ts'
import { contentHash } from '../../../src/listing/content-hash.ts'
import { decisionOf, LISTING, memoryApi, type MemoryWorld } from './memory-ports.ts'

let api: Api
let world: MemoryWorld
let ingest: Record<string, string>
beforeEach(async () => {
  ;({ api, world } = await memoryApi())
  ingest = (await world.key('ingest')).headers
})
afterEach(() => api.close())

const post = (payload: string | Buffer | object, headers: Record<string, string> = {}, url = '/v1/listings') =>
  api.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...ingest, ...headers } })

const problemOf = (response: { headers: Record<string, unknown>; json(): unknown }) => {
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/)
  return response.json() as {
    code: string
    status: number
    path?: string
    detail: string
    instance: string
    lines?: number
  }
}

describe('one listing', () => {
  it('is in the log when 202 is answered, under its id, with the place to look at', async () => {
    const response = await post({ ...LISTING, listingId: 'a/b ü' })
    expect(response.statusCode).toBe(202)
    expect(response.headers.location).toBe('/v1/listings/a%2Fb%20%C3%BC')
    expect(response.json()).toMatchObject({ listingId: 'a/b ü', revision: 1, status: 'accepted' })
    expect(world.records).toHaveLength(1)
    expect(Buffer.from(world.records[0]?.key ?? []).toString()).toBe('a/b ü')
    expect(JSON.parse(Buffer.from(world.records[0]?.value ?? []).toString())).toEqual({
      ...LISTING,
      listingId: 'a/b ü',
    })
  })

  it.each([
    ['not JSON', '{"listingId":', 400, 'not-json'],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'not-utf8'],
    ['empty', '', 400, 'empty'],
    ['an array', '[]', 422, 'not-an-object'],
    ['without an id', '{"revision":1}', 422, 'no-identity'],
    [
      'a NaN price',
      '{"listingId":"L","revision":1,"sellerId":"S","title":"t","price":{"amount":NaN,"currency":"USD"}}',
      400,
      'not-json',
    ],
    ['too large', JSON.stringify({ ...LISTING, description: 'x'.repeat(10_000) }), 413, 'too-large'],
  ])('that is %s is refused with its code and nothing is written', async (_what, body, status, code) => {
    const response = await post(body)
    expect(response.statusCode).toBe(status)
    expect(problemOf(response)).toMatchObject({ code, status })
    expect(world.records).toHaveLength(0)
  })

  it('that does not fit the schema names the field and what was expected', async () => {
    const response = await post({ ...LISTING, price: { amount: -1, currency: 'USD' } })
    expect(response.statusCode).toBe(422)
    expect(problemOf(response)).toMatchObject({ code: 'invalid', path: '/price/amount' })
    expect(problemOf(response).detail).toContain('must not be negative')
  })

  it('of a content type that is none of ours is 415', async () => {
    expect(problemOf(await post('a=b', { 'content-type': 'application/x-www-form-urlencoded' })).code).toBe(
      'unsupported-media-type',
    )
    expect(problemOf(await post(LISTING, { 'content-encoding': 'gzip' })).code).toBe('unsupported-media-type')
  })

  it('gets the decision where the caller prefers to wait, as soon as there is one', async () => {
    const hash = contentHash(LISTING)
    world.onAppend = (_record, offset) => {
      setTimeout(() => {
        world.ends.set(offset, { kind: 'decided', decision: decisionOf({ contentHash: hash }), contentHash: hash })
        world.nudge()
      }, 20)
    }
    const response = await post(LISTING, { prefer: 'respond-async, wait=10' })
    expect(response.statusCode).toBe(200)
    expect(response.headers['preference-applied']).toBe('wait=10')
    expect(response.json()).toMatchObject({ outcome: 'hold', listingId: 'L-1' })
  })

  it('gets 202 when the time is over, and the wait is at most 60 seconds', async () => {
    const response = await post(LISTING, { prefer: 'wait=1' })
    expect(response.statusCode).toBe(202)
    expect(response.headers['preference-applied']).toBe('wait=1')
    world.onAppend = (_r, offset) => world.ends.set(offset, { kind: 'gone' })
    const long = await post({ ...LISTING, listingId: 'L-2' }, { prefer: 'wait=9999' })
    expect(long.headers['preference-applied']).toBe('wait=60')
    expect(problemOf(long).code).toBe('internal-error')
  })

  it.each(['failEnds', 'failPassed'] as const)(
    'is accepted although the waiting failed, and the next one waits again: %s',
    async (failure) => {
      world.onAppend = (_record, offset) => {
        world[failure] = offset === 0
        world.ends.set(offset, { kind: 'decided', decision: decisionOf(), contentHash: contentHash(LISTING) })
      }
      expect((await post(LISTING, { prefer: 'wait=5' })).statusCode).toBe(202)
      expect(world.records).toHaveLength(1)
      expect((await post(LISTING, { prefer: 'wait=5' })).statusCode).toBe(200)
    },
  )

  it('that the worker refuses is a problem with the refusal’s code', async () => {
    world.onAppend = (_record, offset) => {
      const refusal = {
        listingId: 'L-1',
        revision: 1,
        code: 'superseded',
        message: 'revision 3 is decided',
        path: '/revision',
        at: '2026-01-01T00:00:00Z',
      } as const
      world.ends.set(offset, { kind: 'refused', refusal })
    }
    const response = await post(LISTING, { prefer: 'wait=5' })
    expect(response.statusCode).toBe(409)
    expect(problemOf(response)).toMatchObject({
      code: 'superseded',
      path: '/revision',
      detail: 'revision 3 is decided',
    })
  })

  it('sent again is answered with what stands, and nothing is written again', async () => {
    world.publish(decisionOf({ contentHash: contentHash(LISTING) }))
    const again = await post({ ...LISTING, submittedAt: '2026-02-02T00:00:00Z' })
    expect(again.statusCode).toBe(200)
    expect(again.json()).toMatchObject({ decisionId: decisionOf().decisionId })
    expect(problemOf(await post({ ...LISTING, title: 'Other' })).code).toBe('revision-reused')
    world.withdrawn.set('L-1', 1)
    expect(problemOf(await post(LISTING)).code).toBe('withdrawn')
    expect(world.records).toHaveLength(0)
  })

  it('of another marketplace is left to the worker, whatever its revision and content: nothing tells that it exists', async () => {
    const bound = (await world.key('ingest', { marketplace: 'demo' })).headers
    const message = 'the listingId is in use outside of this marketplace'
    for (const owner of ['other', undefined]) {
      world.publish(decisionOf({ contentHash: contentHash(LISTING) }))
      if (owner !== undefined) world.marketplaces.set('L-1', owner)
      world.onAppend = (_record, offset) => {
        const refusal = { ...LISTING, code: 'marketplace-mismatch', message, path: '/marketplace', at: '' } as const
        world.ends.set(offset, { kind: 'refused', refusal })
      }
      for (const revision of [1, 2]) {
        const response = await post({ ...LISTING, revision }, { ...bound, prefer: 'wait=5' })
        expect(problemOf(response)).toMatchObject({ code: 'marketplace-mismatch', detail: message })
        expect((await post({ ...LISTING, revision }, bound)).statusCode).toBe(202)
      }
      world.marketplaces.clear()
    }
  })

  it('of a bound key carries its marketplace, and never another', async () => {
    const bound = (await world.key('ingest', { marketplace: 'demo' })).headers
    expect((await post(LISTING, bound)).statusCode).toBe(202)
    expect(JSON.parse(Buffer.from(world.records[0]?.value ?? []).toString())).toMatchObject({ marketplace: 'demo' })
    expect(problemOf(await post({ ...LISTING, marketplace: 'other' }, bound)).code).toBe('marketplace-mismatch')
  })
})

describe('many listings', () => {
  const ndjson = (lines: string[], headers: Record<string, string> = {}) =>
    post(lines.join('\n'), { 'content-type': 'application/x-ndjson', ...headers })
  const resultsOf = (response: { payload: string }) =>
    response.payload
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as Record<string, unknown>)

  it('get a result each, with the line number, in order; one bad line stops nothing', async () => {
    const lines = [
      JSON.stringify(LISTING),
      '',
      '{"broken',
      JSON.stringify({ ...LISTING, listingId: 'L-2', title: '' }),
      `${JSON.stringify({ ...LISTING, listingId: 'L-3' })}\r`,
      'x'.repeat(10_001),
      JSON.stringify({ ...LISTING, listingId: 'L-4' }),
    ]
    const response = await ndjson(lines)
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-type']).toMatch(/^application\/x-ndjson/)
    expect(resultsOf(response).map((r) => [r['line'], r['status'], r['code'] ?? r['listingId'], r['path']])).toEqual([
      [1, 202, 'L-1', undefined],
      [3, 400, 'not-json', undefined],
      [4, 422, 'invalid', '/title'],
      [5, 202, 'L-3', undefined],
      [6, 413, 'too-large', undefined],
      [7, 202, 'L-4', undefined],
    ])
    expect(world.records.map((r) => Buffer.from(r.key ?? []).toString())).toEqual(['L-1', 'L-3', 'L-4'])
  })

  it('beyond the byte limit are 413 on a real connection too, said at once or while they still come', async () => {
    await api.listen({ port: 0, host: '127.0.0.1' })
    const address = api.server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const line = `${JSON.stringify({ ...LISTING, description: 'x'.repeat(5_000) })}\n`
    const headers = { ...ingest, 'content-type': 'application/x-ndjson' }
    const url = `http://127.0.0.1:${address.port}/v1/listings`
    const told = await fetch(url, { method: 'POST', headers, body: line.repeat(600) })
    expect([told.status, await told.json()]).toMatchObject([413, { code: 'too-large', lines: 0 }])
    expect(world.records).toHaveLength(0)

    const pieces = ReadableStream.from(Array.from({ length: 600 }, () => Buffer.from(line)))
    const streamed = await fetch(url, { method: 'POST', headers, body: pieces, duplex: 'half' })
    const problem = (await streamed.json()) as { code: string; lines: number }
    expect([streamed.status, problem.code]).toEqual([413, 'too-large'])
    expect(problem.lines).toBeGreaterThan(100)
    expect(world.records).toHaveLength(problem.lines)
  })

  it('without a listing are an error', async () => {
    expect(problemOf(await ndjson(['', ' \t'])).code).toBe('empty')
  })

  it('arrive in pieces that cut lines and characters anywhere', async () => {
    await api.listen({ port: 0, host: '127.0.0.1' })
    const address = api.server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const socket = connect(address.port, '127.0.0.1')
    const body = Buffer.from(['L-ä', 'L-ö'].map((listingId) => JSON.stringify({ ...LISTING, listingId })).join('\n'))
    socket.write(
      `POST /v1/listings HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ${ingest['authorization']}\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n`,
    )
    for (const byte of body) {
      socket.write('1\r\n')
      socket.write(Buffer.from([byte]))
      socket.write('\r\n')
    }
    socket.write('0\r\n\r\n')
    let answer = ''
    socket.on('data', (d) => (answer += d.toString('utf8')))
    await once(socket, 'close')
    expect(answer).toContain('"listingId":"L-ä"')
    expect(world.records.map((r) => Buffer.from(r.key ?? []).toString())).toEqual(['L-ä', 'L-ö'])
  })
})

describe('a withdrawal', () => {
  it('is appended, and only for the key’s own marketplace', async () => {
    const response = await post({ revision: 2 }, {}, '/v1/listings/L-1/withdrawals')
    expect(response.statusCode).toBe(202)
    expect(JSON.parse(Buffer.from(world.records[0]?.value ?? []).toString())).toMatchObject({
      listingId: 'L-1',
      revision: 2,
    })
    expect(Buffer.from(lastHeader(world.records[0]?.headers ?? {}, 'ce_type') ?? []).toString()).toBe(
      'touchstone.listing.withdrawn.v1',
    )

    world.publish(decisionOf())
    world.marketplaces.set('L-1', 'other')
    const bound = (await world.key('ingest', { marketplace: 'demo' })).headers
    expect(problemOf(await post({ revision: 2 }, bound, '/v1/listings/L-1/withdrawals')).code).toBe(
      'marketplace-mismatch',
    )
    expect(problemOf(await post({ revision: 0 }, {}, '/v1/listings/L-1/withdrawals'))).toMatchObject({
      code: 'invalid',
      path: '/revision',
    })
  })
})

describe('a dry run', () => {
  it('answers with the evidence and writes nothing', async () => {
    const response = await post(LISTING, {}, '/v1/screen')
    expect(response.statusCode).toBe(200)
    expect(response.json()).toMatchObject({ listingId: 'L-1', contentHash: contentHash(LISTING) })
    expect(problemOf(await post('{', {}, '/v1/screen')).code).toBe('not-json')
    expect(world.records).toHaveLength(0)
  })
})
