// Prometheus metrics on an address of their own, so that they are never open where the API is.
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

/** Answers only `GET /metrics`. `refresh` runs before each answer, for gauges that are read when asked. */
export function createMetricsServer(dependencies: {
  readonly registry: Registry
  readonly log: FastifyBaseLogger
  readonly refresh?: () => Promise<void>
}): FastifyInstance {
  const { registry, log, refresh } = dependencies
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
  return server
}
