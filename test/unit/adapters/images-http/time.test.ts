// Real: HTTP between the fetcher and a server on the loopback; names and connector are a table. Hosts that take their time or fail.
import { describe, expect, test } from 'vitest'
import { createWorld, eventually, nothing } from './world.ts'

const URL_A = 'https://pictures.example/a.jpg?key=secret'
const KB = 1 << 10

describe('time is counted in all', () => {
  const EARLY = 'HTTP/1.1 103 Early Hints\r\n\r\n'
  test.each([
    ['says nothing', '', ''],
    ['drips its header', 'HTTP/1.1 200 OK\r\n', 'x'],
    ['drips its body', 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n', 'x'],
    ['says for ever that it will say something', EARLY, EARLY],
  ])('a host that %s', async (_, begin, then) => {
    const world = await createWorld(
      (_, { socket }) => {
        socket?.write(begin)
        const drip = setInterval(() => socket?.write(then), 50)
        socket?.on('close', () => clearInterval(drip))
      },
      { timeMs: 400 },
    )
    const begun = performance.now()
    expect(await world.get(URL_A)).toMatchObject({ fault: 'timed-out' })
    expect(performance.now() - begun).toBeLessThan(3_000)
    await eventually(() => world.sockets() === 0)
  })

  test('a drip that would outlast any picture is ended long before its time is up', async () => {
    const world = await createWorld(
      (_, response) => {
        response.write('x')
        const drip = setInterval(() => response.write('x'.repeat(50)), 50)
        response.on('close', () => clearInterval(drip))
      },
      { timeMs: 60_000 },
    )
    const begun = performance.now()
    expect(await world.get(URL_A)).toMatchObject({
      fault: 'timed-out',
      message: expect.stringContaining('bytes a second'),
    })
    expect(performance.now() - begun).toBeLessThan(10_000)
  })

  test('a slow picture that moves on is waited for', async () => {
    const world = await createWorld((_, response) => {
      let left = 14
      const drip = setInterval(
        () => (left-- > 0 ? response.write(Buffer.alloc(KB)) : (clearInterval(drip), response.end())),
        200,
      )
    })
    expect(await world.get(URL_A)).toMatchObject({ state: 'got' })
  })

  test('redirects share one clock', async () => {
    const world = await createWorld(
      (request, response) => void setTimeout(() => response.writeHead(302, { location: `${request.url}1` }).end(), 250),
      { timeMs: 600 },
    )
    expect(await world.get(URL_A)).toMatchObject({ fault: 'timed-out' })
    expect(world.requests.length).toBeLessThanOrEqual(3)
  })
})

describe('names and connections that fail', () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(`query${code} secret.internal`), { code })
  }
  test.each([
    ['ENOTFOUND', 'unreachable'],
    ['ENODATA', 'unreachable'],
    ['ESERVFAIL', 'unreachable'],
    ['ETIMEOUT', 'timed-out'],
  ])('a name server says %s', async (code, fault) => {
    const world = await createWorld(nothing, { names: failing(code) })
    const got = await world.get(URL_A)
    expect(got).toMatchObject({ fault })
    expect(JSON.stringify(got)).not.toContain('secret')
  })

  test.each([
    ['ECONNREFUSED', 'unreachable'],
    ['EHOSTUNREACH', 'unreachable'],
    ['CERT_HAS_EXPIRED', 'unreachable'],
    ['ETIMEDOUT', 'timed-out'],
  ])('a connection ends with %s', async (code, fault) => {
    const world = await createWorld(nothing, { dial: () => Promise.resolve().then(failing(code)) })
    expect(await world.get(URL_A)).toMatchObject({ fault })
  })

  test('a name or a connection that never answers costs its time and no more', async () => {
    const never = new Promise<never>(() => undefined)
    const names = await createWorld(nothing, { names: () => never, timeMs: 100 })
    expect(await names.get(URL_A)).toMatchObject({ fault: 'timed-out' })
    const dial = await createWorld(nothing, { dial: () => never, timeMs: 100 })
    expect(await dial.get(URL_A)).toMatchObject({ fault: 'timed-out' })
  })
})
