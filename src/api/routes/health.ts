// Alive, making progress, and the two contracts: what machines ask before they trust a service.
import { z } from 'zod'
import { healthSchema, readinessSchema } from '../contract.ts'
import { PROBLEM_RESPONSES, textResponse } from '../openapi.ts'
import type { ReadinessCheck } from '../ports.ts'
import { sendProblem } from '../problem.ts'
import type { Api, RouteServices } from '../services.ts'

/** Anyone may ask, so the probe runs at most once in this time however many ask. */
const PROBE_MS = 500

export function healthRoutes(api: Api, services: RouteServices): void {
  const probeFailed = (error: unknown): readonly ReadinessCheck[] => {
    services.log.error({ err: error }, 'the readiness probe failed')
    return [{ name: 'probe', ok: false, detail: 'the probe itself failed' }]
  }
  let known: { readonly until: number; readonly checks: Promise<readonly ReadinessCheck[]> } | undefined

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
    handler: async (_request, reply) => {
      if (known === undefined || known.until <= Date.now()) {
        known = { until: Date.now() + PROBE_MS, checks: services.probe().catch(probeFailed) }
      }
      const checks = [...(await known.checks)]
      void reply.header('cache-control', 'no-store')
      const stale = checks.filter((c) => !c.ok)
      if (stale.length === 0) return reply.code(200).send({ status: 'ready' as const, checks })
      const detail = stale.map((c) => `${c.name}: ${c.detail}`).join('; ')
      return sendProblem(reply, 'not-ready', detail, { extensions: { checks } })
    },
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
