// The review queue: cases to look at, one case with all that is known of it, and the claim on it.
import type { z } from 'zod'
import type { Caller } from '../../domain/access.ts'
import { TouchstoneError } from '../../errors.ts'
import type { CaseDetails, Reader } from '../../review/ports.ts'
import { callerOf } from '../access.ts'
import {
  caseDetailsSchema,
  caseParamsSchema,
  caseQuerySchema,
  casesSchema,
  claimBodySchema,
  claimedSchema,
} from '../case-contract.ts'
import { caseForBrands } from '../case-view.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'

export const REVIEWERS = ['analyst', 'brand', 'admin'] as const

/** Whether a case exists for others is nobody's business: the same answer as for none. */
export const noCase = () => new TouchstoneError('not-found', 'there is no such case for this caller')

const readerOf = ({ subject, role, brandIds }: Caller): Reader => ({
  subject,
  brandIds: role === 'brand' ? brandIds : undefined,
})

export function caseRoutes(api: Api, { cases, review }: RouteServices): void {
  api.route({
    method: 'GET',
    url: '/v1/cases',
    config: { access: REVIEWERS },
    schema: {
      tags: ['cases'],
      summary: 'The review queue',
      description: 'Open cases unless `state` says otherwise. A rights holder sees those that name one of its brands.',
      querystring: caseQuerySchema,
      response: { 200: casesSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { state, brand, ...query } = request.query
      const asked = { ...query, brandId: brand, state: state === 'any' ? undefined : state }
      const { items, next } = await cases.list(asked, readerOf(callerOf(request)))
      return reply
        .header('cache-control', 'no-store')
        .send({ items, next: next ?? null } as z.infer<typeof casesSchema>)
    },
  })

  api.route({
    method: 'GET',
    url: '/v1/cases/:caseId',
    config: { access: REVIEWERS },
    schema: {
      tags: ['cases'],
      summary: 'One case: its listing, decisions with evidence, verdicts, the seller’s answers, pictures',
      params: caseParamsSchema,
      response: { 200: caseDetailsSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const reader = readerOf(callerOf(request))
      const found = await cases.find(request.params.caseId, reader)
      if (found === undefined) throw noCase()
      return reply.header('cache-control', 'no-store').send(detailsOf(found, reader))
    },
  })

  api.route({
    method: 'POST',
    url: '/v1/cases/:caseId/claim',
    config: { access: REVIEWERS },
    schema: {
      tags: ['cases'],
      summary: 'Take a case for a while, or give it back',
      description: 'It tells others that somebody looks; a verdict of theirs still counts.',
      params: caseParamsSchema,
      body: claimBodySchema,
      response: { 200: claimedSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { caseId } = request.params
      const end = await review.claim(caseId, callerOf(request), request.body.seconds)
      switch (end?.kind) {
        case undefined:
          throw noCase()
        case 'claimed':
          return reply.send({ caseId, claimedUntil: end.until })
        case 'taken':
          throw new TouchstoneError('case-claimed', `somebody else has claimed the case until ${end.until}`)
        case 'closed':
          throw new TouchstoneError('case-changed', `the case is ${end.state}`)
      }
    },
  })
}

function detailsOf(found: CaseDetails, { brandIds }: Reader): z.infer<typeof caseDetailsSchema> {
  const { summary, listing, decisions, verdicts, appeals, pictures, openedRevision, noLongerKept } =
    brandIds === undefined ? found : caseForBrands(found, brandIds)
  const details = {
    ...summary,
    listing: listing ?? {},
    decisions,
    verdicts,
    answers: appeals.map((one) => ({ ...one, text: brandIds === undefined ? one.text : null })),
    pictures: pictures.map((picture) => ({ ...picture, href: `/v1/pictures/${picture.sha256}` })),
    pictureCount: {
      listed: imagesOf(found.listing),
      kept: pictures.filter((picture) => picture.revision === summary.revision).length,
    },
    openedRevision,
    noLongerKept,
  }
  return details as z.infer<typeof caseDetailsSchema>
}

/** What a rights holder is not shown of a listing counts too. */
const imagesOf = (listing: unknown): number =>
  typeof listing === 'object' && listing !== null && 'images' in listing && Array.isArray(listing.images)
    ? listing.images.length
    : 0
