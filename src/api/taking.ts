// Bodies of listings as they come in: bytes left alone for the pipeline's parser, many of them line by line.
import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { ERRORS, TouchstoneError } from '../errors.ts'
import type { Outcome } from '../pipeline/outcome.ts'
import type { NewRecord } from '../pipeline/ports.ts'
import type { LineResult } from './contract.ts'
import { readLines } from './ndjson.ts'
import { sendProblem } from './problem.ts'
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

/**
 * Takes NDJSON line by line: what is sound goes into the log in batches, what is not is said with its line number, and
 * the rest goes on. Answers 200 with one result a line. When the body is beyond a limit or the log fails, the answer is
 * a problem with `lines`: so many lines at the beginning are dealt with; sending all again is harmless.
 */
export async function takeMany(
  services: RouteServices,
  marketplace: string | undefined,
  body: Readable,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { intake, limits } = services
  const announced = Number(reply.request.headers['content-length'] ?? 0)
  if (announced > limits.ndjsonBytes)
    return sendTooLarge(reply, body, `the body has more than ${limits.ndjsonBytes} bytes`, 0)
  const results: string[] = []
  // Results wait with their batch: none says 202 before its record is durable, and all keep the order of the lines.
  let pending: LineResult[] = []
  let records: NewRecord[] = []
  let recordBytes = 0
  let lines = 0

  async function flush(): Promise<void> {
    if (records.length > 0) await intake.append(records)
    for (const result of pending) results.push(`${JSON.stringify(result)}\n`)
    lines = pending.at(-1)?.line ?? lines
    pending = []
    records = []
    recordBytes = 0
  }

  function take(number: number, bytes: Uint8Array | undefined): LineResult {
    if (bytes === undefined) {
      const message = `the line has more than ${limits.listingBytes} bytes`
      return { line: number, status: ERRORS['too-large'].status, code: 'too-large', message }
    }
    const read = intake.readListing(bytes, marketplace)
    if (read.kind === 'ok') {
      const { listing, contentHash, record } = read.value
      records.push(record)
      recordBytes += record.value?.length ?? 0
      return { line: number, status: 202, listingId: listing.listingId, revision: listing.revision, contentHash }
    }
    const { code, message } = read
    const where = read.kind === 'refuse' ? { listingId: read.listingId, revision: read.revision, path: read.path } : {}
    return { line: number, status: ERRORS[code].status, ...where, code, message }
  }

  try {
    for await (const { number, bytes } of readLines(bounded(body, limits.ndjsonBytes), limits.listingBytes)) {
      if (number > limits.ndjsonLines) {
        throw new TouchstoneError('too-large', `the body has more than ${limits.ndjsonLines} lines`)
      }
      pending.push(take(number, bytes))
      if (pending.length >= BATCH_RECORDS || recordBytes >= BATCH_BYTES) await flush()
    }
    await flush()
  } catch (thrown) {
    // What still comes is read and dropped: most clients look at the answer only when they have sent everything.
    body.resume()
    if (!(thrown instanceof TouchstoneError) || thrown.code !== 'too-large') throw thrown
    await flush()
    return sendTooLarge(reply, body, thrown.message, lines)
  }
  if (results.length === 0) throw new TouchstoneError('empty', 'the body has no line with a listing')
  return reply.code(200).header('content-type', 'application/x-ndjson; charset=utf-8').send(results.join(''))
}

function sendTooLarge(reply: FastifyReply, body: Readable, what: string, lines: number): FastifyReply {
  body.resume()
  void reply.header('connection', 'close')
  const dealt = lines === 0 ? 'nothing was taken' : `lines 1 to ${lines} were dealt with`
  return sendProblem(reply, 'too-large', `${what}; ${dealt}`, { extensions: { lines } })
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
