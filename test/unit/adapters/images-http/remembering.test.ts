// Real: HTTP between the fetcher and a server on the loopback; names and connector are a table. What is remembered of pictures.
import { describe, expect, test } from 'vitest'
import { createCache } from '../../../../src/adapters/images-http/cache.ts'
import { createWorld, eventually, sha256 } from './world.ts'

const URL_A = 'https://pictures.example/a.jpg'
const OLD = 'Mon, 01 Jan 2024 00:00:00 GMT'

describe('a URL is asked every time', () => {
  test.each([
    ['an entity tag', { etag: '"v1"' }, { 'if-none-match': '"v1"' }],
    ['a weak one', { etag: 'W/"v1"' }, { 'if-none-match': 'W/"v1"' }],
    ['a date', { 'last-modified': OLD }, { 'if-modified-since': OLD }],
    ['both, of which the tag is the better', { etag: '"v1"', 'last-modified': OLD }, { 'if-none-match': '"v1"' }],
  ])('what has %s is not sent again', async (_, validators, asked) => {
    const world = await createWorld((request, response) => {
      const known = 'if-none-match' in request.headers || 'if-modified-since' in request.headers
      if (known) response.writeHead(304, validators).end()
      else response.writeHead(200, { ...validators, 'cache-control': 'max-age=31536000, immutable' }).end('picture')
    })
    for (let i = 0; i < 3; i += 1)
      expect(await world.get(URL_A)).toMatchObject({ state: 'got', sha256: sha256('picture') })
    expect(world.results).toEqual(['got', 'unchanged', 'unchanged'])
    const conditions = world.requests.map(({ headers }) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('if-'))),
    )
    expect(conditions).toEqual([{}, asked, asked])
    // One connection for all of them.
    expect(world.dialled).toHaveLength(1)
  })

  test.each<[string, Record<string, string | string[]>]>([
    ['nothing to ask by', {}],
    ['a tag that is none', { etag: 'v1' }],
    ['a tag that is too long', { etag: `"${'v'.repeat(500)}"` }],
    ['a date that is no date', { 'last-modified': 'yesterday' }],
    ['a date so fresh that it may stand for two pictures', { 'last-modified': new Date().toUTCString() }],
    ['two tags', { etag: ['"a"', '"b"'] }],
  ])('what has %s is fetched anew', async (_, validators) => {
    const world = await createWorld((_, response) => response.writeHead(200, validators).end('picture'))
    for (let i = 0; i < 2; i += 1) expect(await world.get(URL_A)).toMatchObject({ state: 'got' })
    expect(world.results).toEqual(['got', 'got'])
    expect(world.requests[1]?.headers).not.toHaveProperty('if-none-match')
    expect(world.requests[1]?.headers).not.toHaveProperty('if-modified-since')
  })

  test('a host that says 304 to everything hides a swapped picture for ten minutes, and no longer', async () => {
    let [picture, now] = ['harmless', 1_000]
    const world = await createWorld(
      (request, response) => {
        if ('if-none-match' in request.headers) response.writeHead(304).end()
        else response.writeHead(200, { etag: '"v1"' }).end(picture)
      },
      { now: () => now },
    )
    expect(await world.get(URL_A)).toMatchObject({ sha256: sha256('harmless') })
    picture = 'counterfeit'
    for (let minute = 1; minute < 10; minute++) {
      now += 60_000
      expect(await world.get(URL_A)).toMatchObject({ sha256: sha256('harmless') })
    }
    now += 60_000
    expect(await world.get(URL_A)).toMatchObject({ sha256: sha256('counterfeit') })
    expect(await world.get(URL_A)).toMatchObject({ sha256: sha256('counterfeit') })
  })

  test('a swapped picture is seen, and the bound hash of the old one is told to differ although it is remembered', async () => {
    let picture = 'harmless'
    const world = await createWorld((request, response) => {
      const etag = `"${picture}"`
      if (request.headers['if-none-match'] === etag) response.writeHead(304).end()
      else response.writeHead(200, { etag, 'cache-control': 'immutable' }).end(picture)
    })
    const bound = { sha256: sha256('harmless') }
    expect(await world.get(URL_A, bound)).toMatchObject({ state: 'got' })
    expect(await world.get(URL_A, bound)).toMatchObject({ state: 'got' })
    picture = 'counterfeit'
    expect(await world.get(URL_A, bound)).toMatchObject({ fault: 'hash-differs' })
    expect(await world.get(URL_A)).toMatchObject({ state: 'got', sha256: sha256('counterfeit') })
    expect(world.results).toEqual(['got', 'unchanged', 'hash-differs', 'unchanged'])
  })

  test('what is remembered of one URL says nothing of another that differs in its query alone', async () => {
    const world = await createWorld((request, response) => {
      expect(request.headers).not.toHaveProperty('if-none-match')
      response.writeHead(200, { etag: '"same"' }).end(request.url)
    })
    expect(await world.get(`${URL_A}?id=1`)).toMatchObject({ sha256: sha256('/a.jpg?id=1') })
    expect(await world.get(`${URL_A}?id=2`)).toMatchObject({ sha256: sha256('/a.jpg?id=2') })
  })

  test('of a redirect nothing is remembered, of its target all', async () => {
    let target = '/one'
    const world = await createWorld((request, response) => {
      if (request.url === '/a.jpg') response.writeHead(301, { location: target, etag: '"r"' }).end()
      else if (request.headers['if-none-match'] === request.url) response.writeHead(304).end()
      else response.writeHead(200, { etag: `"${request.url}"` }).end(request.url)
    })
    expect(await world.get(URL_A)).toMatchObject({ sha256: sha256('/one') })
    target = '/two'
    expect(await world.get(URL_A)).toMatchObject({ sha256: sha256('/two') })
  })

  test('who gets a picture may do with its bytes what they like', async () => {
    const world = await createWorld((request, response) => {
      if ('if-none-match' in request.headers) response.writeHead(304).end()
      else response.writeHead(200, { etag: '"v1"' }).end('picture')
    })
    for (let i = 0; i < 3; i += 1) {
      const got = await world.get(URL_A)
      if (got.state !== 'got') throw new Error('it must be there')
      expect(Buffer.from(got.bytes).toString()).toBe('picture')
      got.bytes.fill(0)
      structuredClone(got.bytes, { transfer: [got.bytes.buffer as ArrayBuffer] })
    }
  })

  test('a kept connection that the host has ended meanwhile is no failure', async () => {
    const world = await createWorld((_, response) => {
      response.end('picture')
      // Without a word in the answer.
      response.socket?.setTimeout(0)
      setImmediate(() => response.socket?.destroy())
    })
    for (let i = 0; i < 5; i += 1) expect(await world.get(URL_A)).toMatchObject({ state: 'got' })
  })
})

describe('one request per URL at once', () => {
  test('a hundred listings with one picture ask once, each for the hash that it binds', async () => {
    const world = await createWorld((_, response) => void setTimeout(() => response.end('picture'), 50))
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, i) => world.get(URL_A, i % 2 === 0 ? {} : { sha256: sha256(String(i)) })),
    )
    expect(world.requests).toHaveLength(1)
    expect(all.filter((got) => got.state === 'got')).toHaveLength(50)
    expect(all.filter((got) => 'fault' in got && got.fault === 'hash-differs')).toHaveLength(50)
    const [first, , third] = all
    expect(first?.state === 'got' && third?.state === 'got' && first.bytes.buffer !== third.bytes.buffer).toBe(true)
  })

  test('who leaves leaves alone; when the last has left the request ends, and who comes then asks anew', async () => {
    let answers = 0
    const world = await createWorld((_, response) => {
      answers += 1
      if (answers === 2) response.end('picture')
    })
    const [one, two] = [new AbortController(), new AbortController()]
    const first = world.get(URL_A, { until: one.signal })
    const second = world.get(URL_A, { until: two.signal })
    await eventually(() => world.requests.length === 1)
    one.abort()
    expect(await first).toMatchObject({ fault: 'timed-out' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(world.sockets()).toBe(1)
    two.abort()
    expect(await second).toMatchObject({ fault: 'timed-out' })
    expect(await world.get(URL_A)).toMatchObject({ state: 'got' })
    expect(world.requests).toHaveLength(2)
    await eventually(() => world.sockets() === 1)
  })
})

describe('memory is bounded', () => {
  const picture = (i: number, bytes = 100) => {
    const all = new Uint8Array(bytes).fill(i)
    return { bytes: all, sha256: sha256(all), validators: { etag: `"${i}"` } }
  }

  test('by the bytes of all pictures: what was used last stays', () => {
    const cache = createCache(1_000)
    for (let i = 0; i < 10; i += 1) cache.store(`u${i}`, picture(i))
    expect(cache.bytes).toBe(1_000)
    cache.find('u0')
    cache.store('u10', picture(10))
    expect(cache.bytes).toBe(1_000)
    expect(cache.find('u1')).toBeUndefined()
    expect(cache.find('u0')).toMatchObject({ validators: { etag: '"0"' } })
    expect(cache.find('u10')).toMatchObject({ sha256: picture(10).sha256 })
  })

  test('one picture under many URLs is kept once; one that is too large for its share not at all', () => {
    const cache = createCache(1_000)
    for (let i = 0; i < 50; i += 1) cache.store(`u${i}`, picture(1))
    expect(cache.bytes).toBe(100)
    cache.store('large', picture(2, 200))
    expect(cache.find('large')).toBeUndefined()
    expect(cache.bytes).toBe(100)
  })

  test('by time: what a host says of a picture is believed for ten minutes, however often it says it', () => {
    let now = 0
    const cache = createCache(1_000, () => now)
    cache.store('u', picture(1))
    for (now = 60_000; now < 600_000; now += 60_000) expect(cache.find('u')).toBeDefined()
    expect(cache.find('u')).toBeUndefined()
    cache.store('u', picture(1))
    expect(cache.find('u')).toBeDefined()
    expect(cache.bytes).toBe(100)
  })

  test('by the number of URLs', () => {
    const cache = createCache(1_000)
    for (let i = 0; i < 20_001; i += 1) cache.store(`u${i}`, picture(1))
    expect(cache.find('u0')).toBeUndefined()
    expect(cache.find('u1')).toBeDefined()
  })

  test('nothing is kept where nothing may be', () => {
    const cache = createCache(0)
    cache.store('u', picture(1))
    expect(cache.find('u')).toBeUndefined()
    expect(cache.bytes).toBe(0)
  })

  test('what is forgotten, or whose bytes are gone, is asked for without conditions', async () => {
    const world = await createWorld(
      (request, response) => {
        expect(request.headers).not.toHaveProperty('if-none-match')
        response.writeHead(200, { etag: '"v"' }).end(Buffer.alloc(1_000, request.url))
      },
      { cacheBytes: 8_000 },
    )
    await world.get('https://a.example/0')
    for (let i = 1; i <= 8; i += 1) await world.get(`https://a.example/${i}`)
    expect(await world.get('https://a.example/0')).toMatchObject({ state: 'got' })
  })
})
