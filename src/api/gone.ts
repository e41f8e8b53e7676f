// Tells a waiting request that its caller hung up.
import type { FastifyReply } from 'fastify'

/** Aborts when the connection closes, which it also does after the answer: nobody listens then. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return gone.signal
}
