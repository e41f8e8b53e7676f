// Listings in: one or many into the log, durably before the answer; withdrawals; what became of a listing.
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { listingSchema } from '../../domain/listing.ts'
import { TouchstoneError } from '../../errors.ts'
import { callerOf } from '../access.ts'
import { historyForBrands } from '../brand-view.ts'
import {
  acceptedSchema,
  decisionAnswerSchema,
  historySchema,
  lineResultSchema,
  listingParamsSchema,
  streamEndSchema,
  withdrawalBodySchema,
  type Accepted,
} from '../contract.ts'
import { goneSignal } from '../gone.ts'
import { decisionFor, historyFor } from '../marketplace-view.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import type { SubmittedListing } from '../ports.ts'
import { preferredWait } from '../prefer.ts'
import type { Api, RouteServices } from '../services.ts'
import { errorOf, rawBodies, takeMany } from '../taking.ts'

const TAKEN = {
  description: 'The decision; for NDJSON the results, one a line.',
  content: {
    'application/json': { schema: decisionAnswerSchema },
    'application/x-ndjson': { schema: z.union([lineResultSchema, streamEndSchema]) },
  },
}

const locationOf = (listingId: string) => `/v1/listings/${encodeURIComponent(listingId)}`

export function listingRoutes(api: Api, services: RouteServices): void {
  void api.register(async (scope) => {
    rawBodies(scope, services.limits.ndjsonBytes)
    scope.route({
      method: 'POST',
      url: '/v1/listings',
      config: { access: ['ingest', 'admin'], event: true },
      schema: {
        tags: ['listings'],
        summary: 'Submit a listing, or many as NDJSON',
        description:
          'The record is durable before the answer. `Prefer: wait=N` (at most 60) answers 200 with the decision within N seconds. ' +
          'A body of application/x-ndjson has one listing a line and gets one result a line; each line is a record of its own. ' +
          'Results come while the body is read. Where a limit or a failing log ends that early, the last line says so: it has ' +
          '`lines` (so many at the beginning are dealt with), `status` and `code`. Before any result that is a problem, also with ' +
          '`lines`. An answer that is cut off says nothing of what it does not name: sending all again is harmless.',
        consumes: ['application/json', 'application/x-ndjson'],
        body: listingSchema,
        response: { 200: TAKEN, 202: acceptedSchema, ...PROBLEM_RESPONSES },
      },
      // The pipeline's own parser reads the bytes: they must be judged as on any other way in.
      validatorCompiler: () => () => true,
      handler: async (request, reply) => {
        const body: unknown = request.body
        if (Buffer.isBuffer(body) || body === undefined || body === null) {
          return takeOne(services, request, reply, body ?? Buffer.alloc(0))
        }
        return takeMany(services, callerOf(request).marketplace, body as Readable, reply)
      },
    })
  })

  api.route({
    method: 'POST',
    url: '/v1/listings/:listingId/withdrawals',
    config: { access: ['ingest', 'admin'], event: true },
    schema: {
      tags: ['listings'],
      summary: 'Withdraw a listing: an open case closes, nothing is decided',
      params: listingParamsSchema,
      body: withdrawalBodySchema,
      response: { 202: acceptedSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { listingId } = request.params
      const { revision } = request.body
      const { marketplace } = callerOf(request)
      if (marketplace !== undefined) {
        const history = await services.decisions.history(listingId)
        if (history !== undefined && history.marketplace !== marketplace) {
          throw new TouchstoneError('marketplace-mismatch', 'the listing belongs to another marketplace')
        }
      }
      await services.intake.append([services.intake.withdrawal({ listingId, revision, marketplace })])
      const accepted: Accepted = { listingId, revision, status: 'accepted' }
      return reply.code(202).header('location', locationOf(listingId)).send(accepted)
    },
  })

  api.route({
    method: 'GET',
    url: '/v1/listings/:listingId',
    config: { access: ['ingest', 'analyst', 'brand', 'admin'] },
    schema: {
      tags: ['listings'],
      summary: 'Revisions, decisions and current outcome of a listing',
      params: listingParamsSchema,
      response: { 200: historySchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const caller = callerOf(request)
      const found = await services.decisions.history(request.params.listingId)
      const foreign = caller.marketplace !== undefined && found?.marketplace !== caller.marketplace
      const history =
        foreign || found === undefined
          ? found
          : caller.role === 'brand'
            ? historyForBrands(found, caller.brandIds)
            : historyFor(caller, found)
      // Whether a listing exists elsewhere is nobody's business either: the same answer as for none.
      if (history === undefined || foreign)
        throw new TouchstoneError('not-found', 'there is no such listing for this caller')
      return reply.send(history as z.infer<typeof historySchema>)
    },
  })
}

async function takeOne(
  services: RouteServices,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Uint8Array,
): Promise<FastifyReply> {
  const { intake, waiting, findEnd } = services
  const { marketplace } = callerOf(request)
  const read = intake.readListing(body, marketplace)
  if (read.kind !== 'ok') throw errorOf(read)
  const { listing, contentHash, record } = read.value
  const { listingId, revision } = listing
  void reply.header('location', locationOf(listingId))

  const standing = await standingOf(services, read.value, marketplace !== undefined)
  if (standing !== undefined) return reply.code(200).send(decisionFor(callerOf(request), standing))

  const [appended] = await intake.append([record])
  if (appended === undefined) throw new Error('the log took a record and named no place')
  const seconds = preferredWait(request.headers['prefer'])
  if (seconds !== undefined) void reply.header('preference-applied', `wait=${seconds}`)
  const end =
    seconds === undefined || seconds === 0
      ? undefined
      : await waiting
          .until(() => findEnd(appended, { listingId, revision, contentHash }), seconds * 1000, goneSignal(reply))
          // The record is durable whatever became of the looking: an error would say that it is not.
          .catch((error: unknown) => {
            request.log.warn({ err: error }, 'the end of a record could not be read')
            return undefined
          })
  switch (end?.kind) {
    case 'decided':
      if (end.contentHash !== contentHash) throw reused(listingId, revision)
      return reply.code(200).send(decisionFor(callerOf(request), end.decision))
    case 'refused':
      throw new TouchstoneError(end.refusal.code, end.refusal.message, { path: end.refusal.path })
    case 'gone':
      throw new TouchstoneError('internal-error', 'the record became a dead letter')
    default: {
      const accepted: Accepted = { listingId, revision, contentHash, status: 'accepted' }
      return reply.code(202).send(accepted)
    }
  }
}

/**
 * The decision where this revision is decided already: nothing is written again. Throws where it cannot be taken any more.
 * Another marketplace's listing is left to the worker: an answer of our own would tell which of its revisions exist.
 */
async function standingOf({ decisions }: RouteServices, submitted: SubmittedListing, bound: boolean) {
  const { listingId, revision } = submitted.listing
  const standing = await decisions.standing(listingId, revision)
  if (standing === undefined) return undefined
  const history = await decisions.history(listingId)
  const claimed = submitted.listing.marketplace
  const owner = history?.marketplace ?? null
  if (claimed !== undefined && owner !== claimed && (owner !== null || bound)) return undefined
  if (standing.contentHash !== submitted.contentHash) throw reused(listingId, revision)
  if (history !== undefined && history.current.withdrawnRevision >= revision) {
    throw new TouchstoneError(
      'withdrawn',
      `revision ${history.current.withdrawnRevision} of the listing was withdrawn`,
      { path: '/revision' },
    )
  }
  return standing.decision
}

const reused = (listingId: string, revision: number) =>
  new TouchstoneError('revision-reused', `revision ${revision} of ${listingId} was sent before with other content`, {
    path: '/revision',
  })
