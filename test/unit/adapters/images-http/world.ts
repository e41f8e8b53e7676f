// A fetcher whose names are a table and whose connections all end at a real HTTP server on the loopback.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import type { Dial, Place } from '../../../../src/adapters/images-http/dial.ts'
import {
  createHttpFetcher,
  type HttpFetcher,
  type HttpFetcherOptions,
} from '../../../../src/adapters/images-http/fetcher.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface World {
  readonly fetcher: HttpFetcher
  /** Where it connected to, as it believes. */
  readonly dialled: Place[]
  /** Names that were looked up. */
  readonly looked: string[]
  /** `host` and path of each request that the server saw. */
  readonly requests: { readonly host: string; readonly path: string; readonly headers: IncomingMessage['headers'] }[]
  readonly results: string[]
  /** Sockets that the server has open. */
  sockets(): number
  get(url: string, more?: { sha256?: string; until?: AbortSignal }): ReturnType<HttpFetcher['get']>
}

const PUBLIC = '93.184.216.34'

export interface WorldOptions extends Partial<Omit<HttpFetcherOptions, 'resolve' | 'dial'>> {
  /** Addresses of a name; a function may answer otherwise each time, or throw. Without it every name is public. */
  readonly names?: (host: string) => readonly string[] | Promise<readonly string[]>
  /** Instead of a connection to the server. */
  readonly dial?: (place: Place, until: AbortSignal, toServer: Dial) => Promise<net.Socket>
}

export async function createWorld(handler: Handler, options: WorldOptions = {}): Promise<World> {
  const dialled: Place[] = []
  const looked: string[] = []
  const requests: World['requests'][number][] = []
  const results: string[] = []
  const open = new Set<net.Socket>()
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    requests.push({ host: request.headers.host ?? '', path: request.url ?? '', headers: request.headers })
    handler(request, response)
  })
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const toServer: Dial = (_place, until) =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ host: '127.0.0.1', port, signal: until })
      socket.once('connect', () => resolve(socket))
      socket.on('error', reject)
    })
  const { names, dial, ...rest } = options
  const fetcher = createHttpFetcher({
    hosts: undefined,
    ports: [80, 443],
    privateNetworks: [],
    maxBytes: 1 << 20,
    timeMs: 10_000,
    cacheBytes: 8 << 20,
    connections: 64,
    connectionsPerHost: 16,
    logger: pino({ level: 'silent' }),
    onResult: (result) => results.push(result),
    async resolve(host) {
      looked.push(host)
      return names === undefined ? [PUBLIC] : names(host)
    },
    dial(place, until) {
      dialled.push(place)
      return dial === undefined ? toServer(place, until) : dial(place, until, toServer)
    },
    ...rest,
  })
  onTestFinished(async () => {
    await fetcher.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    fetcher,
    dialled,
    looked,
    requests,
    results,
    sockets: () => open.size,
    get: (url, { sha256, until = new AbortController().signal } = {}) =>
      fetcher.get({ url, ...(sha256 === undefined ? {} : { sha256 }) }, until),
  }
}

/** Answers nothing, and fails the test that made it ask. */
export const nothing: Handler = () => {
  throw new Error('no request was expected')
}

/** Until it is true, or the test's own limit. */
export async function eventually(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5))
}

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
