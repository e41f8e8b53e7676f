// Answers to NDJSON: written while the body is read, bounded in memory, honest about where they end. Real: the server and its parser.
import { PassThrough, type Readable } from 'node:stream'
import { setImmediate as tick, setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAnswerRoom } from '../../../src/api/answer-stream.ts'
import type { Api } from '../../../src/api/services.ts'
import { createTurns } from '../../../src/api/turns.ts'
import { TouchstoneError } from '../../../src/errors.ts'
import { LISTING, memoryApi, memoryWorld, type MemoryWorld } from './memory-ports.ts'

let api: Api
let world: MemoryWorld
let ingest: Record<string, string>
beforeEach(async () => {
  const { limits } = memoryWorld().dependencies
  ;({ api, world } = await memoryApi({ limits: { ...limits, ndjsonLines: 20_000 } }))
  ingest = (await world.key('ingest')).headers
})
afterEach(() => api.close())

const post = (payload: string) =>
  api.inject({
    method: 'POST',
    url: '/v1/listings',
    payload,
    headers: { ...ingest, 'content-type': 'application/x-ndjson' },
  })
const linesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ ...LISTING, listingId: `L-${i}` })).join('\n')
const resultsOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('an answer to many listings', () => {
  it('comes in parts, each when its batch is durable, and has one result a line', async () => {
    await api.listen({ port: 0, host: '127.0.0.1' })
    const { port } = api.server.address() as { port: number }
    const seen = Promise.withResolvers<void>()
    let appends = 0
    world.beforeAppend = () => (++appends === 1 ? Promise.resolve() : seen.promise)
    const response = await fetch(`http://127.0.0.1:${port}/v1/listings`, {
      method: 'POST',
      body: linesOf(1_200),
      headers: { ...ingest, 'content-type': 'application/x-ndjson' },
    })
    expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/)
    const reader = response.body?.getReader()
    const first = Buffer.from((await reader?.read())?.value ?? []).toString()
    expect(resultsOf(first.slice(0, first.lastIndexOf('\n')))[0]).toMatchObject({ line: 1, status: 202 })
    expect(world.records).toHaveLength(500)
    seen.resolve()
    let rest = first
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read())
      rest += Buffer.from(read.value).toString()
    expect(resultsOf(rest).map((r) => r['line'])).toEqual(Array.from({ length: 1_200 }, (_, i) => i + 1))
  })

  it('that had begun when a limit was hit ends with a line that says so, and with what was taken', async () => {
    await api.close()
    ;({ api, world } = await memoryApi())
    ingest = (await world.key('ingest')).headers
    const response = await post(linesOf(1_001))
    expect(response.statusCode).toBe(200)
    const results = resultsOf(response.payload)
    expect(results.slice(0, -1).map((r) => r['line'])).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1))
    expect(results.at(-1)).toMatchObject({ status: 413, code: 'too-large', lines: 1_000 })
    expect(results.at(-1)).not.toHaveProperty('line')
    expect(world.records).toHaveLength(1_000)
  })

  it.each([
    [new TouchstoneError('database-unavailable', 'secret host'), 503, 'database-unavailable'],
    [new Error('secret host'), 500, 'internal'],
  ])('says how far it came when the log fails: %s', async (failure, status, code) => {
    let appends = 0
    let fails = 1
    world.beforeAppend = () => (++appends === fails ? Promise.reject(failure) : Promise.resolve())
    const first = await post(linesOf(1_200))
    expect(first.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect([first.statusCode, first.json()]).toMatchObject([status, { code, lines: 0 }])
    expect(world.records).toHaveLength(0)

    fails = appends + 2
    const second = await post(linesOf(1_200))
    expect(second.statusCode).toBe(200)
    const results = resultsOf(second.payload)
    expect(results).toHaveLength(501)
    expect(results.at(-1)).toMatchObject({ status, code, lines: 500 })
    expect(second.payload).not.toContain('secret')
    expect(world.records).toHaveLength(500)
  })

  it('leaves the event loop to others, also when every line is refused', async () => {
    let passes = 0
    let done = false
    const count = (async () => {
      for (; !done; passes += 1) await tick()
    })()
    const response = await post('0\n'.repeat(20_000))
    done = true
    await count
    expect(resultsOf(response.payload)).toHaveLength(20_000)
    expect(passes).toBeGreaterThan(4)
  })
})

describe('answers that nobody fetches', () => {
  const PART = 'x'.repeat(64 << 10)
  function replyTo() {
    const sent: { stream?: Readable } = {}
    const reply = { code: () => reply, header: () => reply, send: (stream: Readable) => void (sent.stream = stream) }
    return { sent, reply: reply as unknown as FastifyReply }
  }
  const open = (room: ReturnType<typeof createAnswerRoom>) => {
    const { sent, reply } = replyTo()
    return { sent, answer: room.open(reply, 'text/plain') }
  }
  const settled = async (work: Promise<void>) =>
    Promise.race([work.then(() => 'written'), sleep(50).then(() => 'waits')])

  it('hold no more than all may hold together, and go on as they are fetched', async () => {
    const room = createAnswerRoom({ sharedBytes: 256 << 10, stallMs: 60_000 })
    const [one, two] = [open(room), open(room)]
    for (let i = 0; i < 2; i += 1) {
      expect(await settled(one.answer.write(PART))).toBe('written')
      expect(await settled(two.answer.write(PART))).toBe('written')
    }
    const more = one.answer.write(PART)
    expect(await settled(more)).toBe('waits')
    expect(room.held()).toBeLessThanOrEqual(384 << 10)
    const fetched = new PassThrough().resume()
    one.sent.stream?.pipe(fetched)
    await more
    one.answer.end(PART)
    two.sent.stream?.destroy()
    while (room.held() > 0) await tick()
  })

  it('are cut off when nothing is taken for long', async () => {
    const room = createAnswerRoom({ sharedBytes: 0, stallMs: 20 })
    const { sent, answer } = open(room)
    await expect(answer.write(PART + PART)).rejects.toThrow('the client is gone')
    expect([answer.gone, sent.stream?.destroyed, room.held()]).toEqual([true, true, 0])
  })
})

it('turns are given one in each pass of the event loop, in the order in which they were asked for', async () => {
  const turns = createTurns()
  let pass = 0
  let done = false
  const count = (async () => {
    for (; !done; pass += 1) await tick()
  })()
  const taken = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      await turns.next()
      return [name, pass] as const
    }),
  )
  done = true
  await count
  expect(taken.map(([name]) => name)).toEqual(['a', 'b', 'c'])
  expect(new Set(taken.map(([, at]) => at)).size).toBe(3)
})
