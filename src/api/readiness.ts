// The answer to /readyz: 200 where everything makes progress, else a problem that says what is stale.
import type { FastifyBaseLogger, FastifyReply } from 'fastify'
import type { ReadinessCheck, ReadinessProbe } from './ports.ts'
import { sendProblem } from './problem.ts'

/** Anyone may ask, so the probe runs at most once in this time however many ask. */
const PROBE_MS = 500

export function createReadiness(
  probe: ReadinessProbe,
  log: FastifyBaseLogger,
): (reply: FastifyReply) => Promise<FastifyReply> {
  const probeFailed = (error: unknown): readonly ReadinessCheck[] => {
    log.error({ err: error }, 'the readiness probe failed')
    return [{ name: 'probe', ok: false, detail: 'the probe itself failed' }]
  }
  let known: { readonly until: number; readonly checks: Promise<readonly ReadinessCheck[]> } | undefined
  return async (reply) => {
    if (known === undefined || known.until <= Date.now()) {
      known = { until: Date.now() + PROBE_MS, checks: probe().catch(probeFailed) }
    }
    const checks = [...(await known.checks)]
    void reply.header('cache-control', 'no-store')
    const stale = checks.filter((c) => !c.ok)
    if (stale.length === 0) return reply.code(200).send({ status: 'ready' as const, checks })
    const detail = stale.map((c) => `${c.name}: ${c.detail}`).join('; ')
    return sendProblem(reply, 'not-ready', detail, { extensions: { checks } })
  }
}
