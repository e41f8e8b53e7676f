// The policy: its versions, publishing the next one and going back; live in running workers within two seconds.
import { callerOf } from '../access.ts'
import { activatedPolicySchema, policiesSchema, publishBodySchema } from '../contract.ts'
import { PROBLEM_RESPONSES } from '../openapi.ts'
import type { Api, RouteServices } from '../services.ts'

const ANALYSTS = ['analyst', 'admin'] as const

export function policyRoutes(api: Api, { reference, publishPolicy, rollbackPolicy }: RouteServices): void {
  api.route({
    method: 'GET',
    url: '/v1/policies',
    config: { access: ANALYSTS },
    schema: {
      tags: ['policies'],
      summary: 'All versions; one is active',
      response: { 200: policiesSchema, ...PROBLEM_RESPONSES },
    },
    handler: async () => ({ items: await reference.policies() }),
  })

  api.route({
    method: 'POST',
    url: '/v1/policies/publish',
    config: { access: ANALYSTS },
    schema: {
      tags: ['policies'],
      summary: 'Check a policy and make it the active version',
      body: publishBodySchema,
      response: { 201: activatedPolicySchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { body } = request
      const bare = 'policyId' in body
      const record = await publishPolicy(
        bare ? body : body.policy,
        callerOf(request).subject,
        bare ? undefined : body.basedOn,
      )
      return reply.code(201).send(record)
    },
  })

  api.route({
    method: 'POST',
    url: '/v1/policies/rollback',
    config: { access: ANALYSTS },
    schema: {
      tags: ['policies'],
      summary: 'Make the version before the active one active again',
      response: { 200: activatedPolicySchema, ...PROBLEM_RESPONSES },
    },
    handler: async (request) => rollbackPolicy(callerOf(request).subject),
  })
}
