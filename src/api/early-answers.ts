// An answer that goes out before all of its request has come: the rest is read and thrown away, within bounds, so that the client gets to the answer.
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { Api } from './services.ts'

export interface RestBounds {
  /** Of what comes behind the answer. */
  readonly bytes: number
  /** Not where results went out while the body was read: who sends all first may take the whole time of a request for it. */
  readonly milliseconds: number
  /** Nothing came for so long. */
  readonly idleMs: number
}

const LOOK_MS = 100

/**
 * Where a connection ends with the answer and bytes of the request are not read, closing it makes the system answer what
 * still comes with a reset, which takes the answer away from a client that sends before it reads. So the connection is
 * closed in our direction alone, until the client has closed it too, has sent everything, or has reached a bound.
 */
export function readRests(api: Api, bounds: RestBounds): void {
  /** Their last answer is given. */
  const over = new WeakSet<Socket>()

  api.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw
    if (!over.has(socket)) return
    // It said more behind a request that was answered with the end of the connection: nobody would hear what became of it.
    reply.hijack()
    socket.destroy()
  })

  api.addHook('onSend', async (request, reply, payload) => {
    const { raw } = request
    const { socket } = raw
    // What tests inject has no connection.
    if (raw.complete || !(socket instanceof Socket)) return
    // What Node calls when it has given an answer that ends the connection.
    socket.destroySoon = () => {
      if (!raw.complete) over.add(socket)
      socket.end(() => raw.complete && socket.destroy())
    }
    const milliseconds = isStream(payload) ? Infinity : bounds.milliseconds
    reply.raw.once('finish', () => watchRest(raw, { ...bounds, milliseconds }, () => over.has(socket)))
  })
}

const isStream = (payload: unknown): payload is Readable =>
  typeof payload === 'object' && payload !== null && 'pipe' in payload

/** By what the connection counts: of a body that Node throws away itself nobody else is told. */
function watchRest(
  raw: { readonly complete: boolean; readonly socket: Socket },
  { bytes, milliseconds, idleMs }: RestBounds,
  isOver: () => boolean,
): void {
  const { socket } = raw
  const from = socket.bytesRead
  const began = performance.now()
  let last = { read: from, at: began }
  const timer = setInterval(() => {
    const now = performance.now()
    const read = socket.bytesRead
    if (read > last.read) last = { read, at: now }
    const tooMuch = read - from > bytes || now - began > milliseconds || now - last.at > idleMs
    if (!raw.complete && !tooMuch && !socket.destroyed) return
    clearInterval(timer)
    if (!raw.complete || isOver()) socket.destroy()
  }, LOOK_MS).unref()
}
