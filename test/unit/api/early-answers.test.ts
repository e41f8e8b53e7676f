// Answers that come before all of a request. Real: the server, sockets on loopback, Node's own fetch in a process of its own; in memory: the log and the store.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { promisify } from 'node:util'
import Fastify, { type FastifyBaseLogger } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { expect, it, onTestFinished } from 'vitest'
import { readRests, type RestBounds } from '../../../src/api/early-answers.ts'
import type { Api } from '../../../src/api/services.ts'
import { LISTING, memoryApi, silent } from './memory-ports.ts'

const portOf = (server: Server) => (server.address() as AddressInfo).port

async function gate() {
  const { api, world } = await memoryApi()
  await api.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => api.close())
  const { authorization } = (await world.key('ingest')).headers
  return { server: api.server, world, authorization }
}

/** What is said on a connection, as it comes; `closed` when the server has closed its side for good. */
function talk(server: Server) {
  const closed = once(server, 'connection').then(([accepted]) => once(accepted as Socket, 'close'))
  // Goes on sending when it is told that there is no more to read.
  const socket = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
  let said = ''
  const errors: Error[] = []
  socket.on('data', (bytes: Buffer) => (said += bytes.toString()))
  socket.on('error', (error) => errors.push(error))
  onTestFinished(() => void socket.destroy())
  const until = (words: string) => expect.poll(() => said, { timeout: 10_000, interval: 5 }).toContain(words)
  return { socket, until, closed, errors, said: () => said }
}

it.each(['application/json', 'application/x-ndjson'])(
  "a body over the limit is 413 for Node's own fetch, whole or in pieces: %s",
  async (type) => {
    const { server, authorization } = await gate()
    const script = `
      const said = []
      const pieces = Array.from({ length: 100 }, () => Buffer.alloc(1 << 16, 'x'))
      for (let i = 0; i < 10; i++) for (const body of [Buffer.concat(pieces), ReadableStream.from(pieces)]) {
        const sent = fetch('http://127.0.0.1:${portOf(server)}/v1/listings', {
          method: 'POST', duplex: 'half', body, headers: { authorization: '${authorization}', 'content-type': '${type}' },
        })
        said.push(await sent.then(async (answer) => (await answer.json()).status, (error) => String(error.cause)))
      }
      console.log(JSON.stringify(said))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    expect(JSON.parse(stdout)).toEqual(Array.from({ length: 20 }, () => 413))
  },
  30_000,
)

const head = (authorization: string, length: number) =>
  `POST /v1/listings HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${length}\r\n\r\n`

it('who sends everything before it reads gets the answer, and the connection ends behind it', async () => {
  const { server, authorization } = await gate()
  const { socket, until, closed, errors, said } = talk(server)
  const ended = once(socket, 'end')
  const [pieces, piece] = [100, Buffer.alloc(1 << 16, 'x')]
  socket.pause()
  socket.write(head(authorization, pieces * piece.length))
  // Each when the one before has gone: most of it long after the answer.
  for (let i = 0; i < pieces; i++) await new Promise((done) => socket.write(piece, done))
  socket.resume()
  await until('"code":"too-large"')
  expect(said()).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/i)
  await ended
  // In the other direction too, although this side never said that it is done.
  await closed
  expect(errors).toEqual([])
})

it('what is sent behind such a request is not another one', async () => {
  const { server, authorization, world } = await gate()
  const { socket, until, closed } = talk(server)
  socket.write(head(authorization, 20_000))
  await until('"code":"too-large"')
  const listing = JSON.stringify(LISTING)
  socket.write(Buffer.alloc(20_000, 'x').toString() + head(authorization, listing.length) + listing)
  await closed
  expect(world.records).toEqual([])
})

/** Refuses everybody before it reads, with an answer that ends the connection or does not. */
async function refusing(bounds: RestBounds, connection: 'close' | 'keep-alive') {
  const loggerInstance: FastifyBaseLogger = silent
  const server: Api = Fastify({ loggerInstance }).withTypeProvider<ZodTypeProvider>()
  readRests(server, bounds)
  server.addHook('onRequest', async (_request, reply) => {
    await reply.header('connection', connection).code(401).send({ said: 'no' })
  })
  server.post('/', async () => 'yes')
  await server.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => server.close())
  const talking = talk(server.server)
  talking.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n')
  await talking.until('{"said":"no"}')
  return talking
}
const WIDE = { bytes: 1 << 30, milliseconds: 60_000, idleMs: 60_000 }
const PIECE = `10000\r\n${'x'.repeat(1 << 16)}\r\n`

/** One piece after another, until the connection is cut; how many bytes went. */
async function endless({ socket }: ReturnType<typeof talk>, pauseMs: number, mostBytes: number): Promise<number> {
  let sent = 0
  while (!socket.destroyed && sent < mostBytes) {
    socket.write(PIECE)
    sent += PIECE.length
    await new Promise((done) => setTimeout(done, pauseMs))
  }
  return sent
}

it.each(['close', 'keep-alive'] as const)(
  'the rest has bounds: of bytes, of time, and of time in which nothing comes (%s)',
  async (connection) => {
    const most = 64 << 20
    const many = await refusing({ ...WIDE, bytes: 1 << 20 }, connection)
    expect(await endless(many, 1, most)).toBeLessThan(most)
    const steady = await refusing({ ...WIDE, milliseconds: 200 }, connection)
    expect(await endless(steady, 20, most)).toBeLessThan(most)
    const silentOne = await refusing({ ...WIDE, idleMs: 50 }, connection)
    await silentOne.closed
    const { errors, said } = silentOne
    expect([errors, said()]).toEqual([[], expect.stringContaining('401')])
  },
  20_000,
)

it('an answer that leaves the connection open leaves it open for the next request', async () => {
  const { socket, until, errors, said } = await refusing(WIDE, 'keep-alive')
  socket.write(`${PIECE}0\r\n\r\n`)
  socket.write('POST /again HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  await until('{"said":"no"}HTTP/1.1 401')
  expect([errors, said().match(/HTTP\/1.1 401/g)?.length]).toEqual([[], 2])
})
