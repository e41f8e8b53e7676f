// Slow and many bodies of pictures. Real: the server, its sockets and the bounds, with less patience; made up: who calls, and the route.
import { once } from 'node:events'
import http from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Caller } from '../../../src/domain/access.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import { boundUploads } from '../../../src/api/uploads.ts'

const SIZE = 100_000
let server: FastifyInstance
let port: number

beforeEach(async () => {
  server = Fastify()
  server.decorateRequest('caller', undefined)
  server.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof TouchstoneError ? error.status : 500).send({ said: String(error) }),
  )
  server.addHook('onRequest', async (request) => {
    const subject = String(request.headers.authorization)
    const caller: Caller = { subject, role: 'brand', brandIds: ['nike'] }
    request.caller = caller
  })
  boundUploads(server, { milliseconds: 300, bytesPerSecond: SIZE })
  server.addContentTypeParser('image/png', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  server.post('/', (request, reply) => reply.send({ bytes: (request.body as Buffer).length }))
  await server.listen({ port: 0, host: '127.0.0.1' })
  const address = server.server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterEach(() => server.close())

/** A body that says how long it is and has begun. */
function opened(who: string) {
  const request = http.request({
    port,
    method: 'POST',
    headers: { authorization: who, 'content-type': 'image/png', 'content-length': SIZE },
  })
  const answered = once(request, 'response').then(([response]: http.IncomingMessage[]) => response?.statusCode)
  answered.catch(() => undefined)
  request.on('error', () => undefined)
  request.write('x')
  return { request, answered }
}
const whole = async (who: string) => {
  const { request, answered } = opened(who)
  request.end(Buffer.alloc(SIZE - 1))
  return await answered
}
const moment = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

it('many of one caller leave the others their place', async () => {
  const slow = Array.from({ length: 3 }, () => opened('evil'))
  await moment(50)
  expect(await whole('evil')).toBe(429)
  expect(await whole('honest')).toBe(200)
  for (const { request } of slow) request.destroy()
  await moment(50)
  expect(await whole('evil')).toBe(200)
})

it('all together have a bound', async () => {
  const open = Array.from({ length: 12 }, (_, i) => opened(`caller-${i}`))
  await moment(50)
  expect(await whole('honest')).toBe(503)
  for (const { request } of open) request.destroy()
})

it('one that comes too slowly is ended with an answer, and gives its place back', async () => {
  const slow = Array.from({ length: 3 }, () => opened('evil'))
  expect(await Promise.all(slow.map(({ answered }) => answered))).toEqual([408, 408, 408])
  await moment(50)
  expect(await whole('evil')).toBe(200)
})

it('one that comes fast enough may take longer than patience', async () => {
  const { request, answered } = opened('slow line')
  request.write(Buffer.alloc(SIZE - 2))
  await moment(450)
  request.end('x')
  expect(await answered).toBe(200)
})
