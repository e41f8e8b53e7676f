// Real: HTTP between the fetcher and a server on the loopback; names, connector and the breaker's clock are ours. Many hosts at once.
import { describe, expect, test } from 'vitest'
import { createHeldBytes } from '../../../../src/adapters/images-http/held-bytes.ts'
import { createTurns } from '../../../../src/adapters/images-http/turns.ts'
import { createWorld, eventually } from './world.ts'

describe('a host that is silent', () => {
  test('three times in a row is left alone, and one request finds it alive again for all that wait for it', async () => {
    let now = 0
    let alive = false
    const world = await createWorld((_, response) => void setTimeout(() => response.end('picture'), 30), {
      now: () => now,
      dial: (place, until, toServer) =>
        alive ? toServer(place, until) : Promise.reject(Object.assign(new Error('silent'), { code: 'ETIMEDOUT' })),
    })
    const get = (i: number | string) => world.get(`https://dead.example/${i}?key=secret`)
    for (let i = 0; i < 3; i += 1) expect(await get(i)).toMatchObject({ fault: 'timed-out' })
    const refused = await get('at once')
    expect(refused).toMatchObject({ fault: 'unreachable', message: expect.stringContaining('again in about 15 s') })
    expect(JSON.stringify(refused)).not.toContain('secret')
    // The fourth was our own question.
    expect(world.dialled).toHaveLength(4)
    // Other hosts are not its business.
    alive = true
    expect(await world.get('https://alive.example/')).toMatchObject({ state: 'got' })
    alive = false

    now = 15_001
    const probes = await Promise.all([get('p1'), get('p2'), get('p3')])
    expect(probes.every((got) => got.state === 'unseen')).toBe(true)
    expect(world.dialled.filter((place) => place.host === 'dead.example')).toHaveLength(4 + 2)

    // The second rest is twice as long.
    now = 15_001 + 29_000
    alive = true
    expect(await get('too early')).toMatchObject({ fault: 'unreachable' })
    now = 15_001 + 30_001
    const probing = await Promise.all([get('q1'), get('q2'), get('q3')])
    expect(probing.map((got) => got.state)).toEqual(['got', 'got', 'got'])
  })

  test('is one that says nothing until the time is up, also where the listing ended sooner', async () => {
    const world = await createWorld(() => undefined, { timeMs: 20_000 })
    const listing = () => AbortSignal.timeout(1_100)
    await Promise.all([1, 2, 3].map((i) => world.get(`https://slow.example/${i}`, { until: listing() })))
    const begun = performance.now()
    expect(await world.get('https://slow.example/4')).toMatchObject({ fault: 'unreachable' })
    expect(performance.now() - begun).toBeLessThan(5_000)
  })

  test('is not one that answers with errors, or slowly, or refuses an address', async () => {
    const world = await createWorld(
      (request, response) => {
        if (request.url === '/error') response.writeHead(500).end()
        else if (request.url === '/picture') response.end('picture')
        else response.write('x')
      },
      { timeMs: 100, names: (host) => (host === 'bad.example' ? ['127.0.0.1'] : ['1.1.1.1']) },
    )
    for (let i = 0; i < 4; i += 1) {
      expect(await world.get('https://a.example/error')).toMatchObject({ fault: 'unreachable' })
      expect(await world.get('https://a.example/drip')).toMatchObject({ fault: 'timed-out' })
      expect(await world.get('https://bad.example/')).toMatchObject({ fault: 'address-refused' })
    }
    expect(await world.get('https://a.example/picture')).toMatchObject({ state: 'got' })
  })
})

describe('an honest host of which a seller names what does not answer', () => {
  const world = (code: string) =>
    createWorld((_, response) => void response.end('picture'), {
      dial: (place, until, toServer) =>
        place.port === 443 ? Promise.reject(Object.assign(new Error(code), { code })) : toServer(place, until),
    })

  test.each(['ETIMEDOUT', 'ECONNREFUSED'])('%s at one port says nothing of the other', async (code) => {
    const { get, dialled } = await world(code)
    for (let i = 0; i < 3; i += 1) expect(await get(`https://shop.example/${i}`)).toMatchObject({ state: 'unseen' })
    // Of the fourth, three silences and one question that was not answered; refusals are asked every time.
    expect(await get('https://shop.example/4')).toMatchObject({
      message: expect.stringContaining(code === 'ETIMEDOUT' ? 'has not answered of late' : 'refused'),
    })
    expect(dialled).toHaveLength(4)
    expect(await get('http://shop.example/honest')).toMatchObject({ state: 'got' })
  })

  test('what is refused at once costs no time, so it is asked every time', async () => {
    const { get, dialled } = await world('ECONNREFUSED')
    for (let i = 0; i < 5; i += 1)
      expect(await get(`https://shop.example/${i}`)).toMatchObject({
        message: expect.stringContaining('the connection was refused'),
      })
    expect(dialled).toHaveLength(5)
  })
})

describe('an honest host of which some paths are silent', () => {
  test('is asked for all others, also when nobody got anything from it yet: its root answers', async () => {
    const world = await createWorld(
      (request, response) => {
        if (request.url?.startsWith('/silent') !== true) response.writeHead(request.url === '/' ? 404 : 200).end('x')
      },
      { timeMs: 200, connectionsPerHost: 64 },
    )
    const silent = (i: number) => world.get(`https://shop.example/silent/${i}`)
    for (let i = 0; i < 4; i += 1) expect(await silent(i)).toMatchObject({ fault: 'timed-out' })
    await Promise.all(Array.from({ length: 20 }, (_, i) => silent(100 + i)))
    expect(await world.get('https://shop.example/honest')).toMatchObject({ state: 'got' })
    // However many are silent, the questions are few.
    const questions = world.requests.filter(({ path }) => path === '/').length
    expect(questions).toBeGreaterThan(0)
    expect(questions).toBeLessThan(8)
  })

  test('and one that is silent at its root too, as to its pictures, is found again by a picture', async () => {
    let now = 0
    let alive = false
    const world = await createWorld(
      (request, response) => void (alive && request.url !== '/' && response.end('picture')),
      { timeMs: 100, now: () => now },
    )
    for (let i = 0; i < 3; i += 1) await world.get(`https://shop.example/${i}`, { until: AbortSignal.timeout(1_100) })
    const after = await world.get('https://shop.example/after')
    expect(after.state).toBe('unseen')
    alive = true
    now = 15_001
    expect(await world.get('https://shop.example/again')).toMatchObject({ state: 'got' })
  })
})

describe('turns', () => {
  const never = new AbortController().signal

  test('500 that wait for a dead host do not hold up another', async () => {
    const world = await createWorld((request, response) => {
      if (!request.headers.host?.startsWith('dead')) response.end('picture')
    })
    const leave = new AbortController()
    const waiting = Array.from({ length: 500 }, (_, i) =>
      world.get(`https://dead.example/${i}`, { until: leave.signal }),
    )
    await eventually(() => world.requests.length === 16)
    const begun = performance.now()
    const others = await Promise.all(
      Array.from({ length: 100 }, (_, i) => world.get(`https://h${i % 10}.other${i % 7}.example/${i}`)),
    )
    expect(others.every((got) => got.state === 'got')).toBe(true)
    expect(performance.now() - begun).toBeLessThan(5_000)
    // Never more than its share, also now.
    expect(world.requests.filter((r) => r.host === 'dead.example')).toHaveLength(16)
    leave.abort()
    const faults = (await Promise.all(waiting)).map((got) => ('fault' in got ? got.fault : 'got'))
    expect(faults.filter((fault) => fault === 'timed-out')).toHaveLength(16)
    expect(faults.filter((fault) => fault === 'busy')).toHaveLength(484)
    await eventually(() => world.fetcher.pending() === 0 && world.sockets() <= 71)
  })

  test('hosts take turns whatever each has waiting', async () => {
    const turns = createTurns({ total: 1, perHost: 1 })
    const order: string[] = []
    const take = async (host: string) => {
      const done = await turns.take(host, never)
      order.push(host)
      await Promise.resolve()
      done?.()
    }
    const all = [
      ...Array.from({ length: 50 }, () => 'a.one.example'),
      'b.one.example',
      'c.two.example',
      'd.three.example',
    ]
    const first = await turns.take('first.example', never)
    const taken = all.map(take)
    first?.()
    await Promise.all(taken)
    expect(order.slice(0, 5)).toEqual([
      'a.one.example',
      'c.two.example',
      'd.three.example',
      'b.one.example',
      'a.one.example',
    ])
    expect(order).toHaveLength(all.length)
    expect([turns.running, turns.waiting]).toEqual([0, 0])
  })

  test('endless names below one, or bare addresses, have half of all turns together', async () => {
    const turns = createTurns({ total: 10, perHost: 3 })
    for (let i = 0; i < 100; i += 1) {
      void turns.take(`h${i}.evil.example`, never)
      void turns.take(`1.1.1.${i}`, never)
    }
    expect(turns.running).toBe(10)
    const fair = createTurns({ total: 10, perHost: 3 })
    for (let i = 0; i < 100; i += 1) void fair.take(`h${i}.evil.example`, never)
    for (let i = 0; i < 100; i += 1) void fair.take(i % 2 === 0 ? `1.1.1.${i}` : `2606::${i}`, never)
    expect(fair.running).toBe(10)
    const half = createTurns({ total: 10, perHost: 3 })
    for (let i = 0; i < 100; i += 1) void half.take(`h${i}.evil.co.uk`, never)
    expect(half.running).toBe(5)
    for (let i = 0; i < 100; i += 1) void half.take('one.honest.co.uk', never)
    expect(half.running).toBe(8)
  })

  test('who leaves while waiting is gone, who gives back twice gives back once', async () => {
    const turns = createTurns({ total: 1, perHost: 1 })
    const done = await turns.take('a', never)
    const leave = new AbortController()
    const waiting = turns.take('a', leave.signal)
    const next = turns.take('b', never)
    leave.abort()
    expect(await waiting).toBeUndefined()
    expect(turns.waiting).toBe(1)
    done?.()
    done?.()
    const second = await next
    expect(turns.running).toBe(1)
    expect(await turns.take('c', AbortSignal.abort())).toBeUndefined()
    second?.()
    expect([turns.running, turns.waiting]).toEqual([0, 0])
  })
})

describe('the end of a listing, and of the gate, frees everything', () => {
  test('whatever it was doing: looking up, connecting, sending, reading', async () => {
    const late: { destroyed: boolean }[] = []
    const world = await createWorld((request, response) => void (request.url === '/body' && response.write('x')), {
      names: (host) => (host === 'name.example' ? new Promise<never>(() => undefined) : ['1.1.1.1']),
      // A connector that does not listen: its socket comes when nobody wants it any more.
      dial: async (place, _until, toServer) => {
        if (place.host === 'connect.example') await new Promise((resolve) => setTimeout(resolve, 100))
        const socket = await toServer(place, new AbortController().signal)
        if (place.host === 'connect.example') late.push(socket)
        return socket
      },
    })
    const listing = new AbortController()
    const all = ['name.example/', 'connect.example/', 'silent.example/', 'reading.example/body'].map((to) =>
      world.get(`https://${to}`, { until: listing.signal }),
    )
    await eventually(() => world.requests.length === 2)
    listing.abort()
    expect(await Promise.all(all)).toMatchObject([1, 2, 3, 4].map(() => ({ fault: 'timed-out' })))
    await eventually(() => late.length === 1 && late[0]?.destroyed === true && world.sockets() === 0)
    expect(world.fetcher.pending()).toBe(0)
  })

  test('a listing whose time is up asks nothing', async () => {
    const world = await createWorld(() => undefined)
    expect(await world.get('https://a.example/', { until: AbortSignal.abort() })).toMatchObject({ fault: 'busy' })
    expect(world.looked).toEqual([])
  })

  test('close ends what runs and what is kept, and nothing begins after it', async () => {
    const world = await createWorld((request, response) => void (request.url === '/' && response.end('picture')))
    await world.get('https://kept.example/')
    const running = world.get('https://running.example/never')
    await eventually(() => world.requests.length === 2)
    expect(world.sockets()).toBe(2)
    await world.fetcher.close()
    expect(await running).toMatchObject({ fault: 'busy' })
    expect(await world.get('https://kept.example/')).toMatchObject({ fault: 'busy' })
    await eventually(() => world.sockets() === 0)
    expect(world.requests).toHaveLength(2)
  })
})

test('of pictures on their way the largest gives way, and what it held is free again', () => {
  const held = createHeldBytes(100)
  const ended: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map((name) => held.open(() => ended.push(name)))
  a?.add(60)
  b?.add(30)
  c?.add(20)
  expect(ended).toEqual(['a'])
  expect(held.total).toBe(50)
  a?.add(1_000)
  a?.close()
  expect(held.total).toBe(50)
  b?.close()
  c?.close()
  expect(held.total).toBe(0)
})
