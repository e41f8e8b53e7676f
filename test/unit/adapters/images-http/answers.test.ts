// Real: HTTP between the fetcher and a server on the loopback; names and connector are a table. Hosts that misbehave.
import { gzipSync } from 'node:zlib'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBody } from '../../../../src/adapters/images-http/body.ts'
import { createWorld, eventually, sha256 } from './world.ts'

const URL_A = 'https://pictures.example/a.jpg?key=secret'
const KB = 1 << 10

/** What it takes to say anything at all. */
const raw = (socket: Socket | null, text: string) => socket?.write(text.replaceAll('\n', '\r\n'))

test('a picture comes with its hash, asked for by its name, with nothing that tells of us', async () => {
  const picture = Buffer.alloc(300 * KB, 'picture')
  const world = await createWorld((_, response) => response.setHeader('content-type', 'text/html').end(picture))
  const got = await world.get(`${URL_A}#fragment`, { sha256: sha256(picture) })
  expect(got).toEqual({ state: 'got', bytes: new Uint8Array(picture), sha256: sha256(picture) })
  expect(world.requests).toMatchObject([{ host: 'pictures.example', path: '/a.jpg?key=secret' }])
  expect(Object.keys(world.requests[0]?.headers ?? {}).sort()).toEqual([
    'accept',
    'accept-encoding',
    'connection',
    'host',
    'user-agent',
  ])
  expect(world.requests[0]?.headers['accept-encoding']).toBe('identity')
  expect(world.dialled).toEqual([{ host: 'pictures.example', port: 443, secure: true, addresses: ['93.184.216.34'] }])
  expect(world.results).toEqual(['got'])
})

test('a hash that is bound and differs', async () => {
  const world = await createWorld((_, response) => response.end('another'))
  const got = await world.get(URL_A, { sha256: sha256('picture') })
  expect(got).toMatchObject({ state: 'unseen', fault: 'hash-differs' })
  expect(got).toHaveProperty('message', expect.stringContaining(sha256('another')))
})

describe('what a status means, without a word of the query', () => {
  test.each([
    [404, 'gone'],
    [410, 'gone'],
    [400, 'unreachable'],
    [403, 'unreachable'],
    [429, 'unreachable'],
    [500, 'unreachable'],
    [503, 'unreachable'],
    [204, 'unreachable'],
    [206, 'unreachable'],
    [300, 'unreachable'],
    [304, 'unreachable'],
    [301, 'unreachable'],
    [402, 'unreachable'],
  ])('%i is %s', async (status, fault) => {
    const world = await createWorld((_, response) => response.writeHead(status).end())
    const got = await world.get(URL_A)
    expect(got).toMatchObject({ state: 'unseen', fault })
    expect(got).toHaveProperty('message', `https://pictures.example/a.jpg: answered ${status}`)
  })
})

describe('redirects', () => {
  const redirect = (next: (path: string) => string, status = 302) =>
    createWorld((request, response) => {
      const location = next(request.url ?? '')
      if (location === '') response.end('picture')
      else response.writeHead(status, { location }).end('moved')
    })

  test.each([301, 302, 303, 307, 308])(
    'three are followed, relative ones too, each host looked up: %i',
    async (status) => {
      const hops: Record<string, string> = {
        '/a': '/b?x=1',
        '/b?x=1': '//other.example/c',
        '/c': 'https://third.example/d',
        '/d': '',
      }
      const world = await redirect((path) => hops[path] ?? 'http://lost.example/', status)
      expect(await world.get('http://pictures.example/a')).toMatchObject({ state: 'got' })
      expect(world.looked).toEqual(['pictures.example', 'pictures.example', 'other.example', 'third.example'])
      expect(world.requests.map((r) => r.host)).toEqual([
        'pictures.example',
        'pictures.example',
        'other.example',
        'third.example',
      ])
    },
  )

  test('a fourth is not, nor a loop', async () => {
    const world = await redirect((path) => `${path}1`)
    expect(await world.get(URL_A)).toMatchObject({
      fault: 'unreachable',
      message: expect.stringContaining('redirects'),
    })
    expect(world.requests).toHaveLength(4)
    const loop = await redirect(() => URL_A)
    expect(await loop.get(URL_A)).toMatchObject({ fault: 'unreachable' })
    expect(loop.requests).toHaveLength(4)
  })

  test.each([
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/latest/meta-data',
    '//2130706433/',
    'https://inside.example/',
    'http://pictures.example/plain',
    'https://pictures.example:22/',
    'https://user:secret@pictures.example/',
    'file:///etc/passwd',
    'ftp://pictures.example/',
    'javascript:alert(1)',
    'https://not-allowed.test/',
  ])('to %s: refused, and nothing is connected to', async (location) => {
    const world = await createWorld((_, response) => response.writeHead(302, { location }).end(), {
      hosts: ['*.example', '127.0.0.1', '169.254.169.254'],
      names: (host) => (host === 'inside.example' ? ['10.0.0.1'] : ['1.1.1.1']),
    })
    const got = await world.get(URL_A)
    expect(got).toMatchObject({ state: 'unseen', fault: 'address-refused' })
    expect(JSON.stringify(got)).not.toContain('secret')
    expect(world.dialled.map((place) => place.host)).toEqual(['pictures.example'])
    expect(world.requests).toHaveLength(1)
  })
})

describe('bytes are counted as they come', () => {
  const LIMIT = { maxBytes: 100 * KB }

  test('exactly the limit passes, one more does not', async () => {
    const world = await createWorld(
      (request, response) =>
        response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(Buffer.alloc(Number(request.url?.slice(1)))),
      LIMIT,
    )
    expect(await world.get(`http://a.example/${100 * KB}`)).toMatchObject({ state: 'got' })
    expect(await world.get(`http://a.example/${100 * KB + 1}`)).toMatchObject({ fault: 'too-large' })
  })

  test('a length that says too much is believed at once', async () => {
    const world = await createWorld((_, response) => {
      response.writeHead(200, { 'content-length': 1e9 })
      response.flushHeaders()
    }, LIMIT)
    expect(await world.get(URL_A)).toMatchObject({ fault: 'too-large' })
    await eventually(() => world.sockets() === 0)
  })

  test('an endless body ends at the limit, and its connection with it', async () => {
    let sent = 0
    const world = await createWorld((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * KB))) sent += 16 * KB
      }
      response.on('drain', more)
      more()
    }, LIMIT)
    expect(await world.get(URL_A)).toMatchObject({ fault: 'too-large' })
    await eventually(() => world.sockets() === 0)
    expect(sent).toBeLessThan(32 << 20)
  })

  test('one byte a chunk costs no more than its bytes', async () => {
    const bytes = 50_000
    const world = await createWorld((_, response) => {
      raw(response.socket, `HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n${'1\nx\n'.repeat(bytes)}0\n\n`)
    }, LIMIT)
    expect(await world.get(URL_A)).toMatchObject({ state: 'got', sha256: sha256('x'.repeat(bytes)) })
  })

  test('a length that says too little: the rest is neither taken nor an answer to the next request', async () => {
    const world = await createWorld((request, response) => {
      if (request.url === '/next') response.end('next')
      else raw(response.socket, `HTTP/1.1 200 OK\ncontent-length: 3\n\nabcHTTP/1.1 200 OK\ncontent-length: 5\n\nfalse`)
    }, LIMIT)
    expect(await world.get('https://pictures.example/short')).toMatchObject({ state: 'got', sha256: sha256('abc') })
    expect(await world.get('https://pictures.example/next')).toMatchObject({ state: 'got', sha256: sha256('next') })
  })

  test('a length that is never reached', async () => {
    const world = await createWorld((_, response) => {
      raw(response.socket, 'HTTP/1.1 200 OK\ncontent-length: 1000\n\nhalf')
      setTimeout(() => response.socket?.end(), 20)
    })
    expect(await world.get(URL_A)).toMatchObject({ fault: 'unreachable' })
  })

  test('reset in the middle', async () => {
    const world = await createWorld((_, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('half')
      setTimeout(() => response.socket?.resetAndDestroy(), 20)
    })
    const got = await world.get(URL_A)
    expect(got).toMatchObject({ fault: 'unreachable', message: expect.stringContaining('reset') })
  })

  test.each(['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'identity, gzip'])('nothing is unpacked: %s', async (coding) => {
    const bomb = gzipSync(Buffer.alloc(64 << 20))
    const world = await createWorld((_, response) => response.setHeader('content-encoding', coding).end(bomb))
    expect(await world.get(URL_A)).toMatchObject({ fault: 'not-a-picture', message: expect.stringContaining('packed') })
  })

  test('a coding that means nothing changes nothing', async () => {
    const world = await createWorld((_, response) =>
      response.setHeader('content-encoding', 'aws-chunked').end('picture'),
    )
    expect(await world.get(URL_A)).toMatchObject({ state: 'got', sha256: sha256('picture') })
  })

  test.each([
    ['one large line', `x: ${'y'.repeat(20 * KB)}\n`],
    ['many lines', Array.from({ length: 4_000 }, (_, i) => `x-${i}: y\n`).join('')],
    ['an endless name', 'x'.repeat(20 * KB)],
  ])('a flood of headers: %s', async (_, lines) => {
    const world = await createWorld((_, response) => void raw(response.socket, `HTTP/1.1 200 OK\n${lines}\n`))
    expect(await world.get(URL_A)).toMatchObject({ fault: 'unreachable' })
    await eventually(() => world.sockets() === 0)
  })

  test.each([
    ['not HTTP', 'SSH-2.0-OpenSSH_9.9\n'],
    ['two lengths', 'HTTP/1.1 200 OK\ncontent-length: 3\ncontent-length: 5\n\nabcde'],
    ['a length and chunks', 'HTTP/1.1 200 OK\ncontent-length: 3\ntransfer-encoding: chunked\n\n0\n\n'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\nconnection: upgrade\nupgrade: x\n\n'],
    ['a bad chunk', 'HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\nzz\nabc\n'],
  ])('%s', async (_, text) => {
    const world = await createWorld((_, response) => void raw(response.socket, text))
    expect(await world.get(URL_A)).toMatchObject({ fault: 'unreachable' })
    await eventually(() => world.sockets() === 0)
  })

  test('what is on its way is bounded over all pictures, and the largest gives way', async () => {
    const world = await createWorld(
      (request, response) => {
        if (request.url === '/small') {
          response.write('small')
          setTimeout(() => response.end(), 1_000)
        } else response.writeHead(200).write(Buffer.alloc(95 * KB))
      },
      { ...LIMIT, timeMs: 1_500 },
    )
    const large = Array.from({ length: 9 }, (_, i) => world.get(`http://h${i}.large${i}.example/`))
    const small = world.get('http://small.example/small')
    expect(await small).toMatchObject({ state: 'got' })
    const faults = (await Promise.all(large)).map((got) => ('fault' in got ? got.fault : 'got')).sort()
    expect(faults).toEqual(['busy', ...Array.from({ length: 8 }, () => 'timed-out')])
  })
})

test('a body is its chunks, whatever length was said', () => {
  const sizes = fc.array(fc.nat({ max: 200_000 }), { maxLength: 12 })
  fc.assert(
    fc.property(sizes, fc.nat({ max: 3 << 20 }), fc.boolean(), (lengths, lie, honest) => {
      const chunks = lengths.map((length, i) => Buffer.alloc(length, String(i)))
      const all = Buffer.concat(chunks)
      const body = createBody(honest ? all.length : lie)
      for (const chunk of chunks) body.add(chunk)
      expect(body.length).toBe(all.length)
      const { bytes, sha256: hash } = body.end()
      expect(hash).toBe(sha256(all))
      expect(all.equals(bytes)).toBe(true)
      // No more set aside than it fills: the bytes have a block of their own.
      expect(bytes.buffer.byteLength).toBe(all.length)
    }),
    { numRuns: 60 },
  )
})
