// Alive, making progress, and the two contracts: what machines ask before they trust a service.
import { z } from 'zod'
import { healthSchema, readinessSchema } from '../contract.ts'
import { PROBLEM_RESPONSES, textResponse } from '../openapi.ts'
import { createReadiness } from '../readiness.ts'
import type { Api, RouteServices } from '../services.ts'

export function healthRoutes(api: Api, services: RouteServices): void {
  const answer = createReadiness(services.probe, services.log)

  api.route({
    method: 'GET',
    url: '/healthz',
    config: { access: 'open' },
    schema: { tags: ['health'], summary: 'The process answers', response: { 200: healthSchema } },
    handler: async () => ({ status: 'ok' as const }),
  })

  api.route({
    method: 'GET',
    url: '/readyz',
    config: { access: 'open' },
    schema: {
      tags: ['health'],
      summary: 'The service makes progress; 503 says what is stale',
      response: { 200: readinessSchema, ...PROBLEM_RESPONSES },
    },
    handler: async (_request, reply) => answer(reply),
  })

  api.route({
    method: 'GET',
    url: '/openapi.json',
    config: { access: 'open' },
    schema: { tags: ['contracts'], summary: 'This document', response: { 200: z.looseObject({}) } },
    handler: async () => api.swagger() as unknown as Record<string, unknown>,
  })

  api.route({
    method: 'GET',
    url: '/asyncapi.yaml',
    config: { access: 'open' },
    schema: {
      tags: ['contracts'],
      summary: 'Events and topics, as AsyncAPI',
      response: { 200: textResponse('application/yaml', 'AsyncAPI 3, YAML') },
    },
    handler: async (_request, reply) => reply.type('application/yaml; charset=utf-8').send(services.asyncApi),
  })
}
