// What people say on a case, and what its seller answers: each in one transaction, and whoever comes second learns what stands.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { TouchstoneError } from '../../errors.ts'
import type { ReviewAnswer } from '../../pipeline/review.ts'
import { callerOf } from '../access.ts'
import {
  appealBodySchema,
  caseParamsSchema,
  reopenBodySchema,
  reviewedSchema,
  standsSchema,
  verdictBodySchema,
} from '../case-contract.ts'
import { decisionForCaller } from '../case-view.ts'
import { listingParamsSchema } from '../contract.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import { answerError, sendProblem } from '../problem.ts'
import type { Api, RouteServices } from '../services.ts'
import { noCase, REVIEWERS } from './cases.ts'

export function verdictRoutes(api: Api, { review }: RouteServices): void {
  api.route({
    method: 'POST',
    url: '/v1/cases/:caseId/verdict',
    config: { access: REVIEWERS },
    // A body that is refused is answered with what stands too: above all where it does not say what was looked at.
    attachValidation: true,
    schema: {
      tags: ['cases'],
      summary: 'Say whether the listing infringes',
      description:
        'Verdict, decision and both events are one transaction. The first word on a case counts; a later one is refused as ' +
        '`already-decided` unless it names in `supersedes` what it replaces, or is the first for another brand that the case names: ' +
        'that is recorded although it may decide nothing. `cannot-tell` in place of a verdict undoes it, also one on an earlier revision. `decisionId` is what was looked at: of an edited listing nothing is said unseen. ' +
        'A refusal has `stands`: what is decided by now. A rights holder speaks for its own brand.',
      params: caseParamsSchema,
      body: verdictBodySchema,
      response: { 200: reviewedSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const wrong = request.validationError
      if (wrong?.validationContext === 'body') {
        const stands = await review.stands(request.params.caseId, callerOf(request))
        return answerError(wrong, request, reply, stands === undefined ? {} : { stands })
      }
      if (wrong !== undefined) throw wrong
      const { verdictId, verdict, reason, note, brandId, supersedes, decisionId, pictures } = request.body
      const said = {
        verdict,
        verdictId,
        reason: reason ?? undefined,
        note: note ?? undefined,
        brandId: brandId ?? undefined,
        supersedes: supersedes ?? undefined,
        pictures: pictures ?? undefined,
        decisionId: decisionId.toLowerCase(),
      }
      return answer(request, reply, await review.verdict(request.params.caseId, callerOf(request), said), noCase)
    },
  })

  api.route({
    method: 'POST',
    url: '/v1/cases/:caseId/reopen',
    config: { access: ['analyst', 'admin'] },
    schema: {
      tags: ['cases'],
      summary: 'Ask again for a look at a closed case, or take its verdicts back',
      params: caseParamsSchema,
      body: reopenBodySchema,
      response: { 200: reviewedSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) =>
      answer(request, reply, await review.reopen(request.params.caseId, callerOf(request), request.body), noCase),
  })

  api.route({
    method: 'POST',
    url: '/v1/listings/:listingId/appeals',
    config: { access: ['ingest', 'admin'] },
    schema: {
      tags: ['cases'],
      summary: 'The seller’s answer to a hold or a block',
      description:
        'Opens the case if it was closed and decides nothing. The same text on the same revision counts once.',
      params: listingParamsSchema,
      body: appealBodySchema,
      response: { 200: standsSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const end = await review.appeal(request.params.listingId, callerOf(request), request.body.text)
      if (end === undefined) throw new TouchstoneError('not-found', 'there is no such listing for this caller')
      return end.kind === 'refused' ? refuse(reply, end) : reply.send(end.stands)
    },
  })
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  end: ReviewAnswer | undefined,
  none: () => TouchstoneError,
): Promise<FastifyReply> {
  if (end === undefined) throw none()
  if (end.kind === 'refused') return refuse(reply, end)
  const { role, brandIds } = callerOf(request)
  const [decision] = end.kind === 'known' ? [] : end.decisions
  const seen = decision && decisionForCaller(decision, role === 'brand' ? brandIds : undefined)
  return reply.send({
    status: end.kind,
    verdictIds: end.kind === 'known' ? [] : end.verdicts.map((v) => v.verdictId),
    decision: seen ?? null,
    earlier: end.kind === 'known' ? [] : [...end.earlier],
    pictures: (end.kind === 'known' ? undefined : end.pictures) ?? null,
    stands: end.stands,
  })
}

function refuse(reply: FastifyReply, end: Extract<ReviewAnswer, { kind: 'refused' }>): FastifyReply {
  const { code, message, path, stands } = end
  return sendProblem(reply, code, message, { path, ...(stands === undefined ? {} : { extensions: { stands } }) })
}
