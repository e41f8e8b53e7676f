// A caller that hangs up while it sends listings. Real: the server, sockets on loopback, what the log in PostgreSQL makes of
// errors, the logger; in memory: the log and the store.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { pino } from 'pino'
import { expect, it, vi } from 'vitest'
import { explained } from '../../../src/adapters/postgres-log/connection.ts'
import { LISTING, memoryApi } from './memory-ports.ts'

const WARN = 40

async function server() {
  const lines: { level: number; msg: string; code?: string }[] = []
  const write = (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number])
  const { api, world } = await memoryApi({ log: pino({ level: 'debug' }, { write }), explained })
  await api.listen({ port: 0, host: '127.0.0.1' })
  const { port } = api.server.address() as { port: number }
  const headers = (await world.key('ingest')).headers
  return { api, world, port, lines, authorization: headers.authorization }
}

it.each([
  ['one listing', 'application/json'],
  ['many', 'application/x-ndjson'],
])('is no failure of a database: of %s nobody is warned', async (_, type) => {
  const { api, world, port, lines, authorization } = await server()
  try {
    const socket = connect(port, '127.0.0.1')
    const body = `${JSON.stringify(LISTING)}\n{"listingId`
    socket.write(
      `POST /v1/listings HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: ${type}\r\n` +
        `Content-Length: ${body.length + 1_000}\r\n\r\n${body}`,
    )
    const [request] = (await once(api.server, 'request')) as [IncomingMessage]
    await vi.waitFor(() => expect(request.listenerCount('data') + request.listenerCount('readable')).toBeGreaterThan(0))
    socket.resetAndDestroy()
    await vi.waitFor(() => expect(lines.map((line) => line.msg)).toContain('the caller hung up while sending'))
    expect(lines.filter((line) => line.level >= WARN)).toEqual([])
    expect(world.records).toEqual([])
  } finally {
    await api.close()
  }
})

it('but a database that cannot be reached is told of, although its error has the same code', async () => {
  const { api, world, port, lines, authorization } = await server()
  try {
    world.beforeAppend = () => Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    const answer = await fetch(`http://127.0.0.1:${port}/v1/listings`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(LISTING),
    })
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'database-unavailable' }),
    ])
    expect(lines.filter((line) => line.level >= WARN)).toMatchObject([{ code: 'database-unavailable' }])
  } finally {
    await api.close()
  }
})
