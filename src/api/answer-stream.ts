// The answer to NDJSON while it comes to be: results go out as they are durable, and what nobody fetches is bounded.
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

export interface AnswerLimits {
  /**
   * Bytes of answers that may wait in memory, of all requests together. Below it a request goes on whether its answer is
   * fetched or not: many clients look at the answer only when they have sent everything, and would else wait for us while
   * we wait for them.
   */
  readonly sharedBytes: number
  /** A client that takes nothing of a waiting answer for so long has gone or means harm: its connection is cut. */
  readonly stallMs: number
}

/** 32 MiB are the answers of three requests of the largest size, or of hundreds of usual ones. */
const LIMITS: AnswerLimits = { sharedBytes: 32 << 20, stallMs: 60_000 }
/** What a request may hold when all together hold too much: a chunk of a socket. */
const OWN_BYTES = 64 << 10
/** Room also comes free when others fetch their answers. */
const LOOK_MS = 100

export interface AnswerStream {
  /** Whether the status and a part of the answer are on their way. */
  readonly begun: boolean
  /** Nobody gets the rest any more. */
  readonly gone: boolean
  /** Sends a part and resolves when there is room for more. Rejects when the client is gone or takes nothing. */
  write(text: string): Promise<void>
  end(text: string): void
}

export interface AnswerRoom {
  /** Answers 200 with this type at the first part. */
  open(reply: FastifyReply, type: string): AnswerStream
  /** Bytes that wait now. */
  held(): number
}

export function createAnswerRoom(limits: AnswerLimits = LIMITS): AnswerRoom {
  const streams = new Set<Readable>()
  const held = () => [...streams].reduce((sum, stream) => sum + stream.readableLength, 0)

  /** The body of an answer: what is pushed waits until the connection takes it. */
  function begin(reply: FastifyReply, type: string, written: () => number, wanted: () => void): Readable {
    const stream = new Readable({ highWaterMark: OWN_BYTES, read: wanted })
    streams.add(stream)
    let before = 0
    const watch = setInterval(() => {
      const taken = written() - stream.readableLength
      if (stream.readableLength > 0 && taken === before)
        stream.destroy(new Error('the client does not take its answer'))
      before = taken
    }, limits.stallMs).unref()
    stream.once('close', () => {
      clearInterval(watch)
      streams.delete(stream)
      wanted()
    })
    // The server cuts the connection; whoever writes finds the stream destroyed.
    stream.on('error', () => undefined)
    void reply.code(200).header('content-type', type).send(stream)
    return stream
  }

  return {
    held,
    open(reply, type) {
      let stream: Readable | undefined
      let written = 0
      let wake = () => {}
      const push = (text: string): Readable => {
        stream ??= begin(
          reply,
          type,
          () => written,
          () => wake(),
        )
        const bytes = Buffer.from(text)
        written += bytes.length
        if (!stream.destroyed && bytes.length > 0) stream.push(bytes)
        return stream
      }
      return {
        get begun() {
          return stream !== undefined
        },
        get gone() {
          return stream?.destroyed === true
        },
        async write(text) {
          const to = push(text)
          while (!to.destroyed && to.readableLength > OWN_BYTES && held() > limits.sharedBytes) {
            await new Promise<void>((resolve) => {
              const timer = setTimeout(resolve, LOOK_MS)
              wake = () => {
                clearTimeout(timer)
                resolve()
              }
            })
          }
          if (to.destroyed) throw new Error('the client is gone')
        },
        end(text) {
          if (stream === undefined) void reply.code(200).header('content-type', type).send(text)
          else if (!stream.destroyed) push(text).push(null)
        },
      }
    },
  }
}
