// The dry run: a listing tried with all the evidence, nothing recorded.
import { listingSchema } from '../../domain/listing.ts'
import { callerOf } from '../access.ts'
import { decisionAnswerSchema } from '../contract.ts'
import { decisionFor } from '../marketplace-view.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'
import { errorOf, rawBodies } from '../taking.ts'

export function screenRoutes(api: Api, services: RouteServices): void {
  void api.register(async (scope) => {
    rawBodies(scope, undefined)
    scope.route({
      method: 'POST',
      url: '/v1/screen',
      config: { access: ['ingest', 'analyst', 'admin'], event: true },
      schema: {
        tags: ['listings'],
        summary: 'Try a listing without recording anything',
        body: listingSchema,
        response: { 200: decisionAnswerSchema, ...PROBLEM_RESPONSES },
      },
      // Read by the pipeline's own parser, as everywhere.
      validatorCompiler: () => () => true,
      handler: async (request, reply) => {
        const body: unknown = request.body
        const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
        const read = services.intake.readListing(bytes, callerOf(request).marketplace)
        if (read.kind !== 'ok') throw errorOf(read)
        const tried = await services.dryRun(read.value)
        if (tried.kind !== 'ok') throw errorOf(tried)
        return reply.code(200).send(decisionFor(callerOf(request), tried.value))
      },
    })
  })
}
