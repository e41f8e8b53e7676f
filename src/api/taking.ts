// Bodies of listings as they come in: bytes left alone for the pipeline's parser, many of them line by line.
import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { ERRORS, TouchstoneError } from '../errors.ts'
import type { Outcome } from '../pipeline/outcome.ts'
import type { NewRecord } from '../pipeline/log/ports.ts'
import type { LineResult, StreamEnd } from './contract.ts'
import { readLines } from './ndjson.ts'
import { answerError, isHungUp, problemOf } from './problem.ts'
import type { Api, RouteServices } from './services.ts'

/** Records and bytes of one append: large enough for a good rate, small enough to hold in memory for every request. */
const BATCH_RECORDS = 500
const BATCH_BYTES = 1 << 20

export const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

/** In this scope a JSON body is its bytes, and NDJSON, where it is taken, the stream itself. */
export function rawBodies(scope: Api, ndjsonBytes: number | undefined): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  if (ndjsonBytes === undefined) return
  scope.addContentTypeParser(NDJSON_TYPES, { bodyLimit: ndjsonBytes }, (_request, payload, done) => done(null, payload))
}

/** A problem for what the intake did not take. */
export function errorOf(outcome: Exclude<Outcome<unknown>, { kind: 'ok' }>): TouchstoneError {
  switch (outcome.kind) {
    case 'refuse':
      return new TouchstoneError(outcome.code, outcome.message, { path: outcome.path })
    case 'deadLetter':
      return new TouchstoneError(outcome.code, outcome.message)
  }
}

const ANSWER_TYPE = 'application/x-ndjson; charset=utf-8'
/** One turn of work on lines: long enough for hundreds of usual ones, short enough that nobody else notices. */
const TURN_MS = 5

/**
 * Takes NDJSON line by line: what is sound goes into the log in batches, what is not is said with its line number, and
 * the rest goes on. Answers 200 with one result a line, each batch's when it is durable. A body beyond a limit and a
 * failing log are a problem with `lines` while nothing was written, and afterwards the last line of the answer: so many
 * lines at the beginning are dealt with; sending all again is harmless.
 */
export async function takeMany(
  services: RouteServices,
  marketplace: string | undefined,
  body: Readable,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { intake, limits, turns } = services
  const answer = services.answers.open(reply, ANSWER_TYPE)
  // Results wait with their batch: none says 202 before its record is durable, and all keep the order of the lines.
  let pending: LineResult[] = []
  let records: NewRecord[] = []
  let bytesTaken = 0
  let lines = 0

  /** The results of the batch in hand, which is durable then. */
  async function settle(): Promise<string> {
    if (records.length > 0) await intake.append(records)
    lines = pending.at(-1)?.line ?? lines
    const results = pending.map((result) => `${JSON.stringify(result)}\n`).join('')
    pending = []
    records = []
    bytesTaken = 0
    return results
  }

  function take(number: number, bytes: Uint8Array | undefined): LineResult {
    if (bytes === undefined) {
      const message = `the line has more than ${limits.listingBytes} bytes`
      return { line: number, status: ERRORS['too-large'].status, code: 'too-large', message }
    }
    bytesTaken += bytes.length
    const read = intake.readListing(bytes, marketplace)
    if (read.kind === 'ok') {
      const { listing, contentHash, record } = read.value
      records.push(record)
      return { line: number, status: 202, listingId: listing.listingId, revision: listing.revision, contentHash }
    }
    const { code, message } = read
    const where = read.kind === 'refuse' ? { listingId: read.listingId, revision: read.revision, path: read.path } : {}
    return { line: number, status: ERRORS[code].status, ...where, code, message }
  }

  async function takeAll(): Promise<void> {
    let turn = 0
    for await (const { number, bytes } of readLines(bounded(body, limits.ndjsonBytes), limits.listingBytes)) {
      if (number > limits.ndjsonLines) {
        throw new TouchstoneError('too-large', `the body has more than ${limits.ndjsonLines} lines`)
      }
      if (performance.now() - turn > TURN_MS) {
        await turns.next()
        turn = performance.now()
      }
      pending.push(take(number, bytes))
      if (pending.length >= BATCH_RECORDS || bytesTaken >= BATCH_BYTES) await answer.write(await settle())
    }
  }

  try {
    const announced = Number(reply.request.headers['content-length'] ?? 0)
    if (announced > limits.ndjsonBytes) {
      throw new TouchstoneError('too-large', `the body has more than ${limits.ndjsonBytes} bytes; nothing was taken`)
    }
    const limit = await takeAll().then(() => undefined, orTooLarge)
    const last = await settle()
    if (limit !== undefined) {
      if (answer.begun) await answer.write(last)
      const dealt = lines === 0 ? 'nothing was taken' : `lines 1 to ${lines} were dealt with`
      throw new TouchstoneError('too-large', `${limit.message}; ${dealt}`)
    }
    if (!answer.begun && last === '') throw new TouchstoneError('empty', 'the body has no line with a listing')
    answer.end(last)
  } catch (thrown) {
    // What still comes is read and dropped: most clients look at the answer only when they have sent everything.
    body.resume()
    if (answer.gone) return reply
    const error = isHungUp(thrown, reply.request) ? thrown : services.explained(thrown)
    if (!answer.begun) {
      if (!(error instanceof TouchstoneError && error.code === 'empty')) void reply.header('connection', 'close')
      return answerError(error, reply.request, reply, { lines })
    }
    answer.end(`${JSON.stringify(endOf(error, reply, lines))}\n`)
  }
  return reply
}

/** A limit of the body is no failure of what came before it. */
function orTooLarge(thrown: unknown): TouchstoneError {
  if (thrown instanceof TouchstoneError && thrown.code === 'too-large') return thrown
  throw thrown
}

/** The last line where the answer ends early. */
function endOf(error: unknown, reply: FastifyReply, lines: number): StreamEnd {
  const { code, status, detail } = problemOf(error, reply.request)
  return { status, code, message: detail, lines }
}

async function* bounded(body: Readable, maxBytes: number): AsyncGenerator<Uint8Array> {
  let read = 0
  // Leaving the loop must not destroy the request: its connection carries the answer.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    read += chunk.length
    if (read > maxBytes) throw new TouchstoneError('too-large', `the body has more than ${maxBytes} bytes`)
    yield chunk
  }
}
