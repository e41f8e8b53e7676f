// Slow and many bodies of pictures. Real: the server, its sockets and the bounds, with less patience or more; made up: who calls, and the route.
import { once } from 'node:events'
import http from 'node:http'
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import { afterEach, expect, it, vi } from 'vitest'
import { TouchstoneError } from '../../../src/errors.ts'
import { boundUploads } from '../../../src/api/uploads.ts'

/** Who calls is said as role, key and brands. */
const [EVIL, HONEST] = ['brand key-1 evil', 'brand key-2 honest']
const SIZE = 100_000
let server: FastifyInstance
let port: number
let arrived: number

/** One that waits for as long as a test may take, and one that soon has enough. */
const PATIENT = { milliseconds: 60_000, bytesPerSecond: 1, mostMilliseconds: 60_000 }
const HASTY = { milliseconds: 300, bytesPerSecond: SIZE, mostMilliseconds: 60_000 }

async function serve(patience: typeof PATIENT): Promise<void> {
  server = Fastify({ forceCloseConnections: true })
  arrived = 0
  server.decorateRequest('caller', undefined)
  server.setErrorHandler((error: FastifyError, _request, reply) =>
    reply
      .code(error instanceof TouchstoneError ? error.status : (error.statusCode ?? 500))
      .send({ said: String(error) }),
  )
  server.addHook('onRequest', async (request) => {
    arrived++
    const [role, subject = '', ...brandIds] = String(request.headers.authorization).split(' ')
    request.caller = { subject, role: role === 'analyst' ? 'analyst' : 'brand', brandIds }
  })
  boundUploads(server, patience)
  server.addContentTypeParser('image/png', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  server.post('/', (request, reply) => reply.send({ bytes: (request.body as Buffer).length }))
  await server.listen({ port: 0, host: '127.0.0.1' })
  const address = server.server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
}
afterEach(() => server.close())

/** A body that says how long it is and has begun. */
function opened(who: string) {
  const request = http.request({
    port,
    method: 'POST',
    headers: { authorization: who, 'content-type': 'image/png', 'content-length': SIZE },
  })
  const response = once(request, 'response').then(([message]) => message as http.IncomingMessage)
  const answered = response.then(({ statusCode }) => statusCode)
  answered.catch(() => undefined)
  request.on('error', () => undefined)
  request.write('x')
  return { request, response, answered }
}
const whole = async (who: string) => {
  const { request, answered } = opened(who)
  request.end(Buffer.alloc(SIZE - 1))
  return await answered
}
/** Of a whole body: what is answered, and when to try again. */
const answer = async (who: string) => {
  const { request, response } = opened(who)
  request.end(Buffer.alloc(SIZE - 1))
  const { statusCode, headers } = await response
  return { status: statusCode, retryAfter: headers['retry-after'] }
}
/** All have been let in, or not. */
const allHere = (count: number) => vi.waitFor(() => expect(arrived).toBe(count), { timeout: 10_000, interval: 5 })
/** A place is free again as soon as the server has heard of it. */
const letIn = (who: string) =>
  vi.waitFor(async () => expect(await whole(who)).toBe(200), { timeout: 10_000, interval: 20 })
const moment = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

it('many of one caller leave the others their place', async () => {
  await serve(PATIENT)
  const slow = Array.from({ length: 2 }, () => opened(EVIL))
  await allHere(2)
  expect(await whole(EVIL)).toBe(429)
  expect(await whole(HONEST)).toBe(200)
  for (const { request } of slow) request.destroy()
  await letIn(EVIL)
})

it('rights holders together have a bound, and so have the people of the deployment; neither keeps the other out', async () => {
  for (const [many, same, other] of [
    ['brand', HONEST, 'analyst ann'],
    ['analyst', 'analyst ann', HONEST],
  ] as const) {
    await serve(PATIENT)
    const open = Array.from({ length: 6 }, (_, i) => opened(`${many} key-${i} brand-${i}`))
    await allHere(6)
    expect(await answer(same)).toEqual({ status: 503, retryAfter: '5' })
    expect(await answer(other)).toMatchObject({ status: 200 })
    for (const { request } of open) request.destroy()
    await letIn(same)
    await server.close()
  }
})

it('a rights holder has no more places for having more keys, for whichever of its brands', async () => {
  await serve(PATIENT)
  const slow = ['nike', 'nike gap'].map((brands, n) => opened(`brand key-${n} ${brands}`))
  await allHere(2)
  for (const brands of ['nike', 'gap nike', 'nike polo'])
    expect(await answer(`brand key-${brands} ${brands}`)).toEqual({ status: 429, retryAfter: '1' })
  // Of the other brand one place is left, and of no brand a place is counted for what was refused.
  slow.push(opened('brand key-e gap'))
  await allHere(6)
  expect(await whole('brand key-f gap')).toBe(429)
  expect(await whole('brand key-g polo')).toBe(200)
  slow[1]?.request.destroy()
  await letIn('brand key-h gap nike')
  for (const { request } of slow) request.destroy()
})

it('two who hold on to all their places leave some for others', async () => {
  await serve(PATIENT)
  const slow = ['evil', 'evil evil-sub', 'bad', 'bad bad-sub', 'evil', 'bad'].map((brands, n) =>
    opened(`brand key-${n} ${brands}`),
  )
  await allHere(6)
  expect(await whole(HONEST)).toBe(200)
  for (const { request } of slow) request.destroy()
})

it('one who has several brands does not hold all places by two of each', async () => {
  await serve(PATIENT)
  const slow: ReturnType<typeof opened>[] = []
  for (const brand of ['a', 'a', 'b', 'b', 'c', 'c']) {
    slow.push(opened(`brand key-${slow.length} ${brand}`))
    await allHere(slow.length)
  }
  expect(await Promise.all([slow[3]?.answered, slow[5]?.answered])).toEqual([429, 429])
  const two = ['d', 'e'].map((brand) => opened(`brand key-${brand} ${brand}`))
  await allHere(8)
  expect(await answer('brand key-f f')).toEqual({ status: 503, retryAfter: '5' })
  for (const { request } of [...slow, ...two]) request.destroy()
})

it('no body of a rights holder takes longer than a bound, however fast it comes; those of others may', async () => {
  await serve({ milliseconds: 50, bytesPerSecond: 1, mostMilliseconds: 300 })
  const steady = (who: string) => {
    const { request, answered } = opened(who)
    const drip = setInterval(() => request.write(Buffer.alloc(100)), 20)
    const stop = () => clearInterval(drip)
    answered.then(stop, stop)
    return { request, answered }
  }
  const [own, other] = [steady(EVIL), steady('analyst ann')]
  expect(await own.answered).toBe(408)
  expect(await Promise.race([other.answered, moment(100)])).toBe(undefined)
  other.request.destroy()
  await expect(other.answered).rejects.toThrow('socket hang up')
})

it('one that comes too slowly is ended with an answer, and gives its place back', async () => {
  await serve(HASTY)
  const slow = Array.from({ length: 2 }, () => opened(EVIL))
  expect(await Promise.all(slow.map(({ answered }) => answered))).toEqual([408, 408])
  await letIn(EVIL)
})

it('one that comes fast enough may take longer than patience', async () => {
  await serve(HASTY)
  const { request, answered } = opened('brand key-3 slow')
  request.write(Buffer.alloc(SIZE - 2))
  await moment(450)
  request.end('x')
  expect(await answered).toBe(200)
})

it('a body that is answered before anybody reads it harms nobody: of a type or length that is not taken, slow, broken off', async () => {
  const uncaught: unknown[] = []
  const note = (error: unknown) => void uncaught.push(error)
  process.on('uncaughtException', note)
  try {
    await serve(HASTY)
    const sent = ['application/pdf', 'image/png'].flatMap((type) =>
      ['rest', 'stall', 'hang up'].map(async (then) => {
        const request = http.request({
          port,
          method: 'POST',
          // More than Fastify takes where nothing else is said.
          headers: { authorization: `brand ${type} ${then}`, 'content-type': type, 'content-length': 3 << 20 },
        })
        request.on('error', () => undefined)
        const answered = once(request, 'response')
        request.write(Buffer.alloc(2_000))
        const [message] = (await answered) as [http.IncomingMessage]
        if (then === 'rest') request.end(Buffer.alloc((3 << 20) - 2_000))
        else if (then === 'hang up') request.destroy()
        return message.statusCode
      }),
    )
    expect(await Promise.all(sent)).toEqual([415, 415, 415, 413, 413, 413])
    // Longer than anybody is waited for.
    await moment(3 * HASTY.milliseconds)
    expect(uncaught).toEqual([])
    await letIn(HONEST)
  } finally {
    process.off('uncaughtException', note)
  }
})
