// Prometheus metrics on an address of their own, so that they are never open where the API is.
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import type { ReadinessProbe } from './ports.ts'
import { createReadiness } from './readiness.ts'

/**
 * Answers `GET /metrics`; with a probe also /healthz and /readyz, for a process that has no API. `refresh` runs before each
 * answer, for gauges that are read when asked.
 */
export function createMetricsServer(dependencies: {
  readonly registry: Registry
  readonly log: FastifyBaseLogger
  readonly refresh?: () => Promise<void>
  readonly probe?: ReadinessProbe
}): FastifyInstance {
  const { registry, log, refresh, probe } = dependencies
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
  })
  server.get('/metrics', async (_request, reply) => {
    // Stale gauges are better than no metrics at all: the failure itself shows in other metrics and in the log.
    await refresh?.().catch((error: unknown) => log.warn({ err: error }, 'gauges could not be read'))
    return reply.type(registry.contentType).send(await registry.metrics())
  })
  if (probe !== undefined) {
    const answer = createReadiness(probe, log)
    server.get('/healthz', async () => ({ status: 'ok' }))
    server.get('/readyz', async (_request, reply) => answer(reply))
  }
  return server
}
